#include "host_stub/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <initializer_list>
#include <iterator>

#include "host_stub/address.hpp"
#include "host_stub/text_file.hpp"
#include "rosey/wire/decode.hpp"

namespace rosey::host {
namespace {

namespace json = boost::json;

// One object of the file: reads its keys, and remembers which there may be.
class section {
 public:
  section(const json::value& value, std::string path, std::vector<std::string_view> keys)
      : path_(std::move(path)) {
    if (!value.is_object()) {
      problem_ = fmt::format("'{}' must be an object", path_);
      return;
    }
    object_ = &value.get_object();
    for (const auto& entry : *object_) {
      const std::string_view key = entry.key();
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
      problem_ = fmt::format("unknown key '{}'; known here: {}", full(key), fmt::join(keys, ", "));
      return;
    }
  }

  void text(std::string_view key, std::string& target) {
    if (const json::value* value = find(key)) {
      if (value->is_string()) {
        target = std::string(value->get_string());
      } else {
        fail(key, "a string");
      }
    }
  }
  void path(std::string_view key, std::filesystem::path& target) {
    std::string name = target.string();
    text(key, name);
    target = name;
  }
  // At least one.
  void seconds(std::string_view key, std::chrono::seconds& target) {
    constexpr std::int64_t most = 10LL * 366 * 24 * 3600;
    if (const auto number = whole(key, "a whole number of seconds", most)) {
      target = std::chrono::seconds(*number);
    }
  }
  void milliseconds(std::string_view key, std::chrono::milliseconds& target) {
    constexpr std::int64_t most = 3'600'000;
    if (const auto number = whole(key, "a whole number of milliseconds", most)) {
      target = std::chrono::milliseconds(*number);
    }
  }
  void count(std::string_view key, std::size_t& target, std::int64_t most) {
    if (const auto number = whole(key, "a whole number", most)) {
      target = static_cast<std::size_t>(*number);
    }
  }
  void boolean(std::string_view key, bool& target) {
    if (const json::value* value = find(key)) {
      if (value->is_bool()) {
        target = value->get_bool();
      } else {
        fail(key, "true or false");
      }
    }
  }

  void names(std::string_view key, std::vector<std::string>& target) {
    const json::value* value = find(key);
    if (!value) return;
    const auto is_name = [](const json::value& each) {
      return each.is_string() && !each.get_string().empty();
    };
    if (!value->is_array() ||
        !std::all_of(value->get_array().begin(), value->get_array().end(), is_name)) {
      return fail(key, "a list of names, such as [\"playlist\"]");
    }
    target.clear();
    for (const json::value& each : value->get_array()) target.emplace_back(each.get_string());
  }

  // Null, and a failure before, are the same as absent.
  const json::value* find(std::string_view key) const {
    if (!problem_.empty() || !object_) return nullptr;
    const json::value* value = object_->if_contains(key);
    return value && !value->is_null() ? value : nullptr;
  }
  void fail(std::string_view key, std::string_view expected) {
    if (problem_.empty()) problem_ = fmt::format("'{}' must be {}", full(key), expected);
  }

  std::string full(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  }
  const std::string& problem() const { return problem_; }

 private:
  std::optional<std::int64_t> whole(std::string_view key, std::string_view kind,
                                    std::int64_t most) {
    const json::value* value = find(key);
    if (!value) return std::nullopt;
    if (value->is_int64() && value->get_int64() >= 1 && value->get_int64() <= most) {
      return value->get_int64();
    }
    fail(key, fmt::format("{} from 1 to {}", kind, most));
    return std::nullopt;
  }

