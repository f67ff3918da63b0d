// Group commit, and requests one by one.
#include "host_stub/storage/writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "host_stub/storage/transact.hpp"

namespace rosey::storage {

writer::writer(std::vector<std::unique_ptr<session>> sessions, writer_options options,
               fault_log& faults, clock_function clock, log_function log)
    : options_(options),
      faults_(faults),
      clock_(std::move(clock)),
      log_(std::move(log)),
      queue_(options.queue),
      next_sweep_(clock_() + options.sweep_interval) {
  for (auto& each : sessions) {
    begin(*each);
    threads_.emplace_back([this, own = std::move(each)] { run(*own); });
  }
}

writer::~writer() {
  queue_.close();
  for (std::thread& each : threads_) each.join();
}

// A file has one machine's clock. Before any request, which could otherwise meet it halfway.
void writer::begin(session& own) {
  if (options_.group == 1) return;
  try {
    transact(own, access::write, options_.patience, [&](transaction&) {
      believe_clock(own, milliseconds_since_1970(clock_()));
      return true;
    });
  } catch (const std::exception&) {
    // What is wrong, requests will meet as well.
  }
}

void writer::run(session& own) {
  bool locked = false;
  while (true) {
    // Also a service that nobody asks forgets what has expired.
    auto group = queue_.take(options_.group, until_sweep());
    if (!group) return;
    // All that wait have met the same lock: their time runs together, not one group's after the
    // other's.
    refuse_outdated(*group, locked ? options_.patience : options_.longest_wait);
    if (!group->empty()) locked = run_group(own, std::move(*group));
    sweep_if_due(own);
  }
}

void writer::refuse_outdated(std::vector<job>& group,
                             std::chrono::milliseconds longest_wait) const {
  const auto is_outdated = [=](const job& work) { return work.outdated(longest_wait); };
  const auto outdated = std::stable_partition(group.begin(), group.end(), std::not_fn(is_outdated));
  for (auto each = outdated; each != group.end(); ++each)
    reply(*each, encode_busy(waited_too_long));
  group.erase(outdated, group.end());
}

// Nobody hears of success before the commit, and a group whose transaction fails fails as a whole.
// True when somebody else's lock kept it out.
bool writer::run_group(session& own, std::vector<job> group) {
  std::vector<std::string> answers;
  bool locked = false;
  try {
    answers = options_.group == 1 ? std::vector{answer_alone(own, group.front())}
                                  : answer_together(own, group);
    ++statistics_.groups;
    statistics_.requests += group.size();
    statistics_.sizes.add(group.size());
    faults_.worked();
  } catch (const std::exception& failure) {
    const db::failure refusal = faults_.failed(failure);
    // Where there are several writers, it was a lock on what this request changes.
    locked = options_.group > 1 && refusal.code == db::codes::busy;
    answers.assign(group.size(), db::encode(refusal));
  }
  for (std::size_t i = 0; i < group.size(); ++i) reply(group[i], std::move(answers[i]));
  return locked;
}

// What a rule of one request's tables does to the transaction of all (a deferred key, a ROLLBACK of
// a trigger) is no fault of the others: alone, it harms nobody.
std::vector<std::string> writer::answer_together(session& own, std::vector<job>& group) {
  try {
    return transact(own, access::write, options_.patience,
                    [&](transaction&) { return answers_of(own, group); });
  } catch (const sql_failure& failure) {
    if (failure.kind != sql_failure_kind::constraint) throw;
  }
  return answer_one_by_one(own, group);
}

std::vector<std::string> writer::answer_one_by_one(session& own, const std::vector<job>& group) {
  std::vector<std::string> answers;
  for (const job& each : group) {
    try {
      answers.push_back(answer_alone(own, each));
    } catch (const std::exception& failure) {
      answers.push_back(db::encode(faults_.failed(failure)));
    }
  }
  return answers;
}

// What arrives meanwhile joins the group: the transaction is open, and the commit costs the same.
std::vector<std::string> writer::answers_of(session& own, std::vector<job>& group) {
  std::vector<std::string> answers;
  answers.reserve(options_.group);
  while (true) {
    while (answers.size() < group.size()) answers.push_back(answer_of(own, group[answers.size()]));
    if (group.size() >= options_.group) return answers;
    std::vector<job> more = queue_.take_present(options_.group - group.size());
    if (more.empty()) return answers;
    std::move(more.begin(), more.end(), std::back_inserter(group));
  }
}

// A refused request leaves nothing behind and does not disturb the others.
std::string writer::answer_of(session& own, const job& work) {
  run_context context{work.plugin, milliseconds_since_1970(clock_()), options_.reply_limit};
  // A statement that fails takes itself back.
  const bool guarded = !work.request.is_one_statement();
  const auto end = [&own, guarded](bool keep) {
    if (!guarded) return;
    if (!keep) own.rollback_to_savepoint();
    own.release();
  };
  if (guarded) own.savepoint();
  try {
    const batch_result outcome = run_batch(own, work.request.work, context);
    if (!own.in_transaction()) {
      throw sql_failure(sql_failure_kind::constraint, "a rule of the table ends transactions");
    }
    std::string answer = encode_answer(work.request, outcome);
    end(outcome.has_value());
    return answer;
  } catch (const std::exception& failure) {
    // The database takes a whole transaction back when its disk fails: then all are lost.
    if (!own.in_transaction()) throw;
    end(false);
    return db::encode(faults_.failed(failure));
  }
}

std::string writer::answer_alone(session& own, const job& work) {
  return transact(own, access::write, options_.patience, [&](transaction& current) {
    run_context context{work.plugin, milliseconds_since_1970(clock_()), options_.reply_limit};
    const batch_result outcome = run_batch(own, work.request.work, context);
    if (!outcome) current.take_back();
    return encode_answer(work.request, outcome);
  });
}

std::chrono::milliseconds writer::until_sweep() const {
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(next_sweep_.load() - clock_());
  return std::clamp(rest, std::chrono::milliseconds(0),
                    std::chrono::milliseconds(options_.sweep_interval));
}

void writer::sweep_if_due(session& own) {
  const std::unique_lock sweeping(sweeping_, std::try_to_lock);
  if (!sweeping) return;
  const auto now = clock_();
  if (now < next_sweep_.load()) return;
  next_sweep_ = now + options_.sweep_interval;
  try {
    const bool more = transact(own, access::write, options_.patience, [&](transaction&) {
      return sweep(own, milliseconds_since_1970(now),
                   milliseconds_since_1970(now - options_.request_age));
    });
    if (more) next_sweep_ = now;  // the next group goes on with it
  } catch (const sql_failure& failure) {
    // It is tried again soon; of what is broken the requests tell.
    if (failure.kind == sql_failure_kind::busy) return;
    log_(fmt::format("Cannot delete what has expired: {}", failure.what()));
  } catch (const std::exception& failure) {
    log_(fmt::format("Cannot delete what has expired: {}", failure.what()));
  }
}

void writer::reply(const job& work, std::string answer) const {
  try {
    work.reply(std::move(answer));
  } catch (const std::exception& failure) {
    log_(fmt::format("Cannot answer plugin '{}': {}", work.plugin, failure.what()));
  }
}

}  // namespace rosey::storage
