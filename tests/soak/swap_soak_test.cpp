// The playlist is swapped again and again under load, while the new instances still recover the
// channels that they have found in storage.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <filesystem>
#include <string>

#include "soak/torture.hpp"

namespace rosey::tests {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

// Each swap copies the library, so it is one without what only a debugger reads.
void take_stripped_playlist(const bot_folder& folder) {
  std::filesystem::copy_file(STRIPPED_PLUGINS "/libplaylist.so",
                             folder.plugins() / "libplaylist.so",
                             std::filesystem::copy_options::overwrite_existing);
}

// Channels whose queues each new instance recovers.
void fill_channels(soak_client& client, int channels, int items) {
  for (int channel = 0; channel < channels; ++channel) {
    for (int item = 0; item < items; ++item) {
      const json::object request{{"channel", "#stored-" + std::to_string(channel)},
                                 {"user", "owner-" + std::to_string(channel)},
                                 {"url", "yt:dQw4w9WgXcQ"}};
      ASSERT_THAT(client.ask("service.playlist.add_item", json::serialize(request)),
                  HasSubstr("\"success\":true"));
    }
  }
}

std::vector<std::string> stored_items(const cluster& all) {
  return query_rows(all.database(),
                    "SELECT count(*) FROM playlist_queue WHERE channel LIKE '#stored-%'");
}

// The first that contains `text`, or "".
std::string line_with(const std::string& log, std::string_view text) {
  const auto found = log.find(text);
  if (found == log.npos) return {};
  const auto begin = log.rfind('\n', found) + 1;
  return log.substr(begin, log.find('\n', found) - begin);
}

TEST(SwapSoak, LosesNothingWhileRecoveriesAreUnderWay) {
  trials made(SANITIZED ? 10 : 40);
  cluster all({.playlist = roomy, .prepare = &take_stripped_playlist});
  soak_client admin(all.url());
  fill_channels(admin, 100, 4);
  const auto stored = stored_items(all);
  people crowd(all.url(), 4, 2, made.seed(), people::mood::adding);
  findings found;
  crowd.resume();
  while (made.another() && !HasFailure()) {
    const auto began = std::chrono::steady_clock::now();
    ASSERT_THAT(admin.request("rosey.admin.plugin.reload", R"({"name": "playlist"})", patience),
                testing::Optional(HasSubstr("Reloaded playlist")))
        << "swap " << made.made() << "\n"
        << all.ended_by_itself();
    // Not always: most swaps come while the one before is still recovering.
    if (made.one_in(10)) found.heal_seconds.push_back(seconds_to_heal(all, crowd, began));
    all.drain(std::chrono::milliseconds(0));
  }
  check(all, crowd, found);
  EXPECT_EQ(stored_items(all), stored);
  // To be cancelled is no failure.
  EXPECT_EQ(line_with(all.at(cluster::first_host).log(), "cannot be recovered"), "");
  report("swap", made, found);
}

}  // namespace
}  // namespace rosey::tests
