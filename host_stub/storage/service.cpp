// Sorting of requests: refused at once, read by a reader, written by the writer.
#include "host_stub/storage/service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "host_stub/storage/database.hpp"
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

std::string migrate(database& in, const std::string& folder, const std::string& plugin,
                    const migration_request& asked) {
  migrator work(in, folder, plugin);
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
                 std::chrono::milliseconds patience) {
  return transact(in, access::read, patience, [&](transaction& snapshot) {
    run_context context{work.plugin, milliseconds_since_1970(now)};
    const batch_result outcome = run_batch(in, work.request.work, context);
    snapshot.take_back();
    return encode_answer(work.request, outcome);
  });
}

using readers = workers<std::unique_ptr<session>>;

// A migration has a connection of its own, and waits for others: not where reads would wait behind.
struct migration_turn {};
using migrations = workers<migration_turn>;

class storage_service final : public service {
 public:
  storage_service(const options& chosen, std::unique_ptr<database> opened)
      : options_(chosen),
        database_(std::move(opened)),
        writer_(connect(access::write, parallel() ? chosen.writers : 1),
                {chosen.write_queue, parallel() ? 1 : chosen.group, chosen.busy_timeout,
                 chosen.request_age, chosen.sweep_interval},
                chosen.clock, chosen.log),
        readers_(connect(access::read, chosen.readers), chosen.read_queue),
        migrations_({migration_turn()}, chosen.read_queue) {}

  void handle(std::string_view subject, std::string payload, reply_function reply) override {
    ++requests_;
    auto decoded = decode_request(subject, payload);
    if (!decoded) return reply(db::encode(decoded.error()));
    if (const auto* migration = std::get_if<migration_request>(&decoded->what)) {
      return submit_migration(decoded->plugin, *migration, std::move(reply));
    }
    job work{std::move(decoded->plugin), std::move(std::get<data_request>(decoded->what)),
             std::move(reply)};
    if (!work.request.writes()) return submit_read(std::move(work));
    if (!writer_.submit(work)) refuse(work.reply);
  }

  statistics stats() const override {
    statistics now;
    now.requests = requests_;
    now.busy = busy_;
    now.groups = writer_.statistics().groups;
    now.grouped = writer_.statistics().requests;
    now.waiting_to_write = writer_.waiting();
    now.waiting_to_read = readers_.waiting();
    return now;
  }

 private:
  bool parallel() const { return database_->writes_in_parallel(); }

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
      answer(work.reply, [&] { return read(*in, work, options_.clock(), options_.busy_timeout); });
    });
  }

  void submit_migration(std::string plugin, migration_request asked, reply_function reply) {
    const auto task = [this, plugin = std::move(plugin), asked, reply](auto&) {
      answer(reply, [&] { return migrate(*database_, options_.migrations, plugin, asked); });
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
      text = db::encode(failure_of(failure));
    }
    try {
      reply(std::move(text));
    } catch (const std::exception& failure) {
      options_.log(fmt::format("Cannot answer: {}", failure.what()));
    }
  }

  void refuse(const reply_function& reply) {
    ++busy_;
    reply(
        db::encode(db::failure(error{db::codes::busy, "Too many requests wait; try again later"})));
  }

  const options options_;
  const std::unique_ptr<database> database_;
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> busy_{0};
  writer writer_;
  readers readers_;
  migrations migrations_;
};

}  // namespace

std::unique_ptr<service> open_service(const options& chosen) {
  auto opened = open_database(chosen.database, {chosen.busy_timeout, chosen.synchronous});
  return std::make_unique<storage_service>(chosen, std::move(opened));
}

}  // namespace rosey::storage
