// Checked reading of the settings.
#include "playlist_plugin/config.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "playlist_plugin/domain/media_kinds.hpp"
#include "rosey/wire/decode.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;

constexpr std::string_view known_keys[] = {"metadata",
                                           "max_items_per_user",
                                           "max_duration_per_user",
                                           "rate_limit_count",
                                           "rate_limit_seconds",
                                           "max_queue_size",
                                           "skip_threshold",
                                           "min_skip_votes",
                                           "allowed_media_types",
                                           "require_duration",
                                           "max_unknown_duration",
                                           "vote_expiry_seconds",
                                           "active_user_minutes",
                                           "order",
                                           "exempt_roles",
                                           "max_item_duration",
                                           "refuse_duplicates",
                                           "repeat_after_minutes",
                                           "announce",
                                           "paused"};

// A shuffle writes each waiting row, and storage takes 1000 operations at once.
constexpr std::int64_t most_items = 900;
constexpr std::int64_t seconds_a_day = 24 * 3600;

void refuse_unknown_keys(const json::object& settings) {
  for (const auto& setting : settings) {
    const std::string_view key = setting.key();
    if (std::find(std::begin(known_keys), std::end(known_keys), key) != std::end(known_keys)) {
      continue;
    }
    std::string message = "playlist: unknown key '" + std::string(key) + "'; the keys are ";
    for (const std::string_view known : known_keys) {
      if (known != known_keys[0]) message += ", ";
      message += known;
    }
    throw std::runtime_error(message);
  }
}

std::vector<std::string> read_media_types(wire::field_reader& in) {
  std::vector<std::string> types;
  const json::value* value = in.find("allowed_media_types");
  if (!value) return types;
  const json::array* list = value->if_array();
  if (!list) in.fail("'allowed_media_types' must be a list of media types such as \"yt\"");
  if (in.failed()) return types;
  for (const json::value& entry : *list) {
    const bool known = entry.is_string() && find_media_kind(entry.get_string());
    if (!known) {
      in.fail("'allowed_media_types' holds " + json::serialize(entry) +
              ", which is not one of the media types yt, yp, vi, dm, sc, tc, tv, tw, li, sb, gd, "
              "im, hl, rt, cm, fi");
      return types;
    }
    types.emplace_back(entry.get_string());
  }
  return types;
}

std::vector<wire::role> read_roles(wire::field_reader& in, std::string_view key) {
  std::vector<wire::role> roles;
  const json::value* value = in.find(key);
  if (!value) return roles;
  const json::array* list = value->if_array();
  const std::string wanted =
      "'" + std::string(key) + "' must be a list of \"user\", \"moderator\" and \"admin\"";
  if (!list) in.fail(wanted);
  if (in.failed()) return roles;
  for (const json::value& entry : *list) {
    const auto role = entry.is_string() ? wire::role_from(entry.get_string()) : std::nullopt;
    if (!role) {
      in.fail(wanted);
      return roles;
    }
    roles.push_back(*role);
  }
  return roles;
}

}  // namespace

plugin_config read_config(const json::object& settings) {
  refuse_unknown_keys(settings);
  wire::field_reader in(settings);
  plugin_config config;
  quota_config& quota = config.limits.quota;
  quota.max_items_per_user =
      in.integer_or("max_items_per_user", quota.max_items_per_user, 1, most_items);
  quota.max_duration_per_user =
      in.integer_or("max_duration_per_user", quota.max_duration_per_user, 1, 365 * seconds_a_day);
  quota.rate_limit_count = in.integer_or("rate_limit_count", quota.rate_limit_count, 1, most_items);
  quota.rate_limit_seconds =
      in.integer_or("rate_limit_seconds", quota.rate_limit_seconds, 1, seconds_a_day);
  config.limits.max_queue_size =
      in.integer_or("max_queue_size", config.limits.max_queue_size, 1, most_items);
  config.limits.allowed_media_types = read_media_types(in);
  config.limits.require_duration =
      in.boolean_or("require_duration", config.limits.require_duration);
  queue_limits& limits = config.limits;
  limits.max_item_duration =
      in.integer_or("max_item_duration", limits.max_item_duration, 0, 365 * seconds_a_day);
  limits.refuse_duplicates = in.boolean_or("refuse_duplicates", limits.refuse_duplicates);
  limits.repeat_after_minutes =
      in.integer_or("repeat_after_minutes", limits.repeat_after_minutes, 0, 365 * 24 * 60);
  std::string order = "added";
  if (const json::value* chosen = in.find("order")) {
    order = chosen->is_string() ? chosen->get_string() : json::string();
  }
  if (order != "added" && order != "fair") in.fail("'order' must be \"added\" or \"fair\"");
  config.order = order == "fair" ? queue_order::fair : queue_order::added;
  if (const json::value* value = in.find("metadata")) {
    config.metadata = read_metadata_config(*value);
  }
  config.announce = in.boolean_or("announce", config.announce);
  config.paused = in.boolean_or("paused", config.paused);
  config.exempt_roles = read_roles(in, "exempt_roles");
  config.playing.max_unknown_duration = in.integer_or(
      "max_unknown_duration", config.playing.max_unknown_duration, 0, 365 * seconds_a_day);
  config.votes.skip_threshold = in.number_or("skip_threshold", config.votes.skip_threshold, 0, 1);
  config.votes.min_skip_votes =
      in.integer_or("min_skip_votes", config.votes.min_skip_votes, 1, 1000);
  config.votes.expiry_seconds =
      in.integer_or("vote_expiry_seconds", config.votes.expiry_seconds, 0, seconds_a_day);
  config.votes.active_user_minutes =
      in.integer_or("active_user_minutes", config.votes.active_user_minutes, 1, 24 * 60);
  if (in.failed()) throw std::runtime_error("playlist: " + in.failure().message);
  return config;
}

}  // namespace rosey::playlist
