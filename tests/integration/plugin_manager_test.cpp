// Loading, unloading and swapping plugins, on a real nats-server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "host_stub/bus/connection.hpp"
#include "host_stub/bus/nats_server.hpp"
#include "host_stub/plugins/manager.hpp"
#include "integration/support/process.hpp"
#include "temporary_directory.hpp"

namespace rosey::tests {
namespace {

using host::connection;
using host::plugin_manager;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char hello_subject[] = "rosey.command.hello.hello";
constexpr char hello_request[] = R"({"channel":"#lobby","user":"ann"})";

class PluginManager : public testing::Test {
 protected:
  void drop(const std::filesystem::path& library, const std::string& name) {
    // As a careful operator does it: written beside, then renamed.
    const auto target = folder_.path() / name;
    std::filesystem::copy_file(library, folder_.path() / ".new",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::rename(folder_.path() / ".new", target);
  }

  std::unique_ptr<plugin_manager> manager() {
    return std::make_unique<plugin_manager>(
        bus_, plugin_manager::settings{folder_.path(), [this](const std::string&) {
                                         return result<std::string>(config_);
                                       }});
  }

  std::string hello() {
    const auto reply = client_.request(hello_subject, hello_request, patience);
    return reply ? *reply : reply.error().code;
  }

  static std::size_t lines_in_maps(const std::string& text) {
    std::ifstream maps("/proc/self/maps");
    std::size_t found = 0;
    for (std::string line; std::getline(maps, line);) found += line.find(text) != line.npos;
    return found;
  }

  static std::set<std::string> thread_names() {
    std::set<std::string> names;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::ifstream file(task.path() / "comm");
      std::string name;
      if (std::getline(file, name)) names.insert(name);
    }
    return names;
  }

  static std::size_t timers() {
    std::size_t found = 0;
    std::error_code closed_meanwhile;
    for (const auto& open : std::filesystem::directory_iterator("/proc/self/fd")) {
      const auto what = std::filesystem::read_symlink(open, closed_meanwhile).string();
      found += what.find("timerfd") != what.npos;
    }
    return found;
  }

