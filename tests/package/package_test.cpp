// The installed package, used as a stranger would: the examples are copied into an empty folder,
// built against nothing but what was installed, and loaded into the real bot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "integration/support/bot.hpp"
#include "integration/support/process.hpp"
#include "temporary_directory.hpp"

namespace rosey::tests {
namespace {

using testing::HasSubstr;

constexpr char examples[] = SOURCE_DIR "/plugin_api/examples";

class Package : public testing::Test {
 protected:
  // Runs a command in the folder; fails the test with all that it said if it fails.
  std::string sh(const std::string& command) {
    const finished ended = run({"/bin/sh", "-c", "{ " + command + "; } 2>&1"}, folder_.path());
    EXPECT_EQ(ended.status, 0) << command << "\n" << ended.output;
    return ended.output;
  }

  // Installs, and moves what was installed: nothing in it may know where it was put first.
  void install(const std::string& component) {
    sh("'" CMAKE "' --install '" BUILD_FOLDER "' --prefix staged " + component);
    std::filesystem::rename(folder_.path() / "staged", prefix());
  }

  void copy_example(const std::string& name) {
    std::filesystem::copy(std::filesystem::path(examples) / name, folder_.path() / name);
  }

  // The compilers of this build, and its sanitizers: host and plugin must be built alike.
  std::string configure(const std::string& name) const {
    return "'" CMAKE "' -G '" GENERATOR "' -S " + name + " -B build -DCMAKE_PREFIX_PATH='" +
           prefix().string() +
           "' -DCMAKE_C_COMPILER='" C_COMPILER "' -DCMAKE_CXX_COMPILER='" CXX_COMPILER
           "' -DCMAKE_C_FLAGS='" SANITIZER "' -DCMAKE_CXX_FLAGS='" SANITIZER
           "' -DCMAKE_CXX_COMPILER_LAUNCHER='" CCACHE "'";
  }

  // A second run finds the first one's work in ccache: all paths are relative to the folder.
  std::string build() const {
    return "CCACHE_BASEDIR='" + folder_.path().string() +
           "' CCACHE_NOHASHDIR=1 '" CMAKE "' --build build";
  }

  // What a bot with this plugin answers to a line.
  std::string ask_with(const std::filesystem::path& plugin, const std::string& line) {
    const bot_folder bot;
    std::filesystem::copy_file(folder_.path() / plugin, bot.plugins() / plugin.filename());
    running_bot running(bot);
    std::string answer = running.say(line);
    EXPECT_EQ(running.say("!plugin unload " + line.substr(1, line.find(' ') - 1)).find("🔌"), 0u)
        << "it can be unloaded";
    EXPECT_EQ(running.finish(), 0);
    return answer;
  }

  std::filesystem::path prefix() const { return folder_.path() / "moved"; }

  temporary_directory folder_;
};

TEST_F(Package, BuildsTheHelloExampleInAnEmptyFolder) {
  install("--component plugin_api");
  copy_example("hello");
  sh(configure("hello") + " && " + build());
  EXPECT_EQ(ask_with("build/libhello.so", "!hello"), "Hello, you! 0 songs in 0 minutes");
}

TEST_F(Package, BuildsTheEchoExampleInAProjectThatKnowsOnlyC) {
  install("--component plugin_api");
  copy_example("echo");
  // No C++ compiler, no Boost: neither is looked for.
  sh(configure("echo") + " -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON && " + build());
  EXPECT_EQ(ask_with("build/libecho.so", R"(!echo "quoted" \ and ünicode)"),
            R"("quoted" \ and ünicode)");
}

TEST_F(Package, BuildsTheEchoExampleWithACompilerAndPkgConfig) {
  install("--component plugin_api");
  copy_example("echo");
  sh("export PKG_CONFIG_PATH='" + prefix().string() +
     "/" DATA_FOLDER
     "/pkgconfig';"
     "of() { pkg-config \"$@\" rosey-plugin-api; };"
     "'" C_COMPILER "' -std=c11 -Wall -Wextra -Wpedantic -Werror " SANITIZER
     " $(of --cflags) $(of --variable=plugin_cflags) echo/echo.c -o libecho.so"
     " $(of --variable=plugin_ldflags) $(of --libs)");
  EXPECT_EQ(ask_with("libecho.so", "!echo"), "❌ Usage: !echo <text>");
}

TEST_F(Package, GivesACppCompilerItsFlagsThroughPkgConfig) {
  install("--component plugin_api");
  const std::string flags =
      sh("PKG_CONFIG_PATH='" + prefix().string() +
         "/" DATA_FOLDER "/pkgconfig' pkg-config --cflags --libs rosey-plugin-sdk");
  EXPECT_THAT(flags, HasSubstr("/" INCLUDE_FOLDER " "));
  EXPECT_THAT(flags, HasSubstr("-lboost_json"));
  EXPECT_THAT(flags, HasSubstr("-lnats"));
}

TEST_F(Package, NamesWhatIsMissing) {
  install("--component plugin_api");
  copy_example("hello");
  const auto refused = [&](const std::string& options) {
    return run({"/bin/sh", "-c", configure("hello") + options + " 2>&1"}, folder_.path()).output;
  };
  EXPECT_THAT(refused(" -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON"),
              HasSubstr("apt-get install libboost-json1.81-dev"));
  std::ofstream(folder_.path() / "hello" / "CMakeLists.txt")
      << "cmake_minimum_required(VERSION 3.25)\nproject(hello LANGUAGES C)\n"
         "find_package(RoseyPluginApi 1.0 REQUIRED)\nrosey_add_plugin(hello SOURCES hello.cpp)\n";
  EXPECT_THAT(refused(" --fresh"), HasSubstr("hello.cpp needs C++"));
  std::ofstream(folder_.path() / "hello" / "CMakeLists.txt")
      << "cmake_minimum_required(VERSION 3.25)\nproject(hello LANGUAGES C)\n"
         "find_package(RoseyPluginApi 2.0 REQUIRED)\n";
  EXPECT_THAT(refused(" --fresh"), HasSubstr("compatible with requested version \"2.0\""));
}

TEST_F(Package, InstallsABotThatFindsItsPluginsAndMigrations) {
  install("");
  const std::string at = prefix().string() + "/";
  std::ofstream(folder_.path() / "rosey.json")
      << R"({"plugins": {"directory": ")" << at << LIBRARY_FOLDER "/rosey/plugins"
      << R"("}, "storage": {"migrations": ")" << at << DATA_FOLDER "/rosey/migrations"
      << "\"}}";
  const finished bot = run({at + BINARY_FOLDER "/rosey", "run"}, folder_.path(), "!queue\n");
  EXPECT_EQ(bot.status, 0) << bot.log;
  EXPECT_EQ(bot.output, "📺 Queue is empty\n") << bot.log;
}

}  // namespace
}  // namespace rosey::tests
