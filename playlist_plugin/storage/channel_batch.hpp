// A decided change as the batch of storage operations that makes it.
#pragma once

#include <cstddef>
#include <optional>

#include "playlist_plugin/storage/playlist_storage.hpp"
#include "rosey/wire/storage_batch.hpp"

namespace rosey::playlist {

struct channel_batch {
  wire::db::batch ops;
  std::optional<std::size_t> adds_op;  // where the charged user's rate limit is written
  add_times adds;                      // what is written there
};

// The first operation raises the channel's version, if it is still the one decided on; the whole
// batch fails with CONFLICT or CONSTRAINT if not.
channel_batch batch_of(const pending_change& pending, const quota_manager& quotas);

}  // namespace rosey::playlist
