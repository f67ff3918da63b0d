// Keys made of a prefix and a name from outside, kept within the length that storage takes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rosey/wire/decode.hpp"

namespace rosey::playlist {

// "ratelimit:ann". A name that would make the key too long is replaced by '~' and its FNV-1a hash;
// two such names may share a key.
inline std::string bounded_key(std::string_view prefix, std::string_view name) {
  if (prefix.size() + name.size() <= wire::max_name) {
    return std::string(prefix) + std::string(name);
  }
  std::uint64_t hash = 14695981039346656037u;
  for (const unsigned char byte : name) hash = (hash ^ byte) * 1099511628211u;
  return std::string(prefix) + "~" + std::to_string(hash);
}

// Under which the answer of a request is stored.
inline std::string answer_key(std::string_view request_id) {
  return bounded_key("cmd:", request_id);
}

}  // namespace rosey::playlist
