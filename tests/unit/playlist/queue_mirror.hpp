// A listener as another plugin would write it: it knows a channel by snapshots and events only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace rosey::playlist::testing {

class queue_mirror {
 public:
  // `ask` gives a reply of service.playlist.get_queue, all pages in one, of at least a version.
  explicit queue_mirror(std::function<boost::json::object(std::int64_t)> ask)
      : ask_(std::move(ask)) {}

  // Events may be missing or late: a gap in "version" and "part" is healed by asking.
  void hear(const boost::json::object& event) {
    const std::int64_t version = event.at("version").as_int64();
    const std::int64_t part = event.at("part").as_int64();
    const bool known = version < version_ || (version == version_ && part <= part_);
    if (known) return;
    const bool next_part = version == version_ && part == part_ + 1;
    const bool next_version = version == version_ + 1 && part == 1 && part_ == parts_;
    if (!next_part && !next_version) return recover(version);
    if (event.at("event") == "playlist.imported") {
      ++imports;
      return recover(version);
    }
    version_ = version;
    part_ = part;
    parts_ = event.at("parts").as_int64();
    apply(event);
  }

  // `seen`: a version that an event told of.
  void recover(std::int64_t seen = 0) {
    const boost::json::object queue = ask_(seen);
    version_ = queue.at("version").as_int64();
    EXPECT_GE(version_, seen) << "older than what was heard of it";
    part_ = parts_ = whole;
    current = queue.at("current");
    if (!current.is_null()) current = without_clock(current.as_object());
    waiting.clear();
    for (const boost::json::value& item : queue.at("items").as_array()) waiting.push_back(item);
    ++recoveries;
  }

  boost::json::value current;  // an item, or null
  std::vector<boost::json::value> waiting;
  int recoveries = 0;  // imports and the first snapshot included
  int imports = 0;

  // How far the item is follows from the moment it started, which does not change by itself.
  static boost::json::object without_clock(boost::json::object item) {
    item.erase("elapsed");
    return item;
  }

 private:
  static constexpr std::int64_t whole = INT64_MAX;

  std::vector<boost::json::value>::iterator at(const boost::json::value& id) {
    return std::find_if(waiting.begin(), waiting.end(),
                        [&id](const auto& item) { return item.at("id") == id; });
  }

  void apply(const boost::json::object& event) {
    const std::string name(event.at("event").as_string());
    if (name == "playlist.item.added") {
      waiting.insert(waiting.begin() + (event.at("position").to_number<std::int64_t>() - 1),
                     event.at("item"));
    } else if (name == "playlist.item.removed") {
      waiting.erase(at(event.at("item").at("id")));
    } else if (name == "playlist.item.playing") {
      waiting.erase(at(event.at("item").at("id")));
      current = event.at("item");
      current.as_object()["started_at"] = event.at("started_at");
    } else if (name == "playlist.item.position") {
      EXPECT_EQ(current.at("id"), event.at("item_id"));
      current.as_object()["started_at"] = event.at("started_at");
    } else if (name == "playlist.item.finished") {
      current = nullptr;
    } else if (name == "playlist.cleared") {
      waiting.clear();
    } else if (name == "playlist.shuffled") {
      std::vector<boost::json::value> ordered;
      for (const auto& id : event.at("order").as_array()) ordered.push_back(*at(id));
      waiting = std::move(ordered);
    } else if (name == "playlist.moved") {
      waiting.erase(at(event.at("item").at("id")));
      const auto& after = event.at("after");
      waiting.insert(after.is_null() ? waiting.begin() : std::next(at(after)), event.at("item"));
    } else if (name == "playlist.metadata.fetched") {
      const auto& item = event.at("item");
      const auto found = at(item.at("id"));
      if (found != waiting.end()) {
        *found = item;
      } else {
        const boost::json::value started_at = current.at("started_at");
        current = item;
        current.as_object()["started_at"] = started_at;
      }
    }
  }

  std::function<boost::json::object(std::int64_t)> ask_;
  std::int64_t version_ = 0;
  std::int64_t part_ = whole;
  std::int64_t parts_ = whole;
};

}  // namespace rosey::playlist::testing
