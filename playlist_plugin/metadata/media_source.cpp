// Address, fetch, read.
#include "playlist_plugin/metadata/media_source.hpp"

#include <set>
#include <string>
#include <utility>

#include "playlist_plugin/metadata/fetch_codes.hpp"

namespace rosey::playlist {

using boost::asio::awaitable;

namespace {

constexpr std::size_t most_pages = 20;  // of a list, whatever is on them

}  // namespace

bool media_source::knows(const media_link& link) const {
  return metadata_address(config_, link).has_value();
}

std::string_view media_source::source_of(const media_link& link) const {
  return metadata_source(config_, link);
}

std::string media_source::endpoint_of(const media_link& link) const {
  return metadata_endpoint(config_, link);
}

awaitable<result<media_metadata>> media_source::fetch(media_link link) {
  std::string address = metadata_address(config_, link).value_or("");
  const auto body = co_await client_.get_json(std::move(address));
  if (!body) {
    // Of a video that is not there, oEmbed says so by its status; the API refuses a key by it.
    const bool final = body.error().code == fetch_codes::refused && source_of(link) == "oembed";
    if (final) co_return error{fetch_codes::unknown, body.error().message};
    co_return body.error();
  }
  co_return read_metadata(config_, link, *body);
}

bool media_source::lists(const media_link& link) const {
  return config_.enabled && link.type == "yp" && !config_.youtube_api_key.empty();
}

awaitable<result<std::vector<listed_media>>> media_source::list(media_link link, std::size_t most) {
  std::vector<listed_media> listed;
  std::set<std::string> read;  // pages
  std::string page_token;
  do {
    read.insert(page_token);
    std::string list_address = playlist_address(config_, link.id, page_token);
    const auto list_body = co_await client_.get_json(std::move(list_address));
    if (!list_body) co_return list_body.error();
    const auto page = read_playlist_page(*list_body);
    if (!page) co_return page.error();
    page_token = page->next;
    if (page->videos.empty()) continue;

    std::string details_address = videos_address(config_, page->videos);
    const auto details_body = co_await client_.get_json(std::move(details_address));
    if (!details_body) co_return details_body.error();
    const auto found = read_videos(*details_body);
    if (!found) co_return found.error();
    // In the list's order, and nothing that was not asked for.
    for (const std::string& id : page->videos) {
      const auto video = found->find(id);
      if (video == found->end() || listed.size() == most) continue;
      listed.push_back({{"yt", id}, video->second});
    }
  } while (!page_token.empty() && !read.contains(page_token) && read.size() < most_pages &&
           listed.size() < most);
  co_return listed;
}

}  // namespace rosey::playlist
