// The installed package, used as a stranger would: by the commands of the page for plugin authors,
// in an empty folder, against nothing but what was installed; what comes of it is loaded into the
// real bot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>

#include "integration/support/bot.hpp"
#include "integration/support/process.hpp"
#include "temporary_directory.hpp"

namespace rosey::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in) << file;
  return {std::istreambuf_iterator<char>(in), {}};
}

struct block {
  std::string kind;  // "run": shell commands; "listing": a file's text
  std::string name;
  std::string text;
};

// The code blocks of the page for plugin authors that a comment in front of them marks:
// <!-- kind: name -->
std::vector<block> blocks_of_the_page() {
  const std::string page = content_of(SOURCE_DIR "/docs/plugin-authors.md");
  static const std::regex marked("<!-- (run|listing): (\\S+) -->\n```[a-z]+\n([^]*?)```");
  std::vector<block> blocks;
  for (std::sregex_iterator at(page.begin(), page.end(), marked), end; at != end; ++at) {
    blocks.push_back({(*at)[1], (*at)[2], (*at)[3]});
  }
  return blocks;
}

class Package : public testing::Test {
 protected:
  Package() { std::filesystem::create_symlink(BUILD_FOLDER, folder_.path() / "build"); }

  // What a shell says to the commands; it is at home in the folder, builds with the compilers of
  // this build, and its sanitizers: host and plugin must be built alike. All paths are relative to
  // the folder, so that a second run finds the first one's work in ccache.
  finished shell(const std::string& commands) const {
    const std::string at = folder_.path().string();
    return run({"/usr/bin/env", "HOME=" + at, "CC=" C_COMPILER, "CXX=" CXX_COMPILER,
                "CMAKE_GENERATOR=" GENERATOR, "CMAKE_CXX_COMPILER_LAUNCHER=" CCACHE,
                "CCACHE_BASEDIR=" + at, "CCACHE_NOHASHDIR=1", "CCACHE_DIR=" + ccache_folder(),
                "/bin/sh", "-c", "exec 2>&1; set -e\n" + commands},
               folder_.path(), {}, std::chrono::seconds(280));  // compilers take their time
  }

  // Fails the test with all that they said if they fail.
  std::string run_all(const std::string& commands) const {
    const finished ended = shell(commands);
    EXPECT_EQ(ended.status, 0) << commands << "\n" << ended.output;
    return ended.output;
  }

  // Exactly this one, and so no unique symbol, which would keep the library from being unloaded.
  void expect_only_the_entry(const std::string& plugin) const {
    EXPECT_THAT(run_all("nm -D --defined-only " + plugin),
                testing::MatchesRegex("[0-9a-f]+ T rosey_plugin_query_v1\n"))
        << plugin;
  }

  std::string page(const std::string& name) const {
    for (const block& found : blocks_of_the_page()) {
      if (found.kind == "run" && found.name == name) return found.text;
    }
    ADD_FAILURE() << "the page has no commands called " << name;
    return {};
  }

  // What a bot with this plugin answers to each line; then the plugin is unloaded.
  std::vector<std::string> ask_with(const std::string& plugin,
                                    const std::vector<std::string>& lines) const {
    const std::filesystem::path file = folder_.path() / plugin;
    const bot_folder bot;
    std::filesystem::copy_file(file, bot.plugins() / file.filename());
    running_bot running(bot);
    std::vector<std::string> answers;
    for (const std::string& line : lines) answers.push_back(running.say(line));
    const std::string id = file.stem().string().substr(3);
    EXPECT_THAT(running.say("!plugin unload " + id), testing::StartsWith("🔌 Unloaded " + id));
    EXPECT_EQ(running.finish(), 0);
    return answers;
  }

  // What the installed bot answers in the folder that the page makes for it.
  std::string ask_installed_bot(const std::string& lines) const {
    const auto home = folder_.path();
    const finished bot = run({(home / "rosey/bin/rosey").string(), "run"}, home / "bot", lines);
    EXPECT_EQ(bot.status, 0) << bot.log;
    return bot.output;
  }

  temporary_directory folder_;

 private:
  // HOME is another one here.
  static std::string ccache_folder() {
    if (const char* set = std::getenv("CCACHE_DIR")) return set;
    const char* home = std::getenv("HOME");
    return std::string(home ? home : "/tmp") + "/.cache/ccache";
  }
};

