// One connection to PostgreSQL: statements with typed parameters, prepared once, and errors by
// kind.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "host_stub/storage/database.hpp"
#include "host_stub/storage/postgresql/postgresql_value.hpp"

namespace rosey::storage {

// Used by one thread at a time. Every function throws sql_failure; `interrupted` says that the
// connection is lost, or that what was prepared no longer fits the tables. No call waits for a
// server that hangs: past the time of a statement it throws server_silent, and the connection is
// lost.
class postgresql_connection {
 public:
  using answer_handler = std::function<void(const postgresql_result&)>;

  // Without a password: "postgresql://host:5432/name". Throws std::runtime_error if it is no URL.
  static std::string shown(const std::string& url);

  // `mode` is what its transactions are for.
  postgresql_connection(const std::string& url, access mode, const database_options& options);

  bool lost() const { return given_up_ || PQstatus(native()) != CONNECTION_OK; }

  // How long a statement may take from now on; 0: for ever. The server ends what takes longer.
  void set_time_limit(std::chrono::milliseconds most);
  PGTransactionStatusType transaction_status() const { return PQtransactionStatus(native()); }

  // Statements without parameters, separated by semicolons; the last one's answer.
  postgresql_result execute(const std::string& sql);
  // The same; `most` is how long to wait for the answer.
  postgresql_result execute_within(std::chrono::milliseconds most, const std::string& sql);

  // Prepares it, or finds it prepared.
  postgresql_result execute(const statement& what);
  // The same with each in turn, but without waiting for one's answer before sending the next.
  // After the first that fails no other is executed.
  void execute_all(const std::vector<statement>& all, const answer_handler& each);
  // Does not prepare it.
  postgresql_result execute_once(const statement& what);

  // The database's; "" if it has none.
  std::string identity();

  std::string literal(const std::string& text) const;

  PGconn* native() const { return connection_.get(); }

 private:
  struct prepared {
    std::string key;
    std::string name;
  };

  // To be sent before anything else is prepared.
  struct ready {
    const std::string& name;
    parameter_list parameters;
  };

  void finish_connecting();
  std::chrono::milliseconds connect_timeout() const;
  const std::string& prepare(std::string key, const std::string& sql,
                             const parameter_list& parameters);
  int send(const std::string& name, const parameter_list& parameters);
  void execute_portion(const std::vector<ready>& portion, const answer_handler& each);
  bool send_together(const std::vector<ready>& portion);
  postgresql_result answer_to(int sent);
  postgresql_result answer_to(int sent, std::chrono::steady_clock::time_point deadline);
  postgresql_result last_result(std::chrono::steady_clock::time_point deadline);
  postgresql_result checked(postgresql_result answer) const;
  std::chrono::steady_clock::time_point answer_time() const;
  sql_failure connection_failure() const;
  // Throws server_silent.
  void wait(short events, std::chrono::steady_clock::time_point deadline);

  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
  std::chrono::milliseconds time_limit_{0};
  bool given_up_ = false;
  std::list<prepared> newest_first_;
  std::unordered_map<std::string, std::list<prepared>::iterator> by_key_;
  std::size_t kept_bytes_ = 0;
  std::size_t names_given_ = 0;
};

}  // namespace rosey::storage
