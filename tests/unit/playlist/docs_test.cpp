// The examples on the pages about the playlist are true: each is sent, and answered as it says.
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <sstream>

#include "playlist_plugin/config.hpp"
#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;

struct block {
  std::string kind;     // "request"
  std::string subject;  // "" where there is none
  json::value text;
};

// The fenced blocks that begin with ```json KIND SUBJECT.
std::vector<block> blocks_of(const std::string& page) {
  std::ifstream in(std::string(ROSEY_DOCS) + "/" + page);
  EXPECT_TRUE(in) << page;
  std::vector<block> blocks;
  std::string line;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string fence;
    block found;
    words >> fence >> found.kind >> found.subject;
    if (fence != "```json" || found.kind.empty()) continue;
    std::string text;
    while (std::getline(in, line) && line != "```") text += line + "\n";
    boost::system::error_code failure;
    found.text = json::parse(text, failure);
    EXPECT_FALSE(failure) << text;
    blocks.push_back(std::move(found));
  }
  return blocks;
}

// A page may leave fields out, but shows none that is not there, or is another.
bool shows(const json::value& shown, const json::value& real) {
  if (shown.is_object() && real.is_object()) {
    return std::all_of(shown.get_object().begin(), shown.get_object().end(),
                       [&](const auto& field) {
                         const json::value* found = real.get_object().if_contains(field.key());
                         return found && shows(field.value(), *found);
                       });
  }
  if (shown.is_array() && real.is_array()) {
    const auto& left = shown.get_array();
    const auto& right = real.get_array();
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(), shows);
  }
  return shown == real;
}

TEST(playlist_api_page, has_examples_that_are_true) {
  world here;
  here.start();
  json::object reply;
  const std::vector<block> blocks = blocks_of("playlist-api.md");
  std::set<std::string> asked;
  for (const block& each : blocks) {
    if (each.kind == "request") {
      here.events().clear();
      reply = here.ask(each.subject, json::serialize(each.text));
      here.settle();
      asked.insert(each.subject);
    } else if (each.kind == "publish") {
      here.server().deliver({each.subject, "", json::serialize(each.text)});
      here.settle();
    } else if (each.kind == "reply") {
      EXPECT_TRUE(shows(each.text, reply)) << each.text << "\nis really\n" << reply;
    } else if (each.kind == "event") {
      const auto& events = here.events();
      const bool seen = std::any_of(events.begin(), events.end(), [&](const json::object& event) {
        return event.at("event") == json::value(each.subject) && shows(each.text, event);
      });
      EXPECT_TRUE(seen) << each.text << "\nwas not published";
    } else {
      ADD_FAILURE() << "what is a block of kind " << each.kind;
    }
  }
  EXPECT_GT(asked.size(), 13u);
}

TEST(playlist_api_page, names_every_subject) {
  std::ifstream in(std::string(ROSEY_DOCS) + "/playlist-api.md");
  std::stringstream page;
  page << in.rdbuf();
  world here;
  here.start();
  for (const std::string& subject : here.server().subjects()) {
    if (subject.starts_with("_INBOX") || subject.starts_with("rosey.command.")) continue;
    if (subject.find('>') != std::string::npos) continue;
    EXPECT_NE(page.str().find(subject.substr(subject.rfind('.') + 1)), std::string::npos)
        << subject;
  }
  for (const auto& verb : verb_table) {
    EXPECT_NE(page.str().find(verb.name), std::string::npos) << verb.name;
  }
}

TEST(playlist_page, shows_every_setting_with_its_default) {
  for (const block& each : blocks_of("playlist.md")) {
    ASSERT_TRUE(each.kind == "settings" || each.kind == "metadata") << each.kind;
    if (each.kind == "metadata") {
      const metadata_config shown = read_metadata_config(each.text);
      const metadata_config usual;
      EXPECT_EQ(shown.oembed, usual.oembed);
      EXPECT_EQ(shown.youtube_api, usual.youtube_api);
      EXPECT_EQ(shown.deadline_ms, usual.deadline_ms);
      EXPECT_EQ(shown.timeout_ms, usual.timeout_ms);
      EXPECT_EQ(shown.cache_hours, usual.cache_hours);
      EXPECT_EQ(shown.max_fetches, usual.max_fetches);
      continue;
    }
    const json::object& settings = each.text.as_object();
    const plugin_config shown = read_config(settings);
    const plugin_config usual;
    EXPECT_EQ(shown.limits.quota.max_items_per_user, usual.limits.quota.max_items_per_user);
    EXPECT_EQ(shown.limits.quota.max_duration_per_user, usual.limits.quota.max_duration_per_user);
    EXPECT_EQ(shown.limits.quota.rate_limit_count, usual.limits.quota.rate_limit_count);
    EXPECT_EQ(shown.limits.quota.rate_limit_seconds, usual.limits.quota.rate_limit_seconds);
    EXPECT_EQ(shown.limits.max_queue_size, usual.limits.max_queue_size);
    EXPECT_EQ(shown.votes.skip_threshold, usual.votes.skip_threshold);
    EXPECT_EQ(shown.votes.min_skip_votes, usual.votes.min_skip_votes);
    EXPECT_EQ(shown.votes.expiry_seconds, usual.votes.expiry_seconds);
    EXPECT_EQ(shown.votes.active_user_minutes, usual.votes.active_user_minutes);
    EXPECT_EQ(shown.announce, usual.announce);
    EXPECT_EQ(shown.order, usual.order);
    EXPECT_EQ(shown.metadata.enabled, usual.metadata.enabled);
    try {
      read_config({{"no such key", 1}});
      ADD_FAILURE();
    } catch (const std::exception& refused) {
      // "playlist: unknown key 'no such key'; the keys are a, b, c"
      std::string list = refused.what();
      std::istringstream keys(list.substr(list.find("are ") + 4));
      std::size_t count = 0;
      for (std::string key; std::getline(keys, key, ',');) {
        key.erase(0, key.find_first_not_of(' '));
        EXPECT_TRUE(settings.contains(key)) << key;
        ++count;
      }
      EXPECT_EQ(settings.size(), count);
    }
  }
}

}  // namespace
}  // namespace rosey::playlist::testing
