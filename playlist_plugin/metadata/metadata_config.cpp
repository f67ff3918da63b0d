// Checked reading of the setting "metadata".
#include "playlist_plugin/metadata/metadata_config.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "playlist_plugin/metadata/https_address.hpp"
#include "rosey/wire/decode.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;

constexpr std::string_view known_metadata_keys[] = {
    "source",     "youtube_api_key", "ca_file",     "endpoints",   "deadline_ms",
    "timeout_ms", "cache_hours",     "max_fetches", "name_servers"};

// A host waits ten seconds for an answer, of which some are left for storage.
constexpr std::int64_t longest_deadline = 8'000;

bool read_source(std::string_view source) {
  if (source == "oembed") return true;
  if (source == "none") return false;
  throw std::runtime_error(
      R"(playlist: 'metadata' must be "oembed", "none" or an object whose "source" is one of them)");
}

void read_endpoints(const json::value& value, metadata_config& config) {
  const json::object* endpoints = value.if_object();
  if (!endpoints) throw std::runtime_error("playlist: 'metadata.endpoints' must be an object");
  for (const auto& [key, address] : *endpoints) {
    const auto known = config.oembed.find(std::string_view(key));
    const bool api = key == "youtube_api";
    if (!api && known == config.oembed.end()) {
      throw std::runtime_error("playlist: 'metadata.endpoints' has no '" + std::string(key) +
                               "'; it has yt, vi, sc, dm and youtube_api");
    }
    if (!address.is_string() || !parse_https_address(std::string(address.get_string()))) {
      throw std::runtime_error("playlist: 'metadata.endpoints." + std::string(key) +
                               "' must be an https:// address without a user");
    }
    std::string url(address.get_string());
    while (api && url.ends_with('/')) url.pop_back();  // paths are put behind it
    (api ? config.youtube_api : known->second) = std::move(url);
  }
}

void read_name_servers(const json::value& value, metadata_config& config) {
  const json::array* list = value.if_array();
  if (!list) throw std::runtime_error("playlist: 'metadata.name_servers' must be a list");
  for (const json::value& entry : *list) {
    const auto server = entry.is_string() ? parse_name_server(entry.get_string()) : std::nullopt;
    if (!server) {
      throw std::runtime_error("playlist: 'metadata.name_servers' holds " + json::serialize(entry) +
                               R"(, which is no address as "192.0.2.1" or "[2001:db8::1]:5353")");
    }
    config.name_servers.push_back(*server);
  }
}

}  // namespace

metadata_config read_metadata_config(const json::value& value) {
  metadata_config config;
  if (value.is_string()) {
    config.enabled = read_source(value.get_string());
    return config;
  }
  const json::object* settings = value.if_object();
  if (!settings) read_source("");
  for (const auto& setting : *settings) {
    const std::string_view key = setting.key();
    if (std::find(std::begin(known_metadata_keys), std::end(known_metadata_keys), key) ==
        std::end(known_metadata_keys)) {
      std::string known;
      for (const std::string_view each : known_metadata_keys) {
        known.append(known.empty() ? "" : ", ").append(each);
      }
      throw std::runtime_error("playlist: unknown key 'metadata." + std::string(key) +
                               "'; known here: " + known);
    }
  }
  wire::field_reader in(*settings);
  config.enabled = read_source(in.text_or("source", "oembed"));
  config.youtube_api_key = in.text_or("youtube_api_key", "");
  config.ca_file = in.text_or("ca_file", "");
  config.deadline_ms = in.integer_or("deadline_ms", config.deadline_ms, 0, longest_deadline);
  config.timeout_ms = in.integer_or("timeout_ms", config.timeout_ms, 100, 120'000);
  config.cache_hours = in.integer_or("cache_hours", config.cache_hours, 1, 24 * 366);
  config.max_fetches = in.integer_or("max_fetches", config.max_fetches, 1, 100);
  if (in.failed()) throw std::runtime_error("playlist: in 'metadata': " + in.failure().message);
  if (const json::value* endpoints = in.find("endpoints")) read_endpoints(*endpoints, config);
  if (const json::value* servers = in.find("name_servers")) read_name_servers(*servers, config);
  return config;
}

}  // namespace rosey::playlist
