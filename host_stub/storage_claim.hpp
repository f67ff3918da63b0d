// The right to serve a database on a NATS: not beside a service with another one, which would get a
// share of the requests, so that each of the two databases would hold some of the data.
#pragma once

#include <memory>
#include <string>

#include "host_stub/bus/connection.hpp"
#include "host_stub/storage/database.hpp"

namespace rosey::host {

// As long as it lives, a question on rosey.monitoring.storage is answered with the database.
class storage_claim {
 public:
  // `bus` must outlive it. Throws std::runtime_error if it cannot subscribe.
  storage_claim(connection& bus, const storage::database& own);

  // Returns when nobody serves another database here; who starts later will not. Throws
  // std::runtime_error with a sentence that names both databases.
  void settle();
  // The same where nobody can have been before.
  void hold();

 private:
  struct shared;

  connection& bus_;
  std::shared_ptr<shared> shared_;
  subscription questions_;
};

// Says in the log if nobody serves storage, and how to begin.
void tell_of_missing_storage(connection& bus);

}  // namespace rosey::host
