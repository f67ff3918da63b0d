// A message to the storage service, decoded: whose it is and what is asked.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "host_stub/storage/value.hpp"

namespace rosey::storage {

// One operation is a batch of one; only its answer has another shape.
struct data_request {
  db::batch_request work;
  bool batch = false;

  // Whether it has to wait for its turn to write.
  bool writes() const;

  // Whether a single statement does it, with nothing behind that may refuse it.
  bool is_one_statement() const;
};

enum class migrate_action { apply, rollback, status };

struct migration_request {
  migrate_action action = migrate_action::status;
  db::migrate_request how = {};
};

struct request {
  std::string plugin;
  std::variant<data_request, migration_request> what;
};

// The subject is db.row.<plugin>.<op>, db.kv.<plugin>.<op>, db.batch.<plugin> or
// db.migrate.<plugin>.<action>.
boost::system::result<request, db::failure> decode_request(std::string_view subject,
                                                           std::string_view payload);

// The message that answers it.
std::string encode_answer(const data_request& asked,
                          const boost::system::result<db::batch_reply, db::failure>& outcome);

}  // namespace rosey::storage
