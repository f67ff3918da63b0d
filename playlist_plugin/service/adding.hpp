// Adding: what the site says about the media comes first if it comes soon, else later.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "playlist_plugin/config.hpp"
#include "playlist_plugin/domain/adding_rules.hpp"
#include "playlist_plugin/metadata/metadata_lookup.hpp"
#include "playlist_plugin/service/channels.hpp"
#include "playlist_plugin/service/completion.hpp"
#include "playlist_plugin/service/presenter.hpp"

namespace rosey::playlist {

// Who adds, and in which role.
struct requester {
  std::string user;
  wire::role role = wire::role::user;
};

class adding {
 public:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using reply = result<boost::json::object>;

  adding(channels& channels, playlist_storage& storage, metadata_lookup& metadata,
         completion& completion, clock& time, const plugin_config& config);

  // `url` as a person typed it.
  awaitable<reply> add(origin from, std::string url, requester by, presenter<add_outcome> present);

 private:
  // What is to be added by whom; shared by the steps of one request.
  struct wish {
    std::vector<new_item> items;
    std::string user;
    bool exempt = false;
    std::int64_t patience = 0;  // milliseconds, with the site
  };

  awaitable<reply> add_one(origin from, media_link link, std::shared_ptr<wish> wanted,
                           presenter<add_outcome> present);
  awaitable<reply> add_list(origin from, media_link list, std::shared_ptr<wish> wanted,
                            presenter<add_outcome> present);
  // Puts the entries of the list into the wish, as many as the adder may have.
  awaitable<std::optional<refusal>> read_list(std::string channel, media_link list,
                                              std::shared_ptr<wish> wanted);
  // Whether more entries would not be taken.
  awaitable<result<bool>> is_enough(std::string channel, std::shared_ptr<wish> wanted);
  awaitable<reply> store(origin from, std::shared_ptr<wish> wanted, presenter<add_outcome> present);
  // Reads what adds to the wish's decision besides the channel.
  awaitable<void> look_up(std::string channel, std::shared_ptr<wish> wanted);
  awaitable<void> look_up_last_plays(std::string channel, std::shared_ptr<wish> wanted);
  // Spares the site and the person's time when the answer is no whatever the site says.
  awaitable<std::optional<refusal>> refusal_in_advance(std::string channel,
                                                       std::shared_ptr<wish> wanted);
  adder adder_of(const wish& wanted, std::int64_t now) const;

  channels& channels_;
  playlist_storage& playlist_storage_;
  metadata_lookup& metadata_lookup_;
  completion& completion_;
  clock& clock_;
  queue_limits limits_;
  std::vector<wire::role> exempt_roles_;
  std::int64_t patience_;  // milliseconds
};

}  // namespace rosey::playlist
