// What it means that the storage service refuses a request.
#pragma once

#include <stdexcept>

#include "rosey/sdk/storage_client.hpp"

namespace rosey::playlist {

// Somebody else changed the rows first.
inline bool outrun(const error& refusal) {
  return refusal.code == sdk::db::codes::conflict || refusal.code == sdk::db::codes::constraint;
}

inline error too_busy() {
  return {codes::busy, "Too many people are changing this queue; try again"};
}

// More than one message to storage can carry.
struct request_too_large : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// For requests that only broken code or a broken database has refused, or that are too large.
[[noreturn]] inline void throw_refused(const error& refusal) {
  if (refusal.code == sdk::db::codes::value_too_large) throw request_too_large(refusal.message);
  throw std::runtime_error("storage refuses: " + refusal.code + ": " + refusal.message);
}

}  // namespace rosey::playlist
