// oEmbed answers alike for all sites; YouTube's Data API tells durations as well.
#include "playlist_plugin/metadata/site_answers.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/url/url.hpp>
#include <charconv>

#include "playlist_plugin/domain/ascii.hpp"
#include "playlist_plugin/domain/text.hpp"
#include "playlist_plugin/metadata/fetch_codes.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_address = 1024;
constexpr std::int64_t longest_duration = 365 * 24 * 3600;

using parameters = std::vector<std::pair<std::string_view, std::string>>;

std::string address(std::string_view endpoint, const parameters& query) {
  boost::urls::url made(endpoint);
  for (const auto& [name, value] : query) made.params().append({name, value});
  return std::string(made.buffer());
}

error unreadable(std::string why) {
  return {fetch_codes::failed, std::move(why)};
}

error not_told(std::string why) {
  return {fetch_codes::unknown, std::move(why)};
}

result<json::object> parse(std::string_view body) {
  boost::system::error_code failure;
  json::value value = json::parse(body, failure);
  if (failure) return unreadable("the answer is not JSON: " + failure.message());
  if (!value.is_object()) return unreadable("the answer is not a JSON object");
  return std::move(value.get_object());
}

// What is not there, or of another type, is empty.
std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

const json::object& object_at(const json::object& object, std::string_view key) {
  static const json::object none;
  const json::value* value = object.if_contains(key);
  return value && value->is_object() ? value->get_object() : none;
}

json::array objects_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  json::array objects;
  if (!value || !value->is_array()) return objects;
  for (const json::value& each : value->get_array()) {
    if (each.is_object()) objects.push_back(each);
  }
  return objects;
}

std::int64_t seconds_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value) return 0;
  boost::system::error_code failure;
  const double seconds = value->to_number<double>(failure);
  const bool sensible = !failure && seconds > 0 && seconds <= longest_duration;
  return sensible ? static_cast<std::int64_t>(seconds) : 0;
}

std::string shown(const std::string& text) {
  return truncate_utf8(printable(text), longest_title);
}

std::string web_address(std::string text) {
  const bool good = text.starts_with("https://") && text.size() <= longest_address &&
                    ascii::made_of(
                        text, [](char c) { return c > ' ' && c < '\x7f'; }, 1, longest_address);
  return good ? std::move(text) : std::string();
}

result<media_metadata> checked(media_metadata found) {
  if (found.title.empty()) return not_told("the answer has no title");
  return found;
}

result<media_metadata> read_oembed(std::string_view body) {
  const auto answer = parse(body);
  if (!answer) return answer.error();
  return checked({.title = shown(text_at(*answer, "title")),
                  .duration = seconds_at(*answer, "duration"),
                  .thumbnail_url = web_address(text_at(*answer, "thumbnail_url")),
                  .channel_name = shown(text_at(*answer, "author_name"))});
}

media_metadata video_from(const json::object& video) {
  const json::object& snippet = object_at(video, "snippet");
  const json::object& thumbnail = object_at(object_at(snippet, "thumbnails"), "default");
  return {.title = shown(text_at(snippet, "title")),
          .duration = parse_iso_duration(text_at(object_at(video, "contentDetails"), "duration")),
          .thumbnail_url = web_address(text_at(thumbnail, "url")),
          .channel_name = shown(text_at(snippet, "channelTitle"))};
}

bool asks_api(const metadata_config& config, const media_link& link) {
  return link.type == "yt" && !config.youtube_api_key.empty();
}

}  // namespace

std::string_view metadata_source(const metadata_config& config, const media_link& link) {
  return asks_api(config, link) ? "youtube_api" : "oembed";
}

std::string metadata_endpoint(const metadata_config& config, const media_link& link) {
  if (asks_api(config, link) || link.type == "yp") return config.youtube_api;
  const auto endpoint = config.oembed.find(link.type);
  return endpoint == config.oembed.end() ? std::string() : endpoint->second;
}

std::optional<std::string> metadata_address(const metadata_config& config, const media_link& link) {
  if (!config.enabled) return std::nullopt;
  if (asks_api(config, link)) return videos_address(config, {link.id});
  const auto endpoint = config.oembed.find(link.type);
  if (endpoint == config.oembed.end()) return std::nullopt;
  const parameters query{{"format", "json"}, {"url", canonical_url(link)}};
  return address(endpoint->second, query);
}

result<media_metadata> read_metadata(const metadata_config& config, const media_link& link,
                                     std::string_view body) {
  if (!asks_api(config, link)) return read_oembed(body);
  const auto found = read_videos(body);
  if (!found) return found.error();
  for (const auto& [id, video] : *found) {
    if (id == link.id) return video;
  }
  return not_told("there is no such video");
}

std::int64_t parse_iso_duration(std::string_view text) {
  if (!text.starts_with('P')) return 0;
  text.remove_prefix(1);
  std::int64_t total = 0;
  while (!text.empty()) {
    if (text.front() == 'T') {
      text.remove_prefix(1);
      continue;
    }
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end == text.data() + text.size() || number < 0) return 0;
    const char unit = *end;
    const std::int64_t seconds = unit == 'D'   ? 24 * 3600
                                 : unit == 'H' ? 3600
                                 : unit == 'M' ? 60
                                 : unit == 'S' ? 1
                                               : 0;
    if (seconds == 0 || number > longest_duration / seconds) return 0;
    total += number * seconds;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  }
  return total <= longest_duration ? total : 0;
}

std::string playlist_address(const metadata_config& config, std::string_view playlist,
                             std::string_view page) {
  parameters query{{"part", "contentDetails"},
                   {"maxResults", "50"},
                   {"playlistId", std::string(playlist)},
                   {"key", config.youtube_api_key}};
  if (!page.empty()) query.emplace_back("pageToken", page);
  return address(config.youtube_api + "/playlistItems", query);
}

result<playlist_page> read_playlist_page(std::string_view body) {
  const auto answer = parse(body);
  if (!answer) return answer.error();
  playlist_page page;
  page.next = text_at(*answer, "nextPageToken");
  for (const json::value& entry : objects_at(*answer, "items")) {
    const std::string id = text_at(object_at(entry.get_object(), "contentDetails"), "videoId");
    if (parse_media_link("yt:" + id)) page.videos.push_back(id);
  }
  return page;
}

std::string videos_address(const metadata_config& config, const std::vector<std::string>& ids) {
  std::string all;
  for (const std::string& id : ids) all += (all.empty() ? "" : ",") + id;
  const parameters query{
      {"part", "snippet,contentDetails"}, {"id", all}, {"key", config.youtube_api_key}};
  return address(config.youtube_api + "/videos", query);
}

result<videos> read_videos(std::string_view body) {
  const auto answer = parse(body);
  if (!answer) return answer.error();
  videos found;
  for (const json::value& entry : objects_at(*answer, "items")) {
    auto video = checked(video_from(entry.get_object()));
    if (video) found.emplace(text_at(entry.get_object(), "id"), std::move(*video));
  }
  return found;
}

}  // namespace rosey::playlist
