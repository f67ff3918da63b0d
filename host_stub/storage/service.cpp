// Sorting of requests: refused at once, read by a reader, written by the writer.
#include "host_stub/storage/service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "host_stub/storage/database.hpp"
#include "host_stub/storage/fault_log.hpp"
#include "host_stub/storage/metrics.hpp"
#include "host_stub/storage/migration_marks.hpp"
#include "host_stub/storage/migration_places.hpp"
#include "host_stub/storage/migrator.hpp"
#include "host_stub/storage/transact.hpp"
#include "host_stub/storage/workers.hpp"
#include "host_stub/storage/writer.hpp"

namespace rosey::storage {

namespace {

template <class Report>
std::string encode_result(const result<Report>& outcome) {
  if (!outcome) return db::encode(db::failure(outcome.error()));
  return db::encode_success(db::to_json(*outcome));
}

// Nobody has asked for it.
std::string not_by_itself(const std::string& plugin) {
  return db::encode(db::failure(db::invalid(fmt::format(
      "storage.auto_migrate is false; run: rosey migrate --plugin {} --action up", plugin))));
}

bool changes_tables(migrator& work, const migration_request& asked) {
  if (asked.action != migrate_action::apply) return asked.action == migrate_action::rollback;
  const auto status = work.status();
  return status && !status->pending.empty();
}

// Of a plugin that brings no migrations. It may have tables all the same, whose files are gone.
std::string without_files(migrator& work) {
  const auto status = work.status();
  const bool is_broken = !status && status.error().code != db::codes::validation_error;
  if (is_broken) return encode_result(status);
  db::migration_report nothing;
  nothing.version = status ? status->version : 0;
  return encode_result(result<db::migration_report>(nothing));
}

std::string migrate(database& in, const options& chosen, migration_marks& marks,
                    const std::string& plugin, const migration_request& asked) {
  const migration_places places(chosen.plugins, chosen.migrations);
  migrator work(in, places.of(plugin), plugin);
  if (asked.how.automatic && !places.have(plugin)) return without_files(work);
  if (asked.how.automatic && !chosen.auto_migrate) return not_by_itself(plugin);
  std::optional<migration_marks::mark> mark;
  if (changes_tables(work, asked)) mark.emplace(marks, plugin);
  switch (asked.action) {
    case migrate_action::apply:
      return encode_result(work.up(asked.how.to, asked.how.dry_run));
    case migrate_action::rollback:
      return encode_result(work.down(asked.how.to, asked.how.dry_run));
    case migrate_action::status:
      return encode_result(work.status());
  }
  return {};
}

std::string read(session& in, const job& work, std::chrono::system_clock::time_point now,
                 const options& chosen) {
  if (work.outdated(chosen.longest_wait)) return encode_busy(waited_too_long);
  return transact(in, access::read, chosen.busy_timeout, [&](transaction& snapshot) {
    run_context context{work.plugin, milliseconds_since_1970(now), chosen.reply_limit};
    const batch_result outcome = run_batch(in, work.request.work, context);
    snapshot.take_back();
    return encode_answer(work.request, outcome);
  });
}

// Bytes of requests that are not answered yet. Any thread.
class byte_budget {
 public:
  explicit byte_budget(std::size_t limit) : limit_(limit) {}

  bool take(std::size_t bytes) {
    if (in_use_.fetch_add(bytes) + bytes <= limit_) return true;
    in_use_ -= bytes;
    return false;
  }
  void give_back(std::size_t bytes) { in_use_ -= bytes; }

  std::size_t in_use() const { return in_use_; }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> in_use_{0};
};

options checked(options chosen) {
  chosen.reply_limit = std::max<std::size_t>(chosen.reply_limit, 1024);
  chosen.clock = [even = std::make_shared<even_clock>(chosen.clock, chosen.steady_clock)] {
    return even->now();
  };
  return chosen;
}

using readers = workers<std::unique_ptr<session>>;

// A migration has a connection of its own, and waits for others: not where reads would wait behind.
struct migration_turn {};
using migrations = workers<migration_turn>;

// Requests. Waking the writer costs about as much as carrying out some.
constexpr std::size_t handed_over_together = 16;

class storage_service final : public service {
 public:
  storage_service(const options& chosen, std::unique_ptr<database> opened)
      : options_(checked(chosen)),
        database_(std::move(opened)),
        memory_(chosen.memory),
        write_faults_("written", options_.clock, chosen.log),
        read_faults_("read", options_.clock, chosen.log),
        writer_(
            connect(access::write, parallel() ? chosen.writers : 1),
            {chosen.write_queue, parallel() ? 1 : chosen.group, chosen.busy_timeout,
             chosen.request_age, chosen.sweep_interval, chosen.longest_wait, options_.reply_limit},
            write_faults_, options_.clock, chosen.log),
        readers_(connect(access::read, chosen.readers), chosen.read_queue),
        migrations_({migration_turn()}, chosen.read_queue) {}

  // What writes goes to the writer some at a time: it does not wake for each, and begins with the
  // first while the last are being decoded.
  void handle(std::span<incoming> burst) override {
    const auto arrived = std::chrono::steady_clock::now();
    std::vector<job> writes;
    for (incoming& each : burst) {
      sort(each, arrived, writes);
      if (writes.size() == handed_over_together) submit(std::exchange(writes, {}));
    }
    submit(std::move(writes));
  }

  statistics stats() const override {
    statistics now;
    now.requests = metrics_.requests();
    now.busy = busy_;
    now.groups = writer_.statistics().groups;
    now.grouped = writer_.statistics().requests;
    now.waiting_to_write = writer_.waiting();
    now.waiting_to_read = readers_.waiting();
    return now;
  }

