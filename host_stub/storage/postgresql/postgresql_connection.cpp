// libpq: its types are turned into ours here, and nowhere else.
#include "host_stub/storage/postgresql/postgresql_connection.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <random>
#include <string_view>

#include "host_stub/storage/postgresql/server_health.hpp"

namespace rosey::storage {

namespace {

constexpr std::size_t kept_statements = 128;
constexpr std::size_t most_kept_bytes = 512 * 1024;  // of their SQL
constexpr std::chrono::milliseconds grace{1000};     // for the server to end a statement itself
constexpr std::size_t most_parameters = 65535;       // the protocol counts them in 16 bits

// Of the catalogue pg_type, which never renumbers them.
constexpr Oid unknown_type = 0;  // what the context wants: a text is also a timestamp
constexpr Oid bool_type = 16;
constexpr Oid int8_type = 20;
constexpr Oid int2_type = 21;
constexpr Oid int4_type = 23;
constexpr Oid float4_type = 700;
constexpr Oid float8_type = 701;

// A SQLSTATE: the time limit does it.
constexpr std::string_view statement_cancelled = "57014";

struct encoder {
  Oid operator()(sql_null, std::string&) const { return unknown_type; }
  Oid operator()(bool value, std::string& text) const {
    text = value ? "t" : "f";
    return bool_type;
  }
  Oid operator()(std::int64_t value, std::string& text) const {
    text = std::to_string(value);
    return int8_type;
  }
  Oid operator()(double value, std::string& text) const {
    text = fmt::format("{}", value);  // the shortest that reads back the same
    return float8_type;
  }
  Oid operator()(const std::string& value, std::string& text) const {
    text = value;
    return unknown_type;
  }
};

// Parameters as libpq takes them.
class parameter_list {
 public:
  explicit parameter_list(const std::vector<sql_value>& values) : texts_(values.size()) {
    if (values.size() > most_parameters) {
      throw sql_failure(sql_failure_kind::invalid,
                        fmt::format("The operation has {} values; at most {} are accepted",
                                    values.size(), most_parameters));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto encode = [this, i](const auto& value) { return encoder{}(value, texts_[i]); };
      types_.push_back(std::visit(encode, values[i]));
      const bool null = std::holds_alternative<sql_null>(values[i]);
      pointers_.push_back(null ? nullptr : texts_[i].c_str());
    }
  }

