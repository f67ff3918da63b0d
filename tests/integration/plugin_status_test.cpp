// What the list says of each instance and of each file that was refused; names; and files that are
// taken when what stood in their way is gone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include "host_stub/chat/command_router.hpp"
#include "host_stub/plugins/admin.hpp"
#include "integration/support/hostile_host.hpp"

namespace rosey::tests {
namespace {

using host::plugin_phase;
using host::plugin_status;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PluginStatus : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& name) const { return host_.folder.path() / name; }
  void put(const std::string& way, const std::string& name) const {
    std::filesystem::copy_file(std::string(HOSTILE_PLUGINS) + "/lib" + way + ".so", file(name));
  }
  // "id version - state", as the chat shows it.
  std::vector<std::string> list() const {
    std::vector<std::string> lines;
    for (const plugin_status& each : host_.plugins.list()) {
      lines.push_back(each.id + " " + each.version + " - " + each.state);
    }
    return lines;
  }

  // The list as soon as it is the wanted one, or what it is when the change is over.
  template <class Wanted>
  std::vector<std::string> list_until(const std::future<result<std::string>>& change,
                                      Wanted wanted) const {
    for (;;) {
      const bool is_over = change.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
      std::vector<std::string> now = list();
      if (wanted(now) || is_over) return now;
      std::this_thread::yield();
    }
  }

  hostile_host host_{"behaves"};
};

constexpr char hello_runs[] = "hello 1.0.0 - running";
constexpr char hostile_runs[] = "hostile 1.0.0 - running";

TEST_F(PluginStatus, NamesAFileThatWasRefusedUntilItIsGone) {
  host_.install("fails_in_create");
  EXPECT_FALSE(host_.plugins.load("hostile"));
  std::ofstream(file("libtext.so")) << "no library";
  host_.plugins.follow(file("libtext.so"));
  EXPECT_THAT(list(),
              ElementsAre(hello_runs, "hostile 1.0.0 - refused: create failed: no instance today",
                          HasSubstr("text  - refused: " + file("libtext.so").string() +
                                    ": is not a loadable library")));
  EXPECT_THAT(host_.plugins.unload("hostile").error().message,
              HasSubstr("'hostile' is not loaded; it was refused: hostile 1.0.0: create failed"));
  std::filesystem::remove(file("libtext.so"));
  host_.plugins.follow(file("libtext.so"));
  host_.install("behaves");
  host_.plugins.follow(file("libhostile.so"));
  EXPECT_THAT(list(), ElementsAre(hello_runs, hostile_runs));
}

TEST_F(PluginStatus, ShowsAnInstanceOnItsWayUp) {
  host_.install("starts_slowly");
  auto loading = std::async(std::launch::async, [&] { return host_.plugins.load("hostile"); });
  std::vector<std::string> seen =
      list_until(loading, [](const auto& now) { return now.size() == 2; });
  EXPECT_THAT(seen, ElementsAre(hello_runs, "hostile 1.0.0 - starting"));
  EXPECT_TRUE(loading.get());
  EXPECT_THAT(list(), ElementsAre(hello_runs, hostile_runs));
  auto reloading = std::async(std::launch::async, [&] { return host_.plugins.reload("hostile"); });
  seen = list_until(reloading, [](const auto& now) { return now.size() == 3; });
  EXPECT_THAT(seen, ElementsAre(hello_runs, hostile_runs, "hostile 1.0.0 - starting"));
  EXPECT_TRUE(reloading.get());
}

TEST_F(PluginStatus, ShowsTheOldInstanceBesideTheNewOne) {
  host_.install("stops_slowly");
  ASSERT_TRUE(host_.plugins.load("hostile"));
  host_.install("behaves");
  auto reloading = std::async(std::launch::async, [&] { return host_.plugins.reload("hostile"); });
  const std::string stopping = "hostile 1.0.0 - stopping";
  const std::vector<std::string> seen =
      list_until(reloading, [&](const auto& now) { return now.size() == 3 && now[2] == stopping; });
  EXPECT_THAT(seen, ElementsAre(hello_runs, hostile_runs, stopping));
  EXPECT_TRUE(reloading.get());
  EXPECT_THAT(list(), ElementsAre(hello_runs, hostile_runs));
}

TEST_F(PluginStatus, GivesALoadedPluginNoStateOfItsTwin) {
  ASSERT_TRUE(host_.plugins.load("hostile"));
  put("behaves", "libtwin.so");
  host_.plugins.follow(file("libtwin.so"));
  EXPECT_THAT(list(),
              ElementsAre(hello_runs, hostile_runs,
                          HasSubstr("hostile 1.0.0 - refused: " + file("libtwin.so").string() +
                                    ": the plugin 'hostile' is loaded already")));
  EXPECT_TRUE(host_.plugins.unload("hostile"));
  EXPECT_THAT(list(), ElementsAre(hello_runs)) << "nothing stands in its way any more";
}

TEST_F(PluginStatus, BringsInTheOtherFileWhenTheLoadedOneIsDeleted) {
  ASSERT_TRUE(host_.plugins.load("hostile"));
  put("starts_slowly", "libtwin.so");
  host_.plugins.follow(file("libtwin.so"));
  std::filesystem::remove(file("libhostile.so"));
  host_.plugins.follow(file("libhostile.so"));
  EXPECT_THAT(list(), ElementsAre(hello_runs, hostile_runs));
  EXPECT_EQ(host_.plugins.list()[1].file, file("libtwin.so"));
  EXPECT_THAT(host_.act(), HasSubstr("still here"));
}

