// Asks the sites about their media.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "playlist_plugin/metadata/http_client.hpp"
#include "playlist_plugin/metadata/site_answers.hpp"

namespace rosey::playlist {

struct listed_media {
  media_link media;
  media_metadata about;
};

class media_source {
 public:
  media_source(http_client& client, const metadata_config& config)
      : client_(client), config_(config) {}

  // Whether a site can be asked about this media.
  bool knows(const media_link& link) const;
  // Who is asked; see metadata_source.
  std::string_view source_of(const media_link& link) const;
  // Where; see metadata_endpoint.
  std::string endpoint_of(const media_link& link) const;
  // Fails with one of fetch_codes.
  boost::asio::awaitable<result<media_metadata>> fetch(media_link link);

  // Whether this is a list whose entries can be asked for.
  bool lists(const media_link& link) const;
  // The first entries, at most so many; those that cannot be played are left out.
  boost::asio::awaitable<result<std::vector<listed_media>>> list(media_link link, std::size_t most);

 private:
  http_client& client_;
  metadata_config config_;
};

}  // namespace rosey::playlist