  int size() const { return static_cast<int>(pointers_.size()); }
  const Oid* types() const { return types_.data(); }
  const char* const* values() const { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<Oid> types_;
  std::vector<const char*> pointers_;
};

template <class Number>
Number number_from(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

sql_value value_of(Oid type, std::string_view text) {
  switch (type) {
    case bool_type:
      return text == "t";
    case int2_type:
    case int4_type:
    case int8_type:
      return number_from<std::int64_t>(text);
    case float4_type:
    case float8_type:
      return number_from<double>(text);
    default:
      return std::string(text);
  }
}

// By SQLSTATE, "" if libpq itself failed. Appendix A of PostgreSQL's manual.
sql_failure_kind kind_of_state(std::string_view state) {
  const auto is_one_of = [state](std::initializer_list<std::string_view> states) {
    for (const std::string_view each : states) {
      if (state == each) return true;
    }
    return false;
  };
  // A serialisation failure, a deadlock, a lock that was not to be had.
  if (is_one_of({"40001", "40P01", "55P03"})) return sql_failure_kind::conflict;
  // Too many connections.
  if (is_one_of({statement_cancelled, "53300"})) return sql_failure_kind::busy;
  // The server ends, has ended or begins; what was prepared is gone, or fits the tables no more.
  if (state.empty() || state.starts_with("08") ||
      is_one_of({"57P01", "57P02", "57P03", "0A000", "26000", "42P01", "42703"})) {
    return sql_failure_kind::interrupted;
  }
  // A column that the database fills itself, and what a trigger raises.
  if (state.starts_with("23") || is_one_of({"428C9", "P0001"})) {
    return sql_failure_kind::constraint;
  }
  if (state.starts_with("22") || state.starts_with("54")) return sql_failure_kind::invalid;
  return sql_failure_kind::broken;
}

// Whoever waits longer for a row is likely to be in a deadlock, which the server looks for only
// after a second. Not the same for all, so that one of them gives way first.
std::chrono::milliseconds lock_timeout() {
  std::random_device random;
  return std::chrono::milliseconds(std::uniform_int_distribution(50, 100)(random));
}

// The first line says it.
std::string first_line(const char* message) {
  std::string_view text = message;
  text = text.substr(0, text.find('\n'));
  return std::string(text);
}

std::string field(const PGresult* of, int code) {
  const char* text = PQresultErrorField(of, code);
  return text ? text : "";
}

void ignore_notice(void*, const PGresult*) {}

}  // namespace

std::int64_t postgresql_result::affected() const {
  return number_from<std::int64_t>(PQcmdTuples(native()));
}

void postgresql_result::read(int row, std::vector<sql_value>& into) const {
  into.resize(static_cast<std::size_t>(PQnfields(native())));
  for (std::size_t i = 0; i < into.size(); ++i) {
    const int column = static_cast<int>(i);
    if (PQgetisnull(native(), row, column)) {
      into[i] = sql_null();
      continue;
    }
    const auto size = static_cast<std::size_t>(PQgetlength(native(), row, column));
    into[i] = value_of(PQftype(native(), column), {PQgetvalue(native(), row, column), size});
  }
}

std::string postgresql_connection::shown(const std::string& url) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> parsed(
      PQconninfoParse(url.c_str(), &message), &PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> owned(message, &PQfreemem);
  if (!parsed) {
    // libpq's own sentence quotes the URL, and with it the password.
    throw std::runtime_error(
        "The database's URL cannot be read; one looks like postgresql://USER@HOST:5432/NAME");
  }
  std::string host = "localhost";
  std::string port;
  std::string name;
  for (const PQconninfoOption* each = parsed.get(); each->keyword; ++each) {
    if (!each->val || !*each->val) continue;
    const std::string_view keyword = each->keyword;
    if (keyword == "host") host = each->val;
    if (keyword == "port") port = fmt::format(":{}", each->val);
    if (keyword == "dbname") name = each->val;
  }
  return fmt::format("postgresql://{}{}/{}", host, port, name);
}

postgresql_connection::postgresql_connection(const std::string& url, access mode,
                                             const database_options& options)
    : connection_(nullptr, &PQfinish) {
  // What stands behind the URL overrides it, and the URL what stands before it. A server that is
  // gone without a word is noticed within some ten seconds also where nobody waits for an answer.
  const char* const keywords[] = {"connect_timeout",
                                  "tcp_user_timeout",
                                  "keepalives_idle",
                                  "keepalives_interval",
                                  "keepalives_count",
                                  "fallback_application_name",
                                  "dbname",
                                  "client_encoding",
                                  nullptr};
  const char* const values[] = {"5", "10000", "5", "2", "3", "rosey", url.c_str(), "UTF8", nullptr};
  connection_.reset(PQconnectStartParams(keywords, values, 1));
  if (!connection_) throw std::bad_alloc();
  finish_connecting();
  PQsetNoticeReceiver(native(), ignore_notice, nullptr);
  const char* encoding = PQparameterStatus(native(), "server_encoding");
  if (!encoding || std::strcmp(encoding, "UTF8") != 0) {
    throw sql_failure(sql_failure_kind::broken, fmt::format("its encoding must be UTF8, but is {}",
                                                            encoding ? encoding : "unknown"));
  }
  std::string settings = fmt::format(
      "SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET standard_conforming_strings = on; "
      "SET extra_float_digits = 1; SET jit = off; SET lock_timeout = {}; SET synchronous_commit = "
      "{}",
      std::min(options.busy_timeout, lock_timeout()).count(), options.synchronous ? "on" : "off");
  // A scan of a whole table would make a serialisable transaction conflict with all others. (Where
  // there is no way around one, its fictitious cost would make the server compile each statement.)
  if (mode == access::write) settings += "; SET enable_seqscan = off";
  execute_within(connect_timeout(), settings);
  set_time_limit(mode == access::write ? options.write_timeout : options.read_timeout);
}

void postgresql_connection::finish_connecting() {
  const auto refused = [this] {
    return sql_failure(sql_failure_kind::broken, fmt::format("cannot reach the server: {}",
                                                             first_line(PQerrorMessage(native()))));
  };
  if (PQstatus(native()) == CONNECTION_BAD) throw refused();
  const auto deadline = std::chrono::steady_clock::now() + connect_timeout();
  for (auto next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;) {
    wait(next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
    next = PQconnectPoll(native());
    if (next == PGRES_POLLING_FAILED) throw refused();
  }
  PQsetnonblocking(native(), 1);
}

// libpq itself heeds it only where it waits.
std::chrono::milliseconds postgresql_connection::connect_timeout() const {
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(PQconninfo(native()),
                                                                               &PQconninfoFree);
  std::chrono::seconds most{5};
  for (const PQconninfoOption* each = options.get(); each && each->keyword; ++each) {
    if (std::string_view(each->keyword) != "connect_timeout" || !each->val) continue;
    const auto asked = number_from<std::int64_t>(each->val);
    if (asked > 0) most = std::chrono::seconds(std::min<std::int64_t>(asked, 3600));
  }
  return most;
}

void postgresql_connection::set_time_limit(std::chrono::milliseconds most) {
  execute_within(connect_timeout(), fmt::format("SET statement_timeout = {}", most.count()));
  time_limit_ = most;
}

postgresql_result postgresql_connection::execute(const std::string& sql) {
  return answer_to(PQsendQuery(native(), sql.c_str()));
}

postgresql_result postgresql_connection::execute_within(std::chrono::milliseconds most,
                                                        const std::string& sql) {
  return answer_to(PQsendQuery(native(), sql.c_str()), std::chrono::steady_clock::now() + most);
}

postgresql_result postgresql_connection::execute(const statement& what) {
  const parameter_list parameters(what.parameters);
  const std::string& name = prepare(what.sql, parameters.size(), parameters.types());
  return answer_to(PQsendQueryPrepared(native(), name.c_str(), parameters.size(),
                                       parameters.values(), nullptr, nullptr, 0));
}

postgresql_result postgresql_connection::execute_once(const statement& what) {
  const parameter_list parameters(what.parameters);
  return answer_to(PQsendQueryParams(native(), what.sql.c_str(), parameters.size(),
                                     parameters.types(), parameters.values(), nullptr, nullptr, 0));
}

std::string postgresql_connection::literal(const std::string& text) const {
  const std::unique_ptr<char, void (*)(void*)> quoted(
      PQescapeLiteral(native(), text.data(), text.size()), &PQfreemem);
  if (!quoted) throw sql_failure(sql_failure_kind::invalid, first_line(PQerrorMessage(native())));
  return quoted.get();
}

// The same text with other types of parameters is another statement.
const std::string& postgresql_connection::prepare(const std::string& sql, int parameters,
                                                  const Oid* types) {
  std::string key = sql;
  for (int i = 0; i < parameters; ++i) key += fmt::format(",{}", types[i]);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    newest_first_.splice(newest_first_.begin(), newest_first_, found->second);
    return newest_first_.front().name;
  }
  const std::string name = fmt::format("rosey_{}", ++names_given_);
  answer_to(PQsendPrepare(native(), name.c_str(), sql.c_str(), parameters, types));
  kept_bytes_ += key.size();
  while (!newest_first_.empty() &&
         (newest_first_.size() >= kept_statements || kept_bytes_ > most_kept_bytes)) {
    execute("DEALLOCATE " + newest_first_.back().name);
    kept_bytes_ -= newest_first_.back().key.size();
    by_key_.erase(newest_first_.back().key);
    newest_first_.pop_back();
  }
  newest_first_.push_front({key, name});
  by_key_.emplace(std::move(key), newest_first_.begin());
  return newest_first_.front().name;
}

postgresql_result postgresql_connection::answer_to(int sent) {
  const bool limited = time_limit_.count() > 0;
  return answer_to(sent, limited ? std::chrono::steady_clock::now() + time_limit_ + grace
                                 : std::chrono::steady_clock::time_point::max());
}

postgresql_result postgresql_connection::answer_to(int sent,
                                                   std::chrono::steady_clock::time_point deadline) {
  if (sent == 1) return checked(last_result(deadline));
  throw sql_failure(lost() ? sql_failure_kind::interrupted : sql_failure_kind::broken,
                    first_line(PQerrorMessage(native())));
}

// An error is the last of a statement's results.
postgresql_result postgresql_connection::last_result(
    std::chrono::steady_clock::time_point deadline) {
  postgresql_result last(nullptr);
  while (true) {
    // On a connection that broke there is nothing to wait for: the result says so.
    const bool unsent = PQflush(native()) == 1;
    const bool waiting = unsent || PQisBusy(native());
    if (waiting && PQstatus(native()) == CONNECTION_OK) {
      wait(static_cast<short>(unsent ? POLLIN | POLLOUT : POLLIN), deadline);
      PQconsumeInput(native());
      continue;
    }
    postgresql_result next(PQgetResult(native()));
    if (!next.native()) return last;
    last = std::move(next);
  }
}

void postgresql_connection::wait(short events, std::chrono::steady_clock::time_point deadline) {
  using std::chrono::steady_clock;
  pollfd socket{PQsocket(native()), events, 0};
  while (true) {
    int patience = -1;
    if (deadline != steady_clock::time_point::max()) {
      const auto rest =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
      patience = static_cast<int>(std::clamp<std::int64_t>(rest.count(), 0, 3'600'000));
    }
    const int ready = ::poll(&socket, 1, patience);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return;
    if (ready == 0 && steady_clock::now() >= deadline) {
      given_up_ = true;
      throw server_silent("the server does not answer");
    }
  }
}

postgresql_result postgresql_connection::checked(postgresql_result answer) const {
  const ExecStatusType status = PQresultStatus(answer.native());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return answer;
  const std::string state = field(answer.native(), PG_DIAG_SQLSTATE);
  std::string message = field(answer.native(), PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = first_line(PQerrorMessage(native()));
  if (state == statement_cancelled) message = took_too_long;
  // A server that ends may say so in its own words before it hangs up.
  const auto kind = lost() ? sql_failure_kind::interrupted : kind_of_state(state);
  throw sql_failure(kind, message);
}

}  // namespace rosey::storage