  std::string path_;
  const json::object* object_ = nullptr;
  std::string problem_;
};

// "url" holds one or several with commas, "urls" the same as a list.
void read_urls(section& in, config& into) {
  in.text("url", into.nats_url);
  const json::value* list = in.find("urls");
  if (!list) return;
  if (!into.nats_url.empty()) return in.fail("urls", "left out where there is 'nats.url'");
  if (!list->is_array() || list->get_array().empty()) {
    return in.fail("urls", "a list of at least one URL");
  }
  for (const json::value& each : list->get_array()) {
    if (!each.is_string()) return in.fail("urls", "a list of at least one URL");
    if (!into.nats_url.empty()) into.nats_url += ',';
    into.nats_url += std::string_view(each.get_string());
  }
}

std::string read_nats(const json::value& value, config& into) {
  section in(value, "nats",
             {"url", "url_file", "urls", "ca_file", "certificate_file", "key_file",
              "credentials_file", "nkey", "nkey_seed_file", "ping_interval_seconds"});
  read_urls(in, into);
  in.path("url_file", into.nats_url_file);
  if (!into.nats_url.empty() && in.find("url_file")) {
    in.fail("url_file", "left out where 'nats.url' is");
  }
  in.path("ca_file", into.nats_login.ca_file);
  in.path("certificate_file", into.nats_login.certificate_file);
  in.path("key_file", into.nats_login.key_file);
  in.path("credentials_file", into.nats_login.credentials_file);
  in.text("nkey", into.nats_login.nkey);
  in.path("nkey_seed_file", into.nats_login.nkey_seed_file);
  in.seconds("ping_interval_seconds", into.nats_ping_interval);
  return in.problem();
}

std::string read_storage(const json::value& value, config& into) {
  section in(value, "storage",
             {"enabled", "database", "database_url_file", "migrations", "auto_migrate",
              "request_age_seconds", "busy_timeout_ms", "read_timeout_ms", "write_timeout_ms",
              "readers", "write_queue"});
  bool enabled = false;
  in.boolean("enabled", enabled);
  if (in.find("enabled")) into.storage_enabled = enabled;
  in.text("database", into.database);
  in.path("database_url_file", into.database_url_file);
  if (in.find("database") && in.find("database_url_file")) {
    in.fail("database_url_file", "left out where 'storage.database' is");
  }
  in.path("migrations", into.migrations);
  in.boolean("auto_migrate", into.auto_migrate);
  in.seconds("request_age_seconds", into.request_age);
  in.milliseconds("busy_timeout_ms", into.busy_timeout);
  in.milliseconds("read_timeout_ms", into.read_timeout);
  in.milliseconds("write_timeout_ms", into.write_timeout);
  in.count("readers", into.readers, 64);
  in.count("write_queue", into.write_queue, 1'000'000);
  return in.problem();
}

std::string read_log_levels(const json::value& value, config& into) {
  if (!value.is_object()) {
    return R"('plugins.log_levels' must be an object of levels, such as {"playlist": "debug"})";
  }
  for (const auto& [id, level] : value.get_object()) {
    const std::string name = level.is_string() ? std::string(level.get_string()) : std::string();
    if (std::find(std::begin(log_levels), std::end(log_levels), name) == std::end(log_levels)) {
      return fmt::format("'plugins.log_levels.{}' must be one of {}", std::string(id),
                         fmt::join(log_levels, ", "));
    }
    into.plugin_log_levels.insert_or_assign(std::string(id), name);
  }
  return {};
}

std::string read_plugins(const json::value& value, config& into) {
  section in(value, "plugins",
             {"directory", "watch", "required", "writable_by_others", "log_levels", "config"});
  in.path("directory", into.plugin_directory);
  in.boolean("watch", into.watch_plugins);
  in.names("required", into.required_plugins);
  std::string policy = "warn";
  in.text("writable_by_others", policy);
  if (policy != "warn" && policy != "refuse") {
    in.fail("writable_by_others", R"("warn" or "refuse")");
  }
  into.refuse_writable_plugins = policy == "refuse";
  if (const json::value* levels = in.find("log_levels")) {
    if (std::string problem = read_log_levels(*levels, into); !problem.empty()) return problem;
  }
  if (const json::value* sections = in.find("config")) {
    if (!sections->is_object()) return "'plugins.config' must be an object of objects";
    for (const auto& entry : sections->get_object()) {
      if (!entry.value().is_object()) {
        return fmt::format("'plugins.config.{}' must be an object", std::string(entry.key()));
      }
    }
    into.plugin_config = sections->get_object();
  }
  return in.problem();
}

std::string read_connector(const json::value& value, const std::string& path, config& into) {
  section in(value, path, {"type", "channel", "user", "role"});
  console_settings console;
  std::string type;
  std::string role(to_string(console.role));
  in.text("type", type);
  in.text("channel", console.channel);
  in.text("user", console.user);
  in.text("role", role);
  if (type != "console") in.fail("type", "\"console\"");
  if (const auto known = wire::role_from(role)) {
    console.role = *known;
  } else {
    in.fail("role", R"("user", "moderator" or "admin")");
  }
  for (const auto& [key, name] : {std::pair("channel", console.channel), {"user", console.user}}) {
    if (name.empty() || name.size() > wire::max_name || wire::has_control_characters(name)) {
      in.fail(key, "a name of 1 to 256 bytes without control characters");
    }
  }
  into.consoles.push_back(std::move(console));
  return in.problem();
}

std::string read_chat(const json::value& value, config& into) {
  section in(value, "chat", {"prefix", "connectors"});
  in.text("prefix", into.prefix);
  if (into.prefix.empty() || into.prefix.find_first_of(" \t") != std::string::npos) {
    in.fail("prefix", "a text without spaces that is not empty");
  }
  const json::value* connectors = in.find("connectors");
  if (connectors && !connectors->is_array()) in.fail("connectors", "a list");
  if (!in.problem().empty() || !connectors) return in.problem();
  into.consoles.clear();
  for (std::size_t index = 0; index < connectors->get_array().size(); ++index) {
    const auto problem = read_connector(connectors->get_array()[index],
                                        fmt::format("chat.connectors[{}]", index), into);
    if (!problem.empty()) return problem;
  }
  if (into.consoles.size() > 1) return "'chat.connectors' may hold one console at most";
  return {};
}

bool names_secret(std::string_view key) {
  const auto ends = [key](std::string_view with) { return key.ends_with(with); };
  return ends("_key") || ends("token") || ends("password") || ends("secret");
}

// The first key, at whatever depth, whose value is a secret or an address with one; "" for none.
std::string secret_in(const json::value& value, const std::string& path) {
  if (const json::object* object = value.if_object()) {
    for (const auto& [key, inner] : *object) {
      const std::string full = path.empty() ? std::string(key) : path + "." + std::string(key);
      if (std::string found = secret_in(inner, full); !found.empty()) return found;
    }
  } else if (const json::array* list = value.if_array()) {
    for (const json::value& inner : *list) {
      if (std::string found = secret_in(inner, path); !found.empty()) return found;
    }
  } else if (const json::string* text = value.if_string(); text && !text->empty()) {
    if (names_secret(path)) return path;
    const bool is_address = path.starts_with("nats.url") || path == "storage.database";
    if (is_address && holds_secret(*text)) return path;
  }
  return {};
}

std::string read_all(const json::value& value, config& into) {
  const section top(value, "", {"nats", "storage", "plugins", "chat"});
  if (!top.problem().empty()) return top.problem();
  using reader = std::string (*)(const json::value&, config&);
  for (const auto& [key, read] :
       std::initializer_list<std::pair<const char*, reader>>{{"nats", &read_nats},
                                                             {"storage", &read_storage},
                                                             {"plugins", &read_plugins},
                                                             {"chat", &read_chat}}) {
    const json::value* found = top.find(key);
    if (!found) continue;
    if (std::string problem = read(*found, into); !problem.empty()) return problem;
  }
  return {};
}

}  // namespace

result<config> parse_config(std::string_view text) {
  json::parse_options options;
  options.allow_comments = true;
  options.allow_trailing_commas = true;
  boost::system::error_code failure;
  const json::value value = json::parse(text, failure, {}, options);
  if (failure) return error{"config", "not valid JSON: " + failure.message()};
  if (!value.is_object()) return error{"config", "the configuration must be a JSON object"};
  config made;
  made.secret_key = secret_in(value, "");
  if (std::string problem = read_all(value, made); !problem.empty()) {
    return error{"config", std::move(problem)};
  }
  return made;
}

result<config> load_config(const std::filesystem::path& file) {
  const auto text = read_text_file(file);
  if (!text) {
    const std::string& why = text.error().message;
    return error{"config", fmt::format("{}: cannot be read: {}", file.string(), why)};
  }
  auto parsed = parse_config(*text);
  if (!parsed) return error{"config", fmt::format("{}: {}", file.string(), parsed.error().message)};
  return parsed;
}

}  // namespace rosey::host
