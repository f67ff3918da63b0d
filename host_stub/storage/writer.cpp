// Group commit.
#include "host_stub/storage/writer.hpp"

#include <fmt/format.h>

namespace rosey::storage {

writer::writer(std::unique_ptr<session> in, writer_options options, clock_function clock,
               log_function log)
    : session_(std::move(in)),
      options_(options),
      clock_(std::move(clock)),
      log_(std::move(log)),
      queue_(options.queue),
      next_sweep_(clock_() + options.sweep_interval),
      thread_([this] { run(); }) {}

writer::~writer() {
  queue_.close();
  thread_.join();
}

void writer::run() {
  while (true) {
    std::vector<job> group = queue_.take(options_.group);
    if (group.empty()) return;
    run_group(std::move(group));
    sweep_if_due();
  }
}

// Nobody hears of success before the commit, and a group whose transaction fails fails as a whole.
void writer::run_group(std::vector<job> group) {
  std::vector<std::string> answers;
  try {
    transaction shared(*session_, access::write);
    answers = answers_of(group);
    shared.commit();
    ++statistics_.groups;
    statistics_.requests += group.size();
  } catch (const std::exception& failure) {
    answers.assign(group.size(), db::encode(failure_of(failure)));
  }
  for (std::size_t i = 0; i < group.size(); ++i) reply(group[i], std::move(answers[i]));
}

std::vector<std::string> writer::answers_of(const std::vector<job>& group) {
  std::vector<std::string> answers;
  answers.reserve(group.size());
  for (const job& work : group) answers.push_back(answer_of(work));
  return answers;
}

// A refused request leaves nothing behind and does not disturb the others.
std::string writer::answer_of(const job& work) {
  run_context context{work.plugin, milliseconds_since_1970(clock_())};
  session_->savepoint();
  try {
    const batch_result outcome = run_batch(*session_, work.request.work, context);
    std::string answer = encode_answer(work.request, outcome);
    if (!outcome) session_->rollback_to_savepoint();
    session_->release();
    return answer;
  } catch (const std::exception& failure) {
    // The database takes a whole transaction back when its disk fails: then all are lost.
    if (!session_->in_transaction()) throw;
    session_->rollback_to_savepoint();
    session_->release();
    return db::encode(failure_of(failure));
  }
}

void writer::sweep_if_due() {
  const auto now = clock_();
  if (now < next_sweep_) return;
  next_sweep_ = now + options_.sweep_interval;
  try {
    transaction sweeping(*session_, access::write);
    const bool more = sweep(*session_, milliseconds_since_1970(now),
                            milliseconds_since_1970(now - options_.request_age));
    sweeping.commit();
    if (more) next_sweep_ = now;  // the next group goes on with it
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