TEST_F(PluginStatus, TakesWhatIsRefusedWhenItsHelperComes) {
  put("needs_a_helper", "libneedy.so");
  host_.plugins.follow(file("libneedy.so"));
  EXPECT_THAT(host_.log(), HasSubstr("libhelper.so: cannot open shared object file"));
  EXPECT_THAT(list(), ElementsAre(hello_runs, HasSubstr("needy  - refused: ")));
  put("helper", "libhelper.so");
  host_.plugins.follow(file("libhelper.so"));
  EXPECT_THAT(list(), ElementsAre(hello_runs, hostile_runs)) << "the helper is no error";
  EXPECT_THAT(host_.act(), HasSubstr("still here"));
  EXPECT_TRUE(host_.plugins.reload("hostile"));
  EXPECT_TRUE(host_.plugins.unload("hostile"));
}

TEST_F(PluginStatus, WarnsOfAHelperThatIsLoadedInAnotherBuild) {
  put("needs_a_helper", "libneedy.so");
  put("helper", "libhelper.so");
  ASSERT_TRUE(host_.plugins.load("needy"));
  EXPECT_TRUE(host_.plugins.reload("hostile"));
  EXPECT_THAT(host_.log(), testing::Not(HasSubstr("another build"))) << "it is the same";
  std::ofstream(file("libhelper.so"), std::ios::app) << "changed";
  EXPECT_TRUE(host_.plugins.reload("hostile"));
  EXPECT_THAT(host_.log(), HasSubstr("needs another build of libhelper.so than the one that is"));
  const auto before = host_.log().size();
  EXPECT_TRUE(host_.plugins.unload("hostile"));
  EXPECT_TRUE(host_.plugins.load("needy"));
  EXPECT_THAT(host_.log().substr(before), testing::Not(HasSubstr("another build")));
}

TEST_F(PluginStatus, CountsNoHelperAsAPlugin) {
  put("needs_a_helper", "libneedy.so");
  put("helper", "libhelper.so");
  std::filesystem::remove(file("libhostile.so"));
  const auto report = host_.plugins.load_all();
  EXPECT_EQ(report.found, 2u);
  EXPECT_THAT(report.refused, IsEmpty());
  EXPECT_THAT(list(), ElementsAre(hello_runs, hostile_runs));
}

TEST_F(PluginStatus, TakesANewBuildWhenItsHelperComes) {
  ASSERT_TRUE(host_.plugins.load("hostile"));
  host_.install("needs_a_helper");
  host_.plugins.follow(file("libhostile.so"));
  EXPECT_THAT(list(), ElementsAre(hello_runs, HasSubstr("running; the newest build was refused")));
  put("helper", "libhelper.so");
  host_.plugins.follow(file("libhelper.so"));
  EXPECT_THAT(list(), ElementsAre(hello_runs, hostile_runs));
}

TEST_F(PluginStatus, DoesNotStartABrokenOneAtEveryChange) {
  host_.install("fails_in_create");
  host_.plugins.follow(file("libhostile.so"));
  const auto before = host_.log();
  put("behaves", "libother.so.1");
  host_.plugins.follow(file("libother.so.1"));
  EXPECT_EQ(host_.log(), before);
}

TEST_F(PluginStatus, TakesEveryNameEverywhere) {
  std::filesystem::rename(file("libhostile.so"), file("libhostile-2.so"));
  for (const char* name : {"hostile", "libhostile", "hostile.so", "libhostile.so", "hostile-2",
                           "libhostile-2", "hostile-2.so", "libhostile-2.so"}) {
    const bool is_its_files = std::string_view(name).find("-2") != std::string_view::npos;
    const auto loaded = host_.plugins.load(is_its_files ? name : "hostile");
    EXPECT_TRUE(loaded) << name << loaded.error().message;
    EXPECT_THAT(host_.plugins.load(name).error().message,
                HasSubstr("The plugin 'hostile' is loaded already"));
    EXPECT_TRUE(host_.plugins.reload(name)) << name;
    EXPECT_TRUE(host_.plugins.unload(name)) << name;
  }
  EXPECT_THAT(host_.plugins.load("libnobody.so").error().message, HasSubstr("(libnobody.so)"));
  EXPECT_EQ(host_.plugins.unload("libnobody.so").error().message,
            "The plugin 'libnobody.so' is not loaded");
}

// A command that has one instance stuck is not given to the next one.
TEST(ResentCommand, IsNotSentToTheInstanceThatReplacesAStuckOne) {
  auto& host = *new hostile_host("busy_loop");  // its plugin's thread never ends
  const host::plugin_admin& admin = *new host::plugin_admin(host.bus, host.plugins);
  static_cast<void>(admin);
  ASSERT_TRUE(host.plugins.load("hostile"));
  host::command_router router(host.bus, [&] { return host.plugins.verbs(); },
                              {.attempt_timeout = std::chrono::milliseconds(1500)});
  auto answer = std::async(std::launch::async, [&] {
    return *router.answer({"#lobby", "ann", wire::role::admin, "!act"});
  });
  while (!host.plugins.list()[1].busy) std::this_thread::yield();
  auto reloading = std::async(std::launch::async, [&] { return host.plugins.reload("hostile"); });
  EXPECT_THAT(answer.get(), HasSubstr("'hostile' did not answer in time; another instance of it is "
                                      "stopping"));
  static_cast<void>(reloading.get());
  const auto listed = host.plugins.list();
  ASSERT_EQ(listed.size(), 3u);
  EXPECT_EQ(listed[1].phase, plugin_phase::running);
  EXPECT_FALSE(listed[1].busy) << "the new one";
  EXPECT_EQ(listed[2].phase, plugin_phase::quarantined);
}

}  // namespace
}  // namespace rosey::tests
