// A thousand times loaded, used, swapped and unloaded: a plugin leaves nothing in the host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "host_stub/bus/connection.hpp"
#include "host_stub/bus/nats_server.hpp"
#include "host_stub/plugins/manager.hpp"
#include "integration/support/process.hpp"
#include "soak/resources.hpp"
#include "temporary_directory.hpp"

namespace rosey::tests {
namespace {

using host::connection;
using testing::HasSubstr;

// A sanitizer finds leaks and races in fewer cycles; it holds freed memory back, and
// AddressSanitizer keeps some megabytes for each library that it has ever seen.
constexpr int cycles = SANITIZED ? 30 : 1000;
// The playlist built for coverage is three times as large, and copying and relocating it is what
// takes the time.
constexpr int playlist_cycles = COVERED && !SANITIZED ? 300 : cycles;
constexpr std::size_t most_growth = 1024 * 1024;
// How well pages fit what is in use differs by a megabyte and more from one moment to the next; a
// page that each cycle kept would be 3.5 of them.
constexpr std::size_t most_resident_growth = 3 * most_growth;

class Soak : public testing::Test {
 protected:
  Soak() {
    spdlog::set_level(spdlog::level::warn);
    // A library built for coverage writes its counts each time it is unloaded, which takes longer
    // than all the rest. Here they have nowhere to go.
    ::setenv("GCOV_PREFIX", "/dev/null", 1);
    ::setenv("GCOV_ERROR_FILE", "/dev/null", 1);
  }

  // One life of a plugin; whoever serves the command after the swap is the second instance.
  void cycle(host::plugin_manager& plugins, const std::string& id, const std::string& subject,
             const std::string& answer) {
    const auto loaded = plugins.load(id);
    ASSERT_TRUE(loaded) << loaded.error().message;
    ask(subject, answer);
    const auto reloaded = plugins.reload(id);
    ASSERT_TRUE(reloaded) << reloaded.error().message;
    ask(subject, answer);
    const auto unloaded = plugins.unload(id);
    ASSERT_TRUE(unloaded) << unloaded.error().message;
  }

  void ask(const std::string& subject, const std::string& answer) {
    const auto reply =
        client_.request(subject, R"({"channel":"#lobby","user":"ann","args":""})", patience);
    ASSERT_TRUE(reply) << reply.error().message;
    ASSERT_THAT(*reply, HasSubstr(answer));
  }

  void soak(int cycles, const std::string& id, const std::string& subject,
            const std::string& answer) {
    const std::string file = "lib" + id + ".so";
    std::filesystem::copy_file(std::filesystem::path(STRIPPED_PLUGINS) / file,
                               folder_.path() / file);
    host::plugin_manager plugins(
        bus_, {folder_.path(), [](const std::string&) { return result<std::string>("{}"); }});
    const int first_cycles = std::min(100, cycles / 3);  // until caches are warm
    std::optional<resources> warm;
    for (int number = 0; number < cycles; ++number) {
      cycle(plugins, id, subject, answer);
      if (HasFatalFailure()) FAIL() << "in cycle " << number;
      if (number + 1 == first_cycles) warm = measure_resources();
    }
    EXPECT_TRUE(wait_until_threads_are_among(warm->threads)) << "a thread is left";
    const resources end = measure_resources();
    std::cout << "after " << first_cycles << " cycles: " << *warm << "\nafter " << cycles
              << " cycles: " << end << "\n";

    EXPECT_EQ(end.descriptors, warm->descriptors);
    EXPECT_EQ(lines_in_maps("/lib" + id + "."), 0u);
    const auto nobody = client_.request(subject, "{}", patience);
    ASSERT_FALSE(nobody) << "a subscription is left";
    EXPECT_EQ(nobody.error().code, "no_responders");
    if (SANITIZED) return;
    EXPECT_LT(end.heap, warm->heap + most_growth);
    EXPECT_LT(end.resident, warm->resident + most_resident_growth);
  }

  temporary_directory folder_;
  host::nats_server server_;
  connection bus_{{.url = server_.url(), .name = "host"}};
  connection client_{{.url = server_.url(), .name = "client"}};
};

TEST_F(Soak, HelloLeavesNothingBehind) {
  soak(cycles, "hello", "rosey.command.hello.hello", "Hello, ann!");
}

TEST_F(Soak, PlaylistLeavesNothingBehind) {
  // A process of its own, so that what its database keeps in memory is not counted.
  process storage({ROSEY_BINARY, "storage", "--nats-url", server_.url(), "--database",
                   "sqlite:" + (folder_.path() / "rosey.db").string(), "--migrations",
                   SOURCE_DIR "/migrations"},
                  folder_.path());
  storage.wait_for_log("rosey ready");
  soak(playlist_cycles, "playlist", "rosey.command.playlist.queue", "Queue is empty");
  storage.signal(SIGTERM);
  EXPECT_EQ(storage.wait(), 0);
}

}  // namespace
}  // namespace rosey::tests