TEST_F(Package, BuildsTheHelloExampleByTheCommandsOfThePage) {
  // Optimised, since that is when GCC makes other symbols than the tests' own builds have.
  run_all(page("install") + "export CXXFLAGS=\"$CXXFLAGS -O2\"\n" + page("hello"));
  expect_only_the_entry("hello/build/libhello.so");
  EXPECT_THAT(ask_with("hello/build/libhello.so", {"!hello"}),
              ElementsAre("Hello, you! 0 songs in 0 minutes"));
  run_all(page("bot") + page("drop"));
  EXPECT_EQ(ask_installed_bot("!hello\n"), "Moin, you! 0 songs in 0 minutes\n");
}

TEST_F(Package, BuildsAPluginWithTablesByTheCommandsOfThePage) {
  run_all(page("install") + page("bot") + page("tables"));
  EXPECT_EQ(ask_installed_bot("!quote\n!quote Well, hello\n!quote\n"),
            "Nothing was said here yet\nQuote #1 is kept\n“Well, hello”, kept by you\n");
}

TEST_F(Package, BuildsTheEchoExampleByTheCommandsOfThePage) {
  run_all(page("install") + page("echo"));
  EXPECT_THAT(ask_with("libecho.so", {"!echo", R"(!echo "quoted" \ and ünicode)"}),
              ElementsAre("❌ Usage: !echo <text>", R"("quoted" \ and ünicode)"));
}

// Nothing in what was installed may know where it was put first; without C++ neither a compiler
// for it nor Boost is looked for.
TEST_F(Package, CanBeMovedAndServesAProjectThatKnowsOnlyC) {
  run_all(
      "cmake --install build --component plugin_api --prefix ~/staged; mv staged moved\n"
      "cmake -S '" SOURCE_DIR
      "/plugin_api/examples/echo' -B made -DCMAKE_PREFIX_PATH=~/moved"
      " -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON\n"
      "cmake --build made");
  EXPECT_THAT(ask_with("made/libecho.so", {"!echo again"}), ElementsAre("again"));
}

TEST_F(Package, BuildsACppPluginThroughPkgConfig) {
  run_all("cmake --install build --component plugin_api --prefix ~/rosey");
  std::filesystem::copy_file(SOURCE_DIR "/plugin_api/examples/hello/hello.cpp",
                             folder_.path() / "hello.cpp");
  const std::string package =
      "export PKG_CONFIG_PATH=~/rosey/share/pkgconfig\n"
      "of() { pkg-config \"$@\" rosey-plugin-sdk; }\n"
      "flags=$(of --variable=plugin_cxxflags)\n"
      // Clang does not know the flag against unique symbols, nor the symbols.
      "case $CXX in *clang*) flags=${flags%-fno-gnu-unique};; esac\n";
  run_all(package +
          "$CMAKE_CXX_COMPILER_LAUNCHER $CXX -std=c++20 $CXXFLAGS $(of --cflags) $flags"
          " -c hello.cpp -o hello.o");
  run_all(package +
          "$CXX $CXXFLAGS hello.o -o libhello.so $(of --variable=plugin_ldflags) $(of --libs)");
  expect_only_the_entry("libhello.so");
  EXPECT_THAT(ask_with("libhello.so", {"!hello"}), ElementsAre("Hello, you! 0 songs in 0 minutes"));
}

TEST_F(Package, PluginsOfThisBuildExportNothingButTheirEntry) {
  for (const char* plugin : {PLAYLIST_PLUGIN, HELLO_PLUGIN, NOTES_PLUGIN}) {
    expect_only_the_entry(plugin);
  }
}

TEST_F(Package, PutsMigrationsBesideTheLibrary) {
  run_all("cmake --install build --component plugin_api --prefix ~/rosey; mkdir -p mine/sql/echo");
  std::ofstream(folder_.path() / "mine/CMakeLists.txt")
      << "cmake_minimum_required(VERSION 3.25)\nproject(mine LANGUAGES C)\n"
         "find_package(RoseyPluginApi 1.0 REQUIRED)\n"
         "rosey_add_plugin(mine SOURCES " SOURCE_DIR
         "/plugin_api/examples/echo/echo.c MIGRATIONS sql/echo/)\n"
         "set_target_properties(mine PROPERTIES LIBRARY_OUTPUT_DIRECTORY "
         "${CMAKE_BINARY_DIR}/out)\n";
  const auto file = [this](const std::string& name) {
    return std::ofstream(folder_.path() / "mine/sql/echo" / name);
  };
  file("001_a.sql") << "-- UP";
  file("002_b.sql") << "-- UP";
  run_all("cmake -S mine -B made -DCMAKE_PREFIX_PATH=~/rosey; cmake --build made");
  EXPECT_EQ(run_all("cd made/out; ls . migrations/echo"),
            ".:\nlibmine.so\nmigrations\n\nmigrations/echo:\n001_a.sql\n002_b.sql\n");
  file("001_a.sql") << "-- UP, edited";
  std::filesystem::remove(folder_.path() / "mine/sql/echo/002_b.sql");
  run_all("cmake --build made");
  EXPECT_EQ(run_all("cd made/out/migrations/echo; ls; cat *"), "001_a.sql\n-- UP, edited");
}

