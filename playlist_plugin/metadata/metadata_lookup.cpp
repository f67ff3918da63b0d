// Storage first, then the site, then storage for the next time.
#include "playlist_plugin/metadata/metadata_lookup.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "playlist_plugin/metadata/fetch_codes.hpp"
#include "playlist_plugin/storage/keys.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;

// Seconds. A list is only kept for those who try again because it came too late.
constexpr std::int64_t list_cache = 300;
constexpr std::int64_t unknown_cache = 600;  // that a site had nothing to tell

// Milliseconds.
constexpr std::int64_t first_pause = 5'000;
constexpr std::int64_t longest_pause_of_a_link = 600'000;
constexpr std::int64_t longest_pause_of_a_site = 60'000;

std::string name_of(const media_link& link) {
  return link.type + ":" + link.id;
}

json::object to_json(const media_metadata& found) {
  return {{"title", found.title},
          {"duration", found.duration},
          {"thumbnail_url", found.thumbnail_url},
          {"channel_name", found.channel_name}};
}

// What another program has put there instead is not known.
std::optional<media_metadata> from_json(const json::object& object) {
  wire::field_reader in(object);
  media_metadata found;
  found.title = in.text("title");
  found.duration = in.integer("duration", 0);
  found.thumbnail_url = in.text_or("thumbnail_url", "");
  found.channel_name = in.text_or("channel_name", "");
  if (in.failed() || found.title.empty()) return std::nullopt;
  return found;
}

std::vector<listed_media> list_from_json(const json::object& kept) {
  std::vector<listed_media> listed;
  const json::value* entries = kept.if_contains("entries");
  if (!entries || !entries->is_array()) return listed;
  for (const json::value& entry : entries->get_array()) {
    if (!entry.is_object()) return {};
    const json::value* id = entry.get_object().if_contains("id");
    auto about = from_json(entry.get_object());
    if (!about || !id || !id->is_string()) return {};
    listed.push_back({{"yt", std::string(id->get_string())}, std::move(*about)});
  }
  return listed;
}

