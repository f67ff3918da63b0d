// Rows that may be more than one answer of storage carries.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/array.hpp>
#include <cstdint>
#include <utility>

#include "playlist_plugin/storage/refused.hpp"
#include "rosey/sdk/storage_client.hpp"

namespace rosey::playlist {

// All that match, or the first `limit` of them, answer by answer. The request has an order.
inline boost::asio::awaitable<boost::json::array> select_all(sdk::storage_client& db,
                                                             sdk::db::select_request request) {
  boost::json::array all;
  for (;;) {
    const auto reply = co_await db.select(request);
    if (!reply) throw_refused(reply.error());
    all.insert(all.end(), reply->rows.begin(), reply->rows.end());
    if (!reply->truncated) co_return all;
    const auto count = static_cast<std::int64_t>(reply->rows.size());
    request.offset += count;
    if (request.limit) *request.limit -= count;
  }
}

}  // namespace rosey::playlist