TEST_F(Package, NamesWhatIsMissing) {
  run_all("cmake --install build --component plugin_api --prefix ~/rosey; mkdir mine");
  const auto refusal = [&](const std::string& project, const std::string& options = {}) {
    std::ofstream(folder_.path() / "mine/CMakeLists.txt")
        << "cmake_minimum_required(VERSION 3.25)\n" + project;
    return shell("cmake -S mine -B made --fresh -DCMAKE_PREFIX_PATH=~/rosey" + options).output;
  };
  EXPECT_THAT(refusal("project(mine LANGUAGES CXX)\nfind_package(RoseyPluginApi 1.0 REQUIRED)\n",
                      " -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON"),
              HasSubstr("apt-get install libboost-json1.81-dev"));
  EXPECT_THAT(refusal("project(mine LANGUAGES C)\nfind_package(RoseyPluginApi 1.0 REQUIRED)\n"
                      "rosey_add_plugin(mine SOURCES mine.cpp)\n"),
              HasSubstr("mine.cpp needs C++"));
  EXPECT_THAT(refusal("project(mine LANGUAGES C)\nfind_package(RoseyPluginApi 2.0 REQUIRED)\n"),
              HasSubstr("compatible with requested version \"2.0\""));
}

// It would compile, and end the bot.
TEST_F(Package, ChecksTheCoroutinesOfAPlugin) {
  run_all("cmake --install build --component plugin_api --prefix ~/rosey; mkdir 'my plugin'");
  const std::filesystem::path at = folder_.path() / "my plugin";
  std::ofstream(at / "CMakeLists.txt") << "cmake_minimum_required(VERSION 3.25)\n"
                                          "project(mine LANGUAGES CXX)\n"
                                          "find_package(RoseyPluginApi 1.0 REQUIRED)\n"
                                          "rosey_add_plugin(mine SOURCES mine.cpp)\n";
  std::ofstream(at / "mine.cpp") << "#include \"mine.hpp\"\n";
  std::ofstream(at / "mine.hpp") << "inline void start(int n) {\n"
                                    "  spawn([n]() -> awaitable<void> { co_await f(n); }());\n"
                                    "}\n";
  const finished built = shell(
      "cmake -S 'my plugin' -B made -DCMAKE_PREFIX_PATH=~/rosey\n"
      "cmake --build made");
  EXPECT_NE(built.status, 0);
  EXPECT_THAT(built.output, HasSubstr("my plugin/mine.hpp:2: error: this lambda ends before its "
                                      "coroutine"));
}

TEST_F(Package, InstallsABotThatRunsItsPlaylist) {
  run_all(page("install"));
  const std::string at = (folder_.path() / "rosey").string();
  std::ofstream(folder_.path() / "rosey.json")
      << R"({"plugins": {"directory": ")" << at << R"(/lib/rosey/plugins"}, "storage": )"
      << R"({"migrations": ")" << at << R"(/share/rosey/migrations"}})";
  const finished bot = run({at + "/bin/rosey", "run"}, folder_.path(), "!queue\n");
  EXPECT_EQ(bot.status, 0) << bot.log;
  EXPECT_EQ(bot.output, "📺 Queue is empty\n") << bot.log;
}

TEST(PageForPluginAuthors, ListsTheExamplesAsTheyAre) {
  int listings = 0;
  for (const block& found : blocks_of_the_page()) {
    if (found.kind != "listing") continue;
    ++listings;
    EXPECT_EQ(found.text, content_of(std::filesystem::path(SOURCE_DIR) / found.name));
  }
  EXPECT_EQ(listings, 6);
}

// Its listing is part of the build; the others are built above.
TEST_F(Package, BuildsTheNotesExampleThatUsesStorage) {
  std::filesystem::copy_file(NOTES_PLUGIN, folder_.path() / "libnotes.so");
  EXPECT_THAT(ask_with("libnotes.so", {"!note", "!note buy \"milk\"", "!note"}),
              ElementsAre("There is no note", "Noted", "Note: buy \"milk\""));
}

}  // namespace
}  // namespace rosey::tests
