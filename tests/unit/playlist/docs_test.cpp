// The examples on the pages about the playlist are true: each is sent, and answered as it says.
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "playlist_plugin/config.hpp"
#include "playlist_plugin/handlers/imports.hpp"
#include "playlist_plugin/service/messages.hpp"
#include "unit/playlist/metadata_site.hpp"

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

// A text that begins with "$" stands for what is not known before: what it was in the reply where
// it came first.
class variables {
 public:
  void learn(const json::value& shown, const json::value& real) {
    if (const json::object* fields = shown.if_object()) {
      for (const auto& field : *fields) {
        const json::value* found =
            real.is_object() ? real.get_object().if_contains(field.key()) : nullptr;
        if (found) learn(field.value(), *found);
      }
    } else if (shown.is_string() && shown.get_string().starts_with("$")) {
      known_.emplace(shown.get_string(), real);
    }
  }
  json::value fill(json::value text) const {
    if (json::object* fields = text.if_object()) {
      for (auto& field : *fields) field.value() = fill(field.value());
    } else if (text.is_string()) {
      const auto known = known_.find(std::string(text.get_string()));
      if (known != known_.end()) return known->second;
    }
    return text;
  }

 private:
  std::map<std::string, json::value> known_;
};

class playlist_api_page : public metadata_test {
 protected:
  playlist_api_page() {
    // Vimeo answers when the page comes to it; nobody else knows anything.
    tell = [](const std::string& target) {
      if (!target.starts_with("/vi")) return answer{.status = 404};
      answer told = song(62, "The New Vimeo Player");
      told.held = true;
      return told;
    };
    json::object metadata = settings({{"deadline_ms", 0}}).at("metadata").as_object();
    here.start({{"metadata", metadata}});
  }

  void run(const block& each) {
    const json::value text = known.fill(each.text);
    if (each.kind == "request") {
      here.events().clear();
      reply = here.ask(each.subject, json::serialize(text));
      here.settle();
    } else if (each.kind == "publish") {
      here.events().clear();
      here.server().deliver({each.subject, "", json::serialize(text)});
      here.settle();
    } else if (each.kind == "reply") {
      known.learn(each.text, reply);
      const json::value filled = known.fill(each.text);
      EXPECT_TRUE(shows(filled, reply)) << filled << "\nis really\n" << reply;
    } else if (each.kind == "event") {
      if (each.subject == "playlist.metadata.fetched") {
        site.release();
        here.until([&] { return was_published(each.subject, text); });
      }
      EXPECT_TRUE(was_published(each.subject, text)) << text << "\nwas not published";
    } else {
      ADD_FAILURE() << "what is a block of kind " << each.kind;
    }
  }

  bool was_published(const std::string& subject, const json::value& text) {
    return std::any_of(here.events().begin(), here.events().end(), [&](const json::object& event) {
      return event.at("event") == json::value(subject) && shows(text, event);
    });
  }

  json::object reply;
  variables known;
};

TEST_F(playlist_api_page, has_true_examples_of_everything) {
  std::set<std::string> asked;
  std::set<std::string> heard;
  std::set<std::string> steps;
  for (const block& each : blocks_of("playlist-api.md")) {
    run(each);
    if (each.kind == "request") asked.insert(each.subject);
    if (each.kind == "event") heard.insert(each.subject);
    const json::value* step = each.text.as_object().if_contains("step");
    if (each.kind == "request" && step) steps.emplace(step->as_string());
  }
  for (const auto& verb : plugin::verbs) {
    const std::string subject = std::string("rosey.command.playlist.") + verb.name;
    EXPECT_TRUE(asked.contains(subject)) << subject;
  }
  for (const std::string& subject : here.server().subjects()) {
    const bool is_request =
        subject.starts_with("service.playlist.") || subject.starts_with("playlist.player.");
    EXPECT_TRUE(!is_request || asked.contains(subject)) << subject;
  }
  for (const std::string_view subject : event_subjects()) {
    EXPECT_TRUE(heard.contains(std::string(subject))) << subject;
  }
  for (const std::string_view step : imports::steps()) {
    EXPECT_TRUE(steps.contains(std::string(step))) << step;
  }
}

TEST_F(playlist_api_page, names_every_subject) {
  std::ifstream in(std::string(ROSEY_DOCS) + "/playlist-api.md");
  std::stringstream page;
  page << in.rdbuf();
  for (const std::string& subject : here.server().subjects()) {
    if (subject.starts_with("_INBOX") || subject.starts_with("rosey.command.")) continue;
    if (subject.find('>') != std::string::npos) continue;
    EXPECT_NE(page.str().find(subject.substr(subject.rfind('.') + 1)), std::string::npos)
        << subject;
  }
  for (const auto& verb : plugin::verbs) {
    EXPECT_NE(page.str().find(verb.name), std::string::npos) << verb.name;
  }
}

TEST(playlist_page, shows_every_setting_with_its_default) {
  for (const block& each : blocks_of("playlist.md")) {
    ASSERT_TRUE(each.kind == "settings" || each.kind == "metadata") << each.kind;
    if (each.kind == "metadata") {
      EXPECT_EQ(read_metadata_config(each.text), metadata_config());
      EXPECT_EQ(each.text.as_object().size(), 9u) << "all of its settings";
      continue;
    }
    const json::object& settings = each.text.as_object();
    EXPECT_EQ(read_config(settings), plugin_config());
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