  temporary_directory folder_;
  std::string config_ = "{}";
  host::nats_server server_;
  connection bus_{{.url = server_.url(), .name = "host"}};
  connection client_{{.url = server_.url(), .name = "client"}};
};

TEST_F(PluginManager, LoadsWhatIsInTheFolderAndServesItsVerbs) {
  drop(HELLO_PLUGIN, "libhello.so");
  const auto plugins = manager();
  plugins->load_all();

  ASSERT_EQ(plugins->list().size(), 1u);
  EXPECT_EQ(plugins->list()[0].id, "hello");
  EXPECT_EQ(plugins->list()[0].state, "running");
  EXPECT_THAT(plugins->list()[0].verbs, testing::ElementsAre("hello"));
  EXPECT_THAT(hello(), HasSubstr("Hello, ann! 0 songs in 0 minutes"));
}

TEST_F(PluginManager, UnloadLeavesNothingOfTheLibraryMapped) {
  drop(HELLO_PLUGIN, "libhello.so");
  const auto plugins = manager();
  ASSERT_TRUE(plugins->load("hello"));
  EXPECT_GT(lines_in_maps("libhello"), 0u);

  const auto unloaded = plugins->unload("hello");
  ASSERT_TRUE(unloaded) << unloaded.error().message;
  EXPECT_EQ(*unloaded, "Unloaded hello 1.0.0");
  EXPECT_EQ(lines_in_maps("libhello"), 0u);
  EXPECT_EQ(hello(), "no_responders");
  EXPECT_FALSE(plugins->verbs()->at("hello").loaded);
  EXPECT_THAT(plugins->list(), IsEmpty());

  ASSERT_TRUE(plugins->load("libhello.so")) << "by its file's name, and a second time";
  EXPECT_THAT(hello(), HasSubstr("Hello, ann!"));
}

// Threads, timers (Asio's live on a timerfd), subscriptions: of hello, which has one of each.
TEST_F(PluginManager, UnloadLeavesNoThreadTimerOrSubscription) {
  drop(HELLO_PLUGIN, "libhello.so");
  const auto plugins = manager();
  const std::set<std::string> threads_before = thread_names();
  const std::size_t timers_before = timers();
  ASSERT_TRUE(plugins->load("hello"));
  EXPECT_THAT(thread_names(), testing::Contains(testing::StartsWith("hello#")));
  EXPECT_GT(timers(), timers_before);

  ASSERT_TRUE(plugins->unload("hello"));
  EXPECT_EQ(thread_names(), threads_before);
  EXPECT_EQ(timers(), timers_before);
  ASSERT_TRUE(bus_.flush(patience));  // the server knows what was ended
  for (const char* subject : {hello_subject, "playlist.item.added"}) {
    EXPECT_EQ(client_.request(subject, "{}", patience).error().code, "no_responders") << subject;
  }
}

TEST_F(PluginManager, FollowsARenamedFileWithoutAPause) {
  drop(HELLO_PLUGIN, "libhello.so");
  const auto plugins = manager();
  ASSERT_TRUE(plugins->load("hello"));
  const auto shadows = lines_in_maps("libhello.1.so");
  std::filesystem::rename(folder_.path() / "libhello.so", folder_.path() / "libhello-2.so");
  plugins->follow(folder_.path() / "libhello.so");
  plugins->follow(folder_.path() / "libhello-2.so");
  ASSERT_EQ(plugins->list().size(), 1u);
  EXPECT_EQ(plugins->list()[0].file.filename(), "libhello-2.so");
  EXPECT_EQ(lines_in_maps("libhello.1.so"), shadows) << "the same instance";
  EXPECT_TRUE(plugins->reload("hello")) << "from the new name";
}

TEST_F(PluginManager, SwapsUnderLoadWithoutLosingACommand) {
  drop(HELLO_PLUGIN, "libhello.so");
  const auto plugins = manager();
  ASSERT_TRUE(plugins->load("hello"));

  std::atomic<bool> enough = false;
  std::atomic<int> answered = 0;
  std::atomic<int> lost = 0;
  std::thread load([&] {
    while (!enough) ++(hello().find("Hello, ann!") == std::string::npos ? lost : answered);
  });
  for (int swap = 0; swap < 50; ++swap) {
    const auto reloaded = plugins->reload("hello");
    EXPECT_TRUE(reloaded) << reloaded.error().message;
  }
  enough = true;
  load.join();
  EXPECT_EQ(lost, 0);
  EXPECT_GT(answered, 50);
  ASSERT_TRUE(plugins->unload("hello"));
  EXPECT_EQ(lines_in_maps("libhello"), 0u);
}

TEST_F(PluginManager, HandsOverTheConfigurationAndReadsItAgainOnReload) {
  drop(HELLO_PLUGIN, "libhello.so");
  config_ = R"({"greeting": "Salut"})";
  const auto plugins = manager();
  ASSERT_TRUE(plugins->load("hello"));
  EXPECT_THAT(hello(), HasSubstr("Salut, ann!"));

  config_ = R"({"greeting": "Moin"})";
  ASSERT_TRUE(plugins->reload("hello"));
  EXPECT_THAT(hello(), HasSubstr("Moin, ann!"));

  config_ = R"({"greeting": 7})";
  const auto refused = plugins->reload("hello");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "hello 1.0.0: 'greeting' must be a string; hello 1.0.0 keeps running");
  EXPECT_THAT(hello(), HasSubstr("Moin, ann!"));
}

TEST_F(PluginManager, TellsWhatIsWrongWithAName) {
  drop(HELLO_PLUGIN, "libhello.so");
  drop(HELLO_PLUGIN, "libtwin.so");
  const auto plugins = manager();
  ASSERT_TRUE(plugins->load("hello"));
  EXPECT_THAT(plugins->load("hello").error().message, HasSubstr("is loaded already"));
  EXPECT_THAT(plugins->load("twin").error().message,
              HasSubstr("the plugin 'hello' is loaded already, from"));
  EXPECT_THAT(plugins->load("nobody").error().message, HasSubstr("There is no plugin 'nobody' in"));
  EXPECT_EQ(plugins->unload("nobody").error().message, "The plugin 'nobody' is not loaded");
  EXPECT_EQ(plugins->reload("nobody").error().message, "The plugin 'nobody' is not loaded");
}

TEST_F(PluginManager, KeepsTheOldOneWhenTheNewFileIsNoPlugin) {
  drop(HELLO_PLUGIN, "libhello.so");
  const auto plugins = manager();
  ASSERT_TRUE(plugins->load("hello"));
  // In place, as a compiler writes it: the running plugin has a copy of its own.
  std::ofstream(folder_.path() / "libhello.so", std::ios::trunc) << "half-written";
  const auto refused = plugins->reload("hello");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("is not a loadable library"));
  EXPECT_THAT(refused.error().message, HasSubstr("hello 1.0.0 keeps running"));
  EXPECT_THAT(hello(), HasSubstr("Hello, ann!"));
  EXPECT_THAT(plugins->list()[0].state, HasSubstr("; the newest build was refused: "));

  drop(HELLO_PLUGIN, "libhello.so");
  plugins->follow(folder_.path() / "libhello.so");
  EXPECT_EQ(plugins->list()[0].state, "running") << "what the file holds now is what runs";
}

TEST_F(PluginManager, RefusesAFolderThatDoesNotExist) {
  try {
    const plugin_manager made(bus_, {folder_.path() / "nowhere", {}});
    FAIL();
  } catch (const std::runtime_error& failure) {
    EXPECT_THAT(failure.what(), HasSubstr("nowhere' does not exist"));
  }
}

}  // namespace
}  // namespace rosey::tests