  std::string monitor() const override {
    const auto queue = [](std::size_t waiting, std::size_t limit) {
      return json::object{{"waiting", waiting}, {"limit", limit}};
    };
    json::object report = metrics_.report();
    for (auto& [key, value] : describe(*database_)) report[key] = std::move(value);
    report["database"] = database_->dialect_name();
    report["group_size"] = to_json(writer_.statistics().sizes.summary());
    report["queue"] = {{"write", queue(writer_.waiting(), options_.write_queue)},
                       {"read", queue(readers_.waiting(), options_.read_queue)},
                       {"bytes", queue(memory_.in_use(), options_.memory)}};
    return db::encode_success(std::move(report));
  }

 private:
  void sort(incoming& request, std::chrono::steady_clock::time_point arrived,
            std::vector<job>& writes) {
    const std::size_t bytes = request.payload.size();
    metrics_.arrived();
    if (!memory_.take(bytes)) return refuse(counted(std::move(request.reply), {}));
    auto decoded = decode_request(request.subject, request.payload);
    reply_function reply =
        counted(std::move(request.reply), {bytes, arrived, decoded ? mode_of(*decoded) : none});
    if (!decoded) return reply(db::encode(decoded.error()));
    metrics_.decoded(*decoded);
    if (const auto* migration = std::get_if<migration_request>(&decoded->what)) {
      return submit_migration(decoded->plugin, *migration, std::move(reply));
    }
    job work{std::move(decoded->plugin), std::move(std::get<data_request>(decoded->what)),
             std::move(reply), arrived};
    if (is_being_migrated(work)) return work.reply(encode_busy(migration_at_work));
    if (!work.request.writes()) return submit_read(std::move(work));
    writes.push_back(std::move(work));
  }

  // A file has one writer, and others read what was before the migration; a server locks what it
  // changes.
  bool is_being_migrated(const job& work) const {
    if (parallel()) return marks_.of(work.plugin);
    return marks_.any() && work.request.writes();
  }

  void submit(std::vector<job> writes) {
    for (const job& refused : writer_.submit(std::move(writes))) refuse(refused.reply);
  }

  bool parallel() const { return database_->writes_in_parallel(); }

  struct counting {
    std::size_t bytes = 0;  // of the request
    std::chrono::steady_clock::time_point arrived = {};
    std::optional<access> mode = {};  // of what is worth timing
  };
  static constexpr std::optional<access> none = {};

  static std::optional<access> mode_of(const request& asked) {
    const auto* data = std::get_if<data_request>(&asked.what);
    if (!data) return none;
    return data->writes() ? access::write : access::read;
  }

  // Every answer goes through here.
  reply_function counted(reply_function reply, const counting& what) {
    return [this, what, reply = std::move(reply)](std::string answer) {
      memory_.give_back(what.bytes);
      metrics_.answered(answer);
      if (what.mode && db::refusal_code(answer) != db::codes::busy) {
        metrics_.took(*what.mode, std::chrono::steady_clock::now() - what.arrived);
      }
      reply(std::move(answer));
    };
  }

  std::vector<std::unique_ptr<session>> connect(access mode, std::size_t count) {
    std::vector<std::unique_ptr<session>> sessions;
    for (std::size_t i = 0; i < std::max<std::size_t>(count, 1); ++i) {
      sessions.push_back(database_->connect(mode));
    }
    return sessions;
  }

  void submit_read(job work) {
    const reply_function reply = work.reply;
    submit_task(readers_, reply, [this, work = std::move(work)](auto& in) {
      answer(work.reply, [&] {
        std::string text = read(*in, work, options_.clock(), options_);
        read_faults_.worked();
        return text;
      });
    });
  }

  void submit_migration(std::string plugin, migration_request asked, reply_function reply) {
    const auto task = [this, plugin = std::move(plugin), asked, reply](auto&) {
      answer(reply, [&] { return migrate(*database_, options_, marks_, plugin, asked); });
    };
    if (asked.action == migrate_action::status) return submit_task(readers_, reply, task);
    submit_task(migrations_, reply, task);
  }

  template <class Workers>
  void submit_task(Workers& to, const reply_function& reply, typename Workers::task task) {
    if (!to.submit(task)) refuse(reply);
  }

  template <class Produce>
  void answer(const reply_function& reply, Produce produce) {
    std::string text;
    try {
      text = produce();
    } catch (const std::exception& failure) {
      text = db::encode(read_faults_.failed(failure));
    }
    try {
      reply(std::move(text));
    } catch (const std::exception& failure) {
      options_.log(fmt::format("Cannot answer: {}", failure.what()));
    }
  }

  void refuse(const reply_function& reply) {
    ++busy_;
    reply(encode_busy("Too many requests wait; try again later"));
  }

  const options options_;
  const std::unique_ptr<database> database_;
  metrics metrics_;
  byte_budget memory_;
  migration_marks marks_;
  std::atomic<std::uint64_t> busy_{0};
  fault_log write_faults_;
  fault_log read_faults_;
  writer writer_;
  readers readers_;
  migrations migrations_;
};

}  // namespace

std::unique_ptr<service> open_service(const options& chosen) {
  return open_service(chosen, open_database(chosen));
}

std::unique_ptr<database> open_database(const options& chosen) {
  return open_database(chosen.database, {chosen.busy_timeout, chosen.synchronous,
                                         chosen.read_timeout, chosen.write_timeout});
}

std::unique_ptr<service> open_service(const options& chosen, std::unique_ptr<database> opened) {
  return std::make_unique<storage_service>(chosen, std::move(opened));
}

}  // namespace rosey::storage