json::array list_to_json(const std::vector<listed_media>& listed) {
  json::array entries;
  for (const listed_media& each : listed) {
    json::object entry = to_json(each.about);
    entry["id"] = each.media.id;
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

metadata_lookup::metadata_lookup(const sdk::context& context, sdk::storage_client& db,
                                 media_source& source, clock& time, const metadata_config& config)
    : context_(context),
      db_(db),
      source_(source),
      clock_(time),
      cache_seconds_(config.cache_hours * 3600),
      max_fetches_(static_cast<std::size_t>(config.max_fetches)),
      slots_(context.executor, max_fetches_),
      failing_links_(first_pause, longest_pause_of_a_link),
      failing_sites_(first_pause, longest_pause_of_a_site),
      items_(context, time),
      lists_(context, time) {}

awaitable<media_answer> metadata_lookup::find(media_link link,
                                              std::optional<std::int64_t> patience) {
  std::string name = "metadata of " + name_of(link);
  flights<media_answer>::work begin = [this, link] { return ask(link); };
  auto known = co_await items_.join(std::move(name), std::move(begin), patience);
  if (known) co_return std::move(*known);
  co_return media_answer{{}, false, clock_.steady() + first_pause};
}

async_mutex& metadata_lookup::slots_of(const std::string& site) {
  const std::size_t places = std::max<std::size_t>(1, max_fetches_ / 2);
  return site_slots_.try_emplace(site, context_.executor, places).first->second;
}

std::int64_t metadata_lookup::retry_at(const std::string& name, const std::string& site) const {
  return std::max(failing_links_.retry_at(name), failing_sites_.retry_at(site));
}

awaitable<std::optional<std::vector<listed_media>>> metadata_lookup::find_list(
    media_link link, std::size_t most, std::optional<std::int64_t> patience) {
  std::string name = "list " + name_of(link) + " up to " + std::to_string(most);
  return lists_.join(
      std::move(name), [this, link, most] { return ask_list(link, most); }, patience);
}

awaitable<std::optional<media_answer>> metadata_lookup::ask(media_link link) {
  const std::string name = name_of(link);
  const std::string source(source_.source_of(link));
  const std::string key = bounded_key("meta:" + source + ":", name);
  const std::string endpoint = source_.endpoint_of(link);
  const auto kept = co_await read_cache(key, endpoint);
  if (kept && kept->contains("unknown")) co_return media_answer{{}, true};
  if (kept) {
    auto known = from_json(*kept);
    if (known) co_return media_answer{std::move(known), true};
  }
  if (const std::int64_t at = retry_at(name, endpoint); at > clock_.steady()) {
    co_return media_answer{{}, false, at};
  }
  const auto turn_at_site = co_await slots_of(endpoint).lock();
  const auto turn = co_await slots_.lock();
  // While others were waited for, they may have found that the site fails.
  if (const std::int64_t at = retry_at(name, endpoint); at > clock_.steady()) {
    co_return media_answer{{}, false, at};
  }
  auto fetched = co_await source_.fetch(link);
  const bool failed = !fetched && fetched.error().code != fetch_codes::unknown;
  const bool away = !fetched && fetched.error().code == fetch_codes::unreachable;
  const bool useless = failed && !away;
  if (useless) {
    failing_links_.failed(name, clock_.steady());
  } else {
    failing_links_.succeeded(name);
  }
  if (away) {
    failing_sites_.failed(endpoint, clock_.steady());
  } else {
    failing_sites_.succeeded(endpoint);
  }
  if (!fetched) {
    context_.log.info("no metadata of " + name + ": " + fetched.error().message);
    if (failed) co_return media_answer{{}, false, retry_at(name, endpoint), useless};
    json::object unknown{{"unknown", true}};
    co_await write_cache(key, endpoint, std::move(unknown), unknown_cache);
    co_return media_answer{{}, true};
  }
  json::object found = to_json(*fetched);
  co_await write_cache(key, endpoint, std::move(found), cache_seconds_);
  co_return media_answer{std::move(*fetched), true};
}

awaitable<std::optional<std::vector<listed_media>>> metadata_lookup::ask_list(media_link link,
                                                                              std::size_t most) {
  const std::string key = bounded_key("list" + std::to_string(most) + ":", name_of(link));
  const std::string endpoint = source_.endpoint_of(link);
  const auto kept = co_await read_cache(key, endpoint);
  if (kept) {
    auto known = list_from_json(*kept);
    if (!known.empty()) co_return known;
  }
  if (failing_links_.retry_at(name_of(link)) > clock_.steady()) co_return std::nullopt;
  const auto turn_at_site = co_await slots_of(endpoint).lock();
  const auto turn = co_await slots_.lock();
  auto fetched = co_await source_.list(link, most);
  if (!fetched) {
    context_.log.info("no entries of " + name_of(link) + ": " + fetched.error().message);
    failing_links_.failed(name_of(link), clock_.steady());
    co_return std::nullopt;
  }
  failing_links_.succeeded(name_of(link));
  json::object found{{"entries", list_to_json(*fetched)}};
  co_await write_cache(key, endpoint, std::move(found), list_cache);
  co_return std::move(*fetched);
}

// Storage that is away does not keep us from asking the site.
awaitable<std::optional<json::object>> metadata_lookup::read_cache(std::string key,
                                                                   std::string endpoint) {
  try {
    auto stored = co_await db_.kv_get(std::move(key));
    json::object* kept = stored && stored->exists ? stored->value.if_object() : nullptr;
    const json::value* told_by = kept ? kept->if_contains("endpoint") : nullptr;
    if (told_by && *told_by == json::value(endpoint)) co_return std::move(*kept);
  } catch (const sdk::storage_unavailable& away) {
    context_.log.debug(std::string("metadata: ") + away.what());
  }
  co_return std::nullopt;
}

// A refusal, as of a value that is too large, only means that it is fetched again.
awaitable<void> metadata_lookup::write_cache(std::string key, std::string endpoint,
                                             json::object found, std::int64_t seconds) {
  found["endpoint"] = endpoint;
  json::value value(std::move(found));
  try {
    static_cast<void>(co_await db_.kv_set(std::move(key), std::move(value), seconds));
  } catch (const sdk::storage_unavailable& away) {
    context_.log.debug(std::string("metadata: ") + away.what());
  }
}

}  // namespace rosey::playlist
