// The sites whose pages are media: which hosts are theirs, and which kind and id a page names.
#pragma once

#include <array>
#include <boost/url/params_view.hpp>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "playlist_plugin/domain/media_link.hpp"

namespace rosey::playlist {

// What a site sees of a URL.
struct media_page {
  std::string host;               // lower case
  std::vector<std::string> path;  // percent-decoded, without an empty last segment
  boost::urls::params_view query;

  bool begins(std::initializer_list<std::string_view> words) const;
  std::string param(std::string_view name) const;  // the first of that name; empty when none
  std::string joined_path() const;
};

// A kind and an id which that kind's check still has to accept.
using named_media = std::optional<media_link>;

struct media_site {
  std::array<std::string_view, 8> hosts;  // all of them: a host is compared, never searched
  named_media (*read)(const media_page&);
  std::string_view wanted;  // ends "this link does not name …"
};

// Null when the host, in lower case, is of no known site. Lives as long as the program.
const media_site* find_media_site(std::string_view host);

}  // namespace rosey::playlist
