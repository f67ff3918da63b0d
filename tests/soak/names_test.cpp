// Names and texts that are made to do harm: each is answered, by what it is worth; no answer and no
// log passes the harm on; what was taken is there after a kill, as it was answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <string>
#include <vector>

#include "rosey/wire/utf8.hpp"
#include "soak/torture.hpp"

namespace rosey::tests {
namespace {

namespace json = boost::json;
using namespace std::string_literals;

std::vector<std::string> hostile_names() {
  std::vector<std::string> names{"a\0b"s,
                                 "\x1b[2J",
                                 "\xc2\x9b"
                                 "2J",
                                 "\xe2\x80\xae"
                                 "evil",
                                 "\xe2\x80\xa8line",
                                 "two\nlines",
                                 "\t",
                                 " ",
                                 "",
                                 "*",
                                 ">",
                                 "a.b.>",
                                 "$SYS.>",
                                 "_INBOX.*",
                                 "'; DROP TABLE playlist_queue; --",
                                 "\" OR 1=1",
                                 "../../etc/passwd",
                                 "%s%n%1000000d",
                                 "{}",
                                 "\\u0000",
                                 "\xef\xbb\xbf",
                                 "\U0001F4FA",
                                 "#lobby\xcd\x8f",
                                 "\xff\xfe",
                                 "\xc3",
                                 "\xed\xa0\x80",
                                 "\xf4\x90\x80\x80"};
  for (const std::size_t size : {255u, 256u, 257u, 60'000u}) names.emplace_back(size, 'n');
  std::string marks = "e";
  for (int i = 0; i < 120; ++i) marks += "\xcc\x81";
  names.push_back(marks);
  return names;
}

// JSON text with exactly these bytes in its strings, valid or not.
std::string quoted(const std::string& bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      text += "\\u00"s + digits[byte >> 4] + digits[byte & 15];
    } else {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
  }
  return text + "\"";
}

// The first place in a text for people that could do harm to them: a control, what changes the
// direction of text, a line end of another alphabet, or what is not UTF-8. "" if there is none.
std::string unclean(std::string_view text) {
  if (!wire::is_valid_utf8(text)) return "not UTF-8";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n') || byte == 0x7f) return "a control at " + std::to_string(i);
    const std::string_view two = text.substr(i, 2), three = text.substr(i, 3);
    if (two >= "\xc2\x80" && two <= "\xc2\x9f") return "a C1 control at " + std::to_string(i);
    if ((three >= "\xe2\x80\xa8" && three <= "\xe2\x80\xae") ||
        (three >= "\xe2\x81\xa6" && three <= "\xe2\x81\xa9")) {
      return "a direction or line end at " + std::to_string(i);
    }
  }
  return {};
}

class HostileNames : public testing::Test {
 protected:
  // The answer, which is a JSON object that says whether it was done.
  json::object ask(const std::string& subject, const std::string& payload) {
    const std::string text = client_.ask(subject, payload);
    boost::system::error_code failure;
    const json::value answer = json::parse(text, failure);  // refuses invalid UTF-8
    EXPECT_FALSE(failure) << payload << " was answered with " << text;
    if (failure || !answer.is_object()) return {{"success", false}, {"code", "malformed"}};
    for (const char* shown : {"message", "error"}) {
      const json::value* words = answer.as_object().if_contains(shown);
      EXPECT_EQ(unclean(words ? words->as_string() : ""), "") << shown << " of " << text;
    }
    return answer.as_object();
  }

  json::object add(const std::string& channel, const std::string& user) {
    return ask(add_subject, "{\"channel\": " + quoted(channel) + ", \"user\": " + quoted(user) +
                                R"(, "args": "yt:dQw4w9WgXcQ"})");
  }

  // The ids of what plays and waits in a channel.
  std::string items(const std::string& channel) {
    const json::object answer =
        ask("service.playlist.get_queue", "{\"channel\": " + quoted(channel) + "}");
    EXPECT_TRUE(answer.at("success").as_bool()) << json::serialize(answer);
    std::string ids(answer.at("current").at("id").as_string());
    for (const json::value& item : answer.at("items").as_array()) {
      ids += " " + std::string(item.at("id").as_string());
    }
    return ids;
  }

  cluster all_{{.playlist = roomy}};
  soak_client client_{all_.url()};
};

TEST_F(HostileNames, AreAnsweredByWhatTheyAreWorth) {
  trials made(1);
  findings found;
  std::map<std::string, int> taken;  // adds, by channel
  while (made.another() && !HasFailure()) {
    for (const std::string& name : hostile_names()) {
      for (const auto& [channel, user] : {std::pair(name, "ann"s), {"#good", name}, {name, name}}) {
        const json::object answer = add(channel, user);
        ++found.commands;
        if (answer.at("success").as_bool()) {
          ++taken[channel];
        } else {
          EXPECT_EQ(answer.at("code"), "bad_request") << quoted(name) << json::serialize(answer);
        }
      }
      ask(add_subject,
          "{\"channel\": \"#good\", \"user\": \"ann\", \"args\": " + quoted(name) + "}");
    }
    all_.drain(std::chrono::milliseconds(0));
    EXPECT_EQ(all_.ended_by_itself(), "");
    std::map<std::string, std::string> before;
    for (const auto& [channel, count] : taken) before[channel] = items(channel);
    for (const auto part : {cluster::storage, cluster::first_host}) {
      EXPECT_EQ(unclean(all_.at(part).log()), "") << all_.at(part).log();
    }
    all_.kill(cluster::first_host);
    all_.kill(cluster::storage);
    all_.start(cluster::storage);
    all_.start(cluster::first_host);
    for (const auto& [channel, count] : taken) {
      const std::string after = items(channel);
      EXPECT_EQ(after, before[channel]) << quoted(channel);
      const auto there = 1 + std::count(after.begin(), after.end(), ' ');
      EXPECT_EQ(there, count) << quoted(channel);
      found.losses += there < count;
      found.doubles += there > count;
    }
    for (auto& [channel, count] : taken) {  // there is room for the next trial
      ask("service.playlist.clear", "{\"channel\": " + quoted(channel) + "}");
      count = 1;  // what plays
    }
  }
  EXPECT_TRUE(taken.contains("*")) << "a name is no subject";
  EXPECT_FALSE(taken.contains("two\nlines"));
  report("names", made, found);
}

}  // namespace
}  // namespace rosey::tests
