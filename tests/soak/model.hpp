// What must be in the database if every answer that was given is true.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rosey::tests {

// A command and its last answer. Each add has a media id of its own, by which its item is
// known wherever it is.
struct answered_command {
  std::string_view verb;  // as people type it, also for a service
  std::string channel, user;
  std::string media;           // of an add
  boost::json::object answer;  // empty: there was none, so that it may have been done or not
};

// Thread-safe.
class answer_model {
 public:
  void note(const answered_command& command);

  struct verdict {
    std::size_t losses = 0;   // effects that were acknowledged and are not there
    std::size_t doubles = 0;  // effects that are there twice, or were refused, or undone
    std::string what;         // a line each
  };
  // While nothing is under way.
  verdict compare(const std::filesystem::path& database) const;

 private:
  struct channel_answers {
    std::set<std::string> added, refused, removed, unknown;  // by media id
    std::size_t cleared = 0, skips = 0;
  };
  struct stored_channel {
    std::map<std::string, int> places;  // of an item: in the queue, playing, or played
    std::size_t skipped = 0;
  };
  static std::map<std::string, stored_channel> read(const std::filesystem::path& database);
  static void compare(const std::string& name, const channel_answers& said,
                      const stored_channel& stored, verdict& found);

  mutable std::mutex mutex_;
  std::map<std::string, channel_answers> channels_;
  struct user_adds {
    std::size_t known = 0, unknown = 0;
  };
  std::map<std::string, user_adds> adds_by_user_;
  std::string contradictions_;  // between answers
};

// The rows of a query, columns joined by tabs. Throws std::runtime_error.
std::vector<std::string> query_rows(const std::filesystem::path& database, const char* query);

}  // namespace rosey::tests
