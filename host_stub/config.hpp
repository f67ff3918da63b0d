// The bot's configuration: a JSON file with comments; every key has a default.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_stub/bus/nats_options.hpp"
#include "rosey/wire/command.hpp"
#include "rosey/wire/result.hpp"

namespace rosey::host {

struct console_settings {
  std::string channel = "#lobby";
  std::string user = "you";
  wire::role role = wire::role::admin;
};

inline constexpr std::string_view log_levels[] = {"debug", "info", "warn", "error", "off"};

struct config {
  // "": start a private server. Several with commas are tried in turn.
  std::string nats_url;
  std::filesystem::path nats_url_file;  // "": the URL is above; else it stands in this file
  nats_security nats_login;
  std::chrono::seconds nats_ping_interval = default_ping_interval;

  std::optional<bool> storage_enabled;  // none: with the private server only
  std::string database = "sqlite:data/rosey.db";
  std::filesystem::path database_url_file;  // "": the URL is above; else it stands in this file
  std::filesystem::path migrations = "migrations";
  bool auto_migrate = true;  // false: what is pending is told at start, and left to the operator
  std::chrono::seconds request_age = std::chrono::hours(24);  // how long a request_id is known
  std::chrono::milliseconds busy_timeout{1000};               // wait for others that write
  std::chrono::milliseconds read_timeout{30'000};             // of one read
  std::chrono::milliseconds write_timeout{5000};  // of one statement of a write, on PostgreSQL
  std::size_t readers = 2;                        // reads at a time
  std::size_t write_queue = 1024;                 // writes that wait; one more is answered BUSY

  std::filesystem::path plugin_directory = "build/plugins";
  std::vector<std::string> required_plugins;  // ids; without one of them the bot is not ready
  bool refuse_writable_plugins = false;  // what others may write is refused, not only warned of
  bool watch_plugins = true;             // load, swap and unload as files come, change and go
  boost::json::object plugin_config;     // by plugin id
  // By plugin id, of log_levels; a plugin that is not named has that of the command line.
  std::map<std::string, std::string> plugin_log_levels;

  std::string prefix = "!";
  std::vector<console_settings> consoles = {console_settings{}};

  std::string secret_key;  // the first key of the file that holds a password, token or API key

  bool has_private_nats() const { return nats_url.empty(); }
  // Whether the bot itself serves storage.
  bool serves_storage() const { return storage_enabled.value_or(has_private_nats()); }
};

// Fails with one sentence that names the key, what is wrong and what would be right.
result<config> parse_config(std::string_view text);

// The same for a file; the sentence begins with its name.
result<config> load_config(const std::filesystem::path& file);

}  // namespace rosey::host
