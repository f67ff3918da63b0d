// Failures that the SDK throws, and what the sender of a request reads when one ends its work.
#pragma once

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <stdexcept>

#include "rosey/wire/result.hpp"

namespace rosey::sdk {

// Storage gave no answer, or none that says what the request did. After a timeout the request may
// still be carried out: only a batch with a request_id is safe to send again.
struct storage_unavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// There was no answer, not even a refusal, in the time that one waits for it: whoever asks next may
// wait as long.
struct storage_timed_out : storage_unavailable {
  using storage_unavailable::storage_unavailable;
};

// It has no time for the request, and has done nothing of it: a migration is at work, somebody
// holds a lock, or too much waits.
struct storage_busy : storage_unavailable {
  using storage_unavailable::storage_unavailable;
};

// Whether a coroutine ends because it was cancelled. That is a std::runtime_error as well: whoever
// catches those has to let it pass.
inline bool is_cancellation(const std::exception& failure) {
  const auto* system = dynamic_cast<const boost::system::system_error*>(&failure);
  return system && system->code() == boost::asio::error::operation_aborted;
}

// What exactly went wrong is for the log.
inline error reason_for_sender(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const storage_busy&) {
    return {codes::busy, "Storage is busy; try again in a moment"};
  } catch (const storage_unavailable&) {
    return {codes::storage_unavailable, "Storage cannot be reached; try again in a moment"};
  } catch (const std::exception& unexpected) {
    if (is_cancellation(unexpected)) {
      return {codes::busy, "The plugin is stopping; try again in a moment"};
    }
  } catch (...) {
  }
  return {codes::internal, "Something went wrong; the log says what"};
}

}  // namespace rosey::sdk
