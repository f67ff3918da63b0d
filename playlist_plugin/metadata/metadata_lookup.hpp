// Metadata by link: kept in storage, fetched once however many ask, and never too many at a time.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "playlist_plugin/async_mutex.hpp"
#include "playlist_plugin/clock.hpp"
#include "playlist_plugin/metadata/failure_memory.hpp"
#include "playlist_plugin/metadata/flights.hpp"
#include "playlist_plugin/metadata/media_source.hpp"
#include "rosey/sdk/context.hpp"
#include "rosey/sdk/storage_client.hpp"

namespace rosey::playlist {

// What is known of an item.
struct media_answer {
  std::optional<media_metadata> about;
  bool is_final = false;      // asking again would give the same
  std::int64_t retry_at = 0;  // else: when to ask again, by the steady clock
  bool useless = false;       // the site has answered, and the answer is of no use
};

// A site that cannot be reached is not asked by everybody who adds: it is given a pause, longer
// with each failure. So is a link whose answer is of no use, and that one alone. Only half of the
// fetches at once are of one site, so that the others go on while it hangs.
class metadata_lookup {
 public:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;

  metadata_lookup(const sdk::context& context, sdk::storage_client& db, media_source& source,
                  clock& time, const metadata_config& config);

  bool knows(const media_link& link) const { return source_.knows(link); }

  // Waits for at most `patience` milliseconds, or until the fetch has ended; the fetch goes on
  // without whoever waits no more.
  awaitable<media_answer> find(media_link link, std::optional<std::int64_t> patience);

  // The same for the first entries of a list. Nothing: not known by then.
  bool lists(const media_link& link) const { return source_.lists(link); }
  awaitable<std::optional<std::vector<listed_media>>> find_list(
      media_link link, std::size_t most, std::optional<std::int64_t> patience);

 private:
  awaitable<std::optional<media_answer>> ask(media_link link);
  // Of one site; a site is the endpoint that is asked.
  async_mutex& slots_of(const std::string& site);
  // When the link may be asked for again; 0 for at once.
  std::int64_t retry_at(const std::string& name, const std::string& site) const;
  awaitable<std::optional<std::vector<listed_media>>> ask_list(media_link link, std::size_t most);
  // What is kept names the endpoint that told it. One that was told by another is not there: an
  // operator may set a new one while it is still kept.
  awaitable<std::optional<boost::json::object>> read_cache(std::string key, std::string endpoint);
  awaitable<void> write_cache(std::string key, std::string endpoint, boost::json::object found,
                              std::int64_t seconds);

  sdk::context context_;
  sdk::storage_client& db_;
  media_source& source_;
  clock& clock_;
  std::int64_t cache_seconds_;
  std::size_t max_fetches_;
  async_mutex slots_;
  std::map<std::string, async_mutex> site_slots_;
  failure_memory failing_links_;
  failure_memory failing_sites_;
  flights<media_answer> items_;
  flights<std::vector<listed_media>> lists_;
};

}  // namespace rosey::playlist
