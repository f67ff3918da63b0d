// libpq: its types are turned into ours here, and nowhere else.
#include "host_stub/storage/postgresql/postgresql_connection.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <string_view>

#include "host_stub/storage/postgresql/server_health.hpp"

namespace rosey::storage {

namespace {

constexpr std::size_t kept_statements = 128;
constexpr std::size_t most_kept_bytes = 512 * 1024;  // of their SQL
constexpr std::size_t most_at_once = 256;            // statements, so that neither side holds many
constexpr std::chrono::milliseconds grace{1000};     // for the server to end a statement itself

// A SQLSTATE: the time limit does it.
constexpr std::string_view statement_cancelled = "57014";

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

// The same text with other types of parameters is another statement.
std::string key_of(const std::string& sql, const parameter_list& parameters) {
  std::string key = sql;
  for (int i = 0; i < parameters.size(); ++i) key += fmt::format(",{}", parameters.types()[i]);
  return key;
}

void ignore_notice(void*, const PGresult*) {}

}  // namespace

std::string postgresql_connection::shown(const std::string& url) {
  // libpq ends the password at the first '@' or '/', takes the rest for the host, and shows it.
  const auto begin = url.find("//") + 2;
  const auto login_end = std::min(url.find_first_of("@/", begin), url.size());
  const auto query = url.find('?', login_end);
  const auto last_at = url.rfind('@', query);
  if (last_at != std::string::npos && last_at > login_end) {
    throw std::runtime_error(
        "The database's URL has an '@' or '/' too many; in a user, password or name they are "
        "written %40 and %2F");
  }
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

std::string postgresql_connection::identity() {
  try {
    const auto found = execute_within(connect_timeout(), "SELECT identity FROM rosey_identity");
    return found.rows() > 0 ? PQgetvalue(found.native(), 0, 0) : "";
  } catch (const sql_failure& failure) {
    // No such table.
    if (failure.kind != sql_failure_kind::interrupted || lost()) throw;
    return {};
  }
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
  const std::string& name = prepare(key_of(what.sql, parameters), what.sql, parameters);
  return answer_to(send(name, parameters));
}

void postgresql_connection::execute_all(const std::vector<statement>& all,
                                        const answer_handler& each) {
  std::vector<ready> portion;
  for (const statement& what : all) {
    parameter_list parameters(what.parameters);
    std::string key = key_of(what.sql, parameters);
    // Preparing waits for its own answer, and may make room by forgetting what the portion uses.
    if (portion.size() == most_at_once || !by_key_.contains(key)) {
      execute_portion(portion, each);
      portion.clear();
    }
    const std::string& name = prepare(std::move(key), what.sql, parameters);
    portion.push_back({name, std::move(parameters)});
  }
  execute_portion(portion, each);
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

const std::string& postgresql_connection::prepare(std::string key, const std::string& sql,
                                                  const parameter_list& parameters) {
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    newest_first_.splice(newest_first_.begin(), newest_first_, found->second);
    return newest_first_.front().name;
  }
  const std::string name = fmt::format("rosey_{}", ++names_given_);
  answer_to(
      PQsendPrepare(native(), name.c_str(), sql.c_str(), parameters.size(), parameters.types()));
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

int postgresql_connection::send(const std::string& name, const parameter_list& parameters) {
  return PQsendQueryPrepared(native(), name.c_str(), parameters.size(), parameters.values(),
                             nullptr, nullptr, 0);
}

// The statements go out without waiting, and then come the answers: one wait for all of them.
void postgresql_connection::execute_portion(const std::vector<ready>& portion,
                                            const answer_handler& each) {
  if (portion.empty()) return;
  if (!send_together(portion)) {
    const sql_failure failure = connection_failure();
    given_up_ = true;  // who knows how much of it has left
    throw failure;
  }
  // After an error the rest is answered too, as not done, and the connection is good for others.
  std::vector<postgresql_result> answers;
  while (answers.size() <= portion.size() && !lost()) answers.push_back(last_result(answer_time()));
  if (!lost() && PQexitPipelineMode(native()) != 1) given_up_ = true;
  for (std::size_t i = 0; i < std::min(portion.size(), answers.size()); ++i) {
    each(checked(std::move(answers[i])));
  }
  if (lost()) throw connection_failure();
}

bool postgresql_connection::send_together(const std::vector<ready>& portion) {
  if (PQenterPipelineMode(native()) != 1) return false;
  for (const ready& next : portion) {
    // Else the server would keep answers back, and nobody could tell a slow one from a silent one.
    if (&next != &portion.front() && PQsendFlushRequest(native()) != 1) return false;
    if (send(next.name, next.parameters) != 1) return false;
  }
  return PQpipelineSync(native()) == 1;
}

postgresql_result postgresql_connection::answer_to(int sent) {
  return answer_to(sent, answer_time());
}

postgresql_result postgresql_connection::answer_to(int sent,
                                                   std::chrono::steady_clock::time_point deadline) {
  if (sent == 1) return checked(last_result(deadline));
  throw connection_failure();
}

std::chrono::steady_clock::time_point postgresql_connection::answer_time() const {
  const bool limited = time_limit_.count() > 0;
  return limited ? std::chrono::steady_clock::now() + time_limit_ + grace
                 : std::chrono::steady_clock::time_point::max();
}

sql_failure postgresql_connection::connection_failure() const {
  return {lost() ? sql_failure_kind::interrupted : sql_failure_kind::broken,
          first_line(PQerrorMessage(native()))};
}

// An error is the last of a statement's results.
postgresql_result postgresql_connection::last_result(
    std::chrono::steady_clock::time_point deadline) {
  postgresql_result last(nullptr);
  while (true) {
    // On a connection that broke there is nothing to wait for: the result says so. Of many
    // statements the first may be answered while others are still being sent.
    const bool unsent = PQflush(native()) == 1;
    if (PQisBusy(native()) && PQstatus(native()) == CONNECTION_OK) {
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
