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

// For requests that only broken code or a broken database has refused.
[[noreturn]] inline void throw_refused(const error& refusal) {
  throw std::runtime_error("storage refuses: " + refusal.code + ": " + refusal.message);
}

}  // namespace rosey::playlist
