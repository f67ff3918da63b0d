// Reads media links: a URL goes through Boost.URL, then to the reader of its site; what a reader or
// a short form names goes through the check of its kind.
#include "playlist_plugin/domain/media_link.hpp"

#include <algorithm>
#include <boost/url.hpp>
#include <utility>

#include "playlist_plugin/domain/ascii.hpp"
#include "playlist_plugin/domain/media_kinds.hpp"
#include "playlist_plugin/domain/media_sites.hpp"
#include "playlist_plugin/domain/text.hpp"

namespace rosey::playlist {
namespace {

namespace urls = boost::urls;
using std::string_view;
using namespace ascii;

error unrecognized(string_view rest) {
  return {codes::unrecognized_media, "Unrecognized media URL" + std::string(rest)};
}

error not_accepted() {
  return unrecognized(
      "; accepted are links of YouTube, Vimeo, Dailymotion, SoundCloud, Twitch, Livestream, "
      "Streamable, Google Drive and Imgur albums, rtmp:// streams, https:// addresses of .m3u8, "
      ".json, .mp4, .flv, .webm, .ogg, .ogv, .mp3, .mov and .m4a files, and short forms such as "
      "yt:dQw4w9WgXcQ");
}

error too_long() {
  return unrecognized(": it is longer than " + std::to_string(max_media_url) + " bytes");
}

// Where scheme and authority end, or the text does.
std::size_t end_of_authority(string_view url) {
  const auto end = url.find_first_of("/?#", url.find("://") + 3);
  return end == string_view::npos ? url.size() : end;
}

// File names are pasted as people see them; browsers escape the same characters. Not the backslash,
// which some readers of URLs take for a slash.
std::string escaped(string_view url) {
  constexpr string_view digits = "0123456789ABCDEF";
  constexpr string_view unwise = "\"<>[]^`{|}";
  const std::size_t authority = end_of_authority(url);
  std::string safe(url.substr(0, authority));
  for (const char c : url.substr(authority)) {
    if (is_ascii(c) && unwise.find(c) == string_view::npos) {
      safe += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    safe += '%';
    safe += digits[byte >> 4];
    safe += digits[byte & 0xF];
  }
  return safe;
}

std::vector<std::string> decoded_path(const urls::url_view& url) {
  std::vector<std::string> path;
  for (const auto& segment : url.segments()) path.emplace_back(segment);
  if (!path.empty() && path.back().empty()) path.pop_back();
  return path;
}

// Scheme and host in lower case, no default port, no fragment. Path and query stay as they are to
// the byte, because signed addresses depend on it.
std::string normalized(const urls::url_view& url, unsigned short default_port) {
  urls::url kept(url);
  kept.remove_fragment();
  kept.normalize_scheme();
  kept.normalize_authority();
  if (kept.port_number() == default_port || kept.port().empty()) {
    kept.remove_port();
  } else {
    kept.set_port_number(kept.port_number());  // "0443" is 443
  }
  return std::string(kept.buffer());
}

// The kind that the name of a file stands for, empty when none.
string_view file_kind(const urls::url_view& url) {
  const auto segments = url.segments();
  if (segments.empty()) return {};
  const std::string name = lower(std::string(segments.back()));
  const auto dot = name.rfind('.');
  if (dot == std::string::npos || dot == 0) return {};
  const string_view extension = string_view(name).substr(dot + 1);
  if (extension == "m3u8") return "hl";
  if (extension == "json") return "cm";
  if (one_of(extension, {"mp4", "flv", "webm", "ogg", "ogv", "mp3", "mov", "m4a"})) return "fi";
  return {};
}

result<media_link> read_file(const urls::url_view& url, string_view type, bool scheme_given) {
  if (!scheme_given) return unrecognized(": the address of a file has to begin with https://");
  if (url.scheme_id() != urls::scheme::https)
    return unrecognized(": a file has to be served over https, plain http is refused");
  return media_link{std::string(type), normalized(url, 443)};
}

result<media_link> read_rtmp(const urls::url_view& url, string_view scheme) {
  if (decoded_path(url).empty()) return unrecognized(": an RTMP address has to name a stream");
  return media_link{"rt", normalized(url, scheme == "rtmps" ? 443 : 1935)};
}

result<media_link> read_web(const urls::url_view& url, bool scheme_given) {
  const media_page at{lower(std::string(url.encoded_host())), decoded_path(url), url.params()};
  const media_site* known = find_media_site(at.host);
  if (known) {
    const unsigned short usual = url.scheme_id() == urls::scheme::https ? 443 : 80;
    if (!url.port().empty() && url.port_number() != usual)
      return unrecognized(": a link to a site cannot carry a port");
    if (const named_media named = known->read(at)) {
      if (checked_id id = find_media_kind(named->type)->check(named->id))
        return media_link{named->type, *std::move(id)};
    }
  }
  // Also for known sites, because some serve files from the same hosts.
  if (const string_view type = file_kind(url); !type.empty())
    return read_file(url, type, scheme_given);
  if (known) return unrecognized(": this link does not name " + std::string(known->wanted));
  return not_accepted();
}

result<media_link> read_url(string_view text) {
  const auto scheme_end = text.find_first_of(":/?#");
  const bool scheme_given = scheme_end != string_view::npos && text.substr(scheme_end, 3) == "://";
  const std::string address =
      escaped(scheme_given ? std::string(text) : "https://" + std::string(text));
  if (address.size() > max_media_url) return too_long();
  if (!std::all_of(address.begin(), address.end(), is_ascii))
    return unrecognized(": write an international host name in its xn-- form");

  const auto parsed = urls::parse_uri(address);
  if (!parsed) return not_accepted();
  const urls::url_view url = *parsed;
  // Boost 1.81 reads "https://host:x/" as the authority "host:" and the path "x/".
  const std::size_t authority = address.find("://") + 3;
  if (url.encoded_authority() !=
      string_view(address).substr(authority, end_of_authority(address) - authority))
    return not_accepted();

  const std::string host(url.encoded_host());
  if (host.empty() || host.find('%') != std::string::npos) return not_accepted();
  if (url.has_userinfo()) return unrecognized(": it must not carry a user name or password");
  if (!url.port().empty() && !port_number(url.port()))
    return unrecognized(": its port is not between 1 and 65535");
  if (is_odd_ipv4(host))
    return unrecognized(": an IPv4 address has to be four numbers from 0 to 255");

  const std::string scheme = lower(std::string(url.scheme()));
  if (one_of(scheme, {"rtmp", "rtmps"})) return read_rtmp(url, scheme);
  if (one_of(scheme, {"http", "https"})) return read_web(url, scheme_given);
  return not_accepted();
}

// "yt:dQw4w9WgXcQ". The id may also be a whole URL, if it is one of that kind.
result<media_link> read_short_form(string_view type_as_written, string_view id) {
  const std::string type = lower(type_as_written);
  const media_kind* known = find_media_kind(type);
  if (!known) {
    std::string all;
    for (const media_kind& each : media_kinds())
      all += (all.empty() ? "" : ", ") + std::string(each.type);
    return unrecognized(": the kinds of short forms are " + all);
  }
  if (id.find("://") != string_view::npos) {
    result<media_link> link = read_url(id);
    if (link.has_value() && link->type != type)
      return unrecognized(": the address is not of the kind " + type);
    return link;
  }
  if (id.size() > max_media_url) return too_long();
  if (checked_id checked = known->check(id)) return media_link{type, *std::move(checked)};
  if (known->only_a_url()) return unrecognized(": behind " + type + ": belongs the whole address");
  return unrecognized(": what follows " + type + ": is not an id of that kind");
}

bool is_short_form(string_view text) {
  return text.size() >= 3 && text[2] == ':' && text.substr(2, 3) != "://" &&
         made_of(lower(text.substr(0, 2)), is_lower, 2, 2);
}

}  // namespace

result<media_link> parse_media_link(string_view text) {
  constexpr std::size_t short_form_prefix = 3;
  text = trimmed(text);
  if (text.size() > max_media_url + short_form_prefix) return too_long();
  if (!is_valid_utf8(text)) return unrecognized(": it is not valid UTF-8");
  if (std::any_of(text.begin(), text.end(), is_control))
    return unrecognized(": it holds control characters");
  if (text.find(' ') != string_view::npos)
    return unrecognized(": give one address, without spaces in it");
  if (is_short_form(text)) return read_short_form(text.substr(0, 2), text.substr(3));
  return read_url(text);
}

std::string canonical_url(const media_link& link) {
  const media_kind* known = find_media_kind(link.type);
  if (!known) return link.id;
  if (link.type == "tv" && link.id.starts_with('v')) {
    return std::string(known->url_before) + link.id.substr(1);
  }
  if (const auto separator = link.id.find(';'); link.type == "li" && separator != std::string::npos)
    return std::string(known->url_before) + "accounts/" + link.id.substr(0, separator) +
           "/events/" + link.id.substr(separator + 1);
  return std::string(known->url_before) + link.id + std::string(known->url_behind);
}

std::string placeholder_title(const media_link& link) {
  return truncate_utf8("[" + link.type + "] " + link.id, 100);
}

}  // namespace rosey::playlist
