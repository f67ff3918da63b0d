// The check that rosey_add_plugin runs finds what ends the bot, line by line, and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>

#include <fstream>
#include <set>
#include <string>
#include <utility>

namespace rosey::sdk {
namespace {

using found_faults = std::set<std::pair<int, std::string>>;  // line, name

// The names that harmful.cpp has for the sentences.
std::string name_of(const std::string& sentence) {
  if (sentence.find("'?:'") != std::string::npos) return "conditional";
  if (sentence.find("braces") != std::string::npos) return "braces";
  if (sentence.find("has captured twice") != std::string::npos) return "captures";
  return "called";
}

struct outcome {
  int status = -1;
  found_faults faults;
};

// What the check says of a source, and of `in`, which may be a header of it.
outcome check(const std::string& source, const std::string& in, const char* gcc12) {
  const std::string folder = SDK_TESTS "/coroutines/";
  const std::string command = "'" COROUTINE_AWK "' -v gcc12=" + std::string(gcc12) +
                              " -f '" COROUTINE_CHECK "' '" + folder + source + "' 2>&1";
  outcome said;
  FILE* const pipe = ::popen(command.c_str(), "r");
  char line[1000];
  while (::fgets(line, sizeof line, pipe)) {
    const std::string text = line;
    const std::string begin = folder + in + ":";
    if (!text.starts_with(begin)) continue;
    said.faults.emplace(std::stoi(text.substr(begin.size())), name_of(text));
  }
  said.status = ::pclose(pipe);
  return said;
}

found_faults marked_in(const std::string& source) {
  found_faults marked;
  std::ifstream in(SDK_TESTS "/coroutines/" + source);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const auto at = line.rfind("  // ");
    if (at != std::string::npos && at > 0) marked.emplace(number, line.substr(at + 5));
  }
  return marked;
}

TEST(CoroutineCheck, FindsWhatIsMiscompiled) {
  ASSERT_GT(marked_in("harmful.cpp").size(), 10u);
  const outcome said = check("harmful.cpp", "harmful.cpp", "1");
  EXPECT_NE(said.status, 0);
  EXPECT_EQ(said.faults, marked_in("harmful.cpp"));
}

TEST(CoroutineCheck, ReadsTheHeadersBesideASource) {
  EXPECT_EQ(check("harmful.cpp", "harmful.hpp", "1").faults, marked_in("harmful.hpp"));
}

TEST(CoroutineCheck, FindsInOtherCompilersSourcesWhatTheLanguageForbids) {
  for (const auto& [line, name] : check("harmful.cpp", "harmful.cpp", "0").faults) {
    EXPECT_EQ(name, "called") << line;
  }
  EXPECT_EQ(check("harmful.cpp", "harmful.cpp", "0").faults.size(), 2u);
}

TEST(CoroutineCheck, LetsPassWhatDoesNoHarm) {
  const outcome said = check("harmless.cpp", "harmless.cpp", "1");
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.faults, found_faults());
}

}  // namespace
}  // namespace rosey::sdk
