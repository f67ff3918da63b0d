// From fields to items.
#include "playlist_plugin/handlers/import_entry.hpp"

#include <boost/json/object.hpp>
#include <cmath>
#include <cstdint>
#include <utility>

#include "playlist_plugin/domain/text.hpp"
#include "rosey/wire/decode.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_quote = 60;
constexpr double longest_media = 365 * 24 * 3600.0;  // seconds

result<media_link> read_link(const std::string& text) {
  auto link = parse_media_link(text);
  if (link) return link;
  return error{link.error().code, "\"" + truncate_utf8(printable(text), longest_quote) +
                                      "\": " + link.error().message};
}

result<queue_item> read_url_entry(wire::field_reader& in, const std::string& user) {
  const std::string url = in.text("url");
  if (in.failed()) return in.failure();
  auto link = read_link(url);
  if (!link) return link.error();
  queue_item item;
  item.title = placeholder_title(*link);
  item.media = std::move(*link);
  item.added_by = user;
  return item;
}

result<queue_item> read_old_entry(wire::field_reader& in, const std::string& user) {
  const json::value* media = in.find("media");
  if (!media || !media->is_object()) {
    return error{codes::bad_request,
                 "it must be like {\"queueby\": …, \"media\": {\"type\", \"id\", \"title\", "
                 "\"seconds\"}}, but 'media' is not an object"};
  }
  queue_item item;
  item.added_by = in.find("queueby") ? in.name("queueby") : user;
  if (in.failed()) return in.failure();
  wire::field_reader of_media(media->get_object());
  const std::string type = of_media.text("type");
  const std::string id = of_media.text("id");
  item.title = truncate_utf8(printable(of_media.text_or("title", "")), longest_title);
  item.duration =
      static_cast<std::int64_t>(std::llround(of_media.number_or("seconds", 0, 0, longest_media)));
  if (of_media.failed()) {
    return error{codes::bad_request, "of 'media', " + of_media.failure().message};
  }
  auto link = read_link(type + ":" + id);
  if (!link) return link.error();
  item.media = std::move(*link);
  if (item.title.empty()) item.title = placeholder_title(item.media);
  return item;
}

}  // namespace

result<queue_item> read_import_entry(const json::value& entry, const std::string& user) {
  const json::object* fields = entry.if_object();
  if (!fields) return error{codes::bad_request, "it must be an object"};
  wire::field_reader in(*fields);
  return in.find("url") ? read_url_entry(in, user) : read_old_entry(in, user);
}

}  // namespace rosey::playlist
