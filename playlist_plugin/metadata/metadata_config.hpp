// Where titles and durations come from, and how long one waits for them.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "playlist_plugin/metadata/resolver.hpp"

namespace rosey::playlist {

struct metadata_config {
  bool enabled = true;
  std::map<std::string, std::string, std::less<>> oembed = {
      // by media type: https addresses that take "url"
      {"yt", "https://www.youtube.com/oembed"},
      {"vi", "https://vimeo.com/api/oembed.json"},
      {"sc", "https://soundcloud.com/oembed"},
      {"dm", "https://www.dailymotion.com/services/oembed"}};
  std::string youtube_api = "https://www.googleapis.com/youtube/v3";
  std::string youtube_api_key;          // "": durations of YouTube are not asked for
  std::string ca_file;                  // PEM, beside the system's authorities; "": none
  resolver::name_servers name_servers;  // none: those of /etc/resolv.conf
  std::int64_t deadline_ms = 2000;      // that an answer to a person waits
  std::int64_t timeout_ms = 10'000;     // after which a fetch is given up
  std::int64_t cache_hours = 7 * 24;    // that a result is kept in storage
  std::int64_t max_fetches = 4;         // at once

  friend bool operator==(const metadata_config&, const metadata_config&) = default;
};

// The value of the setting "metadata": "oembed", "none", or an object. Throws std::runtime_error
// that names what is wrong.
metadata_config read_metadata_config(const boost::json::value& value);

}  // namespace rosey::playlist
