// Brings lists into channels by way of the playlist plugin, which knows what an entry means and how
// a queue is kept.
#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <functional>
#include <string>

#include "host_stub/bus/connection.hpp"
#include "host_stub/import/import_file.hpp"

namespace rosey::host {

struct import_settings {
  std::string user;    // who has added what names nobody
  bool again = false;  // although the same was imported before
  // Called after each message with how many entries it was about; throws to give up, after which
  // nothing of the list is imported. Checking, writing and reading back each count an entry once.
  std::function<void(std::size_t entries)> on_progress = [](std::size_t) {};
};

struct import_outcome {
  std::size_t imported = 0;
  // Of an import of the same content before this one; "" if there was none.
  std::string earlier_at;
};

class importer {
 public:
  // `bus` must outlive it.
  importer(connection& bus, import_settings settings) : bus_(bus), settings_(std::move(settings)) {}

  // Blocks. Both throw std::runtime_error with a sentence; check() names the entries that are
  // refused, a line each.
  void check(const import_list& list);
  // All of the list or nothing.
  import_outcome import(const import_list& list);

 private:
  boost::json::object ask(const boost::json::object& request);
  void write(const import_list& list, const boost::json::object& begun);

  connection& bus_;
  import_settings settings_;
};

}  // namespace rosey::host
