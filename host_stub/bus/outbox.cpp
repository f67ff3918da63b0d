// One thread that hands messages to libnats, in order.
#include "host_stub/bus/outbox.hpp"

#include <pthread.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace rosey::host {
namespace {

// Bytes that a message takes here, roughly.
std::size_t cost_of(const outbox::message& waiting) {
  constexpr std::size_t overhead = 256;
  const std::size_t whole = waiting.whole ? waiting.whole->payload().size() : 0;
  return overhead + waiting.payload.size() + whole;
}

// Whether the connection broke under the write, or has no room while it is away.
bool was_lost(natsStatus status) {
  return status == NATS_IO_ERROR || status == NATS_TIMEOUT || status == NATS_INSUFFICIENT_BUFFER;
}

constexpr std::chrono::milliseconds until_libnats_knows{100};

// libnats writes what it has gathered when it is asked to flush, and then waits for the server to
// answer a ping. The next batch gathers meanwhile; a slow server holds it up no longer than this.
// (Without a flush libnats writes after a millisecond of sleep; with SendAsap each message apart.)
constexpr std::int64_t most_between_batches_ms = 500;

}  // namespace

outbox::outbox(std::size_t most_bytes, failure_handler on_failure)
    : most_bytes_(most_bytes), on_failure_(std::move(on_failure)), thread_([this] { run(); }) {}

void outbox::close() {
  {
    std::unique_lock lock(mutex_);
    if (connected_) {
      empty_.wait_for(lock, patience, [this] { return waiting_.empty() && !writing_; });
    }
    ending_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void outbox::open(natsConnection* connection) {
  const std::lock_guard lock(mutex_);
  connection_ = connection;
  connected_ = true;
}

void outbox::set_connected(bool connected) {
  {
    const std::lock_guard lock(mutex_);
    connected_ = connected;
  }
  wake_.notify_one();
}

bool outbox::add(message next) {
  const std::size_t cost = cost_of(next);
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || bytes_ + cost > most_bytes_) return false;
    bytes_ += cost;
    waiting_.push_back(std::move(next));
    if (writing_ || waiting_.size() > 1) return true;  // the thread looks again by itself
  }
  wake_.notify_one();
  return true;
}

bool outbox::wait_until_empty(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return empty_.wait_for(lock, timeout, [this] { return waiting_.empty() && !writing_; });
}

natsStatus outbox::write(const message& next) const {
  if (next.whole) return natsConnection_PublishMsg(connection_, next.whole->native());
  const int size = static_cast<int>(next.payload.size());
  if (next.reply.empty()) {
    return natsConnection_Publish(connection_, next.subject.c_str(), next.payload.data(), size);
  }
  return natsConnection_PublishRequest(connection_, next.subject.c_str(), next.reply.c_str(),
                                       next.payload.data(), size);
}

std::size_t outbox::write(const std::deque<message>& batch) {
  std::size_t taken = 0;
  for (const message& next : batch) {
    const natsStatus status = write(next);
    if (was_lost(status)) break;
    if (status != NATS_OK) on_failure_(status, next.subject);
    ++taken;
  }
  // While somebody else flushes, libnats' own thread writes a millisecond later.
  const std::unique_lock turn(flushing_, std::try_to_lock);
  if (taken != 0 && turn) natsConnection_FlushTimeout(connection_, most_between_batches_ms);
  return taken;
}

natsStatus outbox::flush(std::chrono::milliseconds timeout) {
  const std::lock_guard turn(flushing_);
  return natsConnection_FlushTimeout(connection_, std::max<std::int64_t>(timeout.count(), 1));
}

void outbox::run() {
  ::pthread_setname_np(::pthread_self(), "nats-outbox");
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return ending_ || (connected_ && !waiting_.empty()); });
    if (ending_) return;
    std::deque<message> batch;
    batch.swap(waiting_);
    writing_ = true;
    lock.unlock();
    const std::size_t taken = write(batch);
    lock.lock();
    writing_ = false;
    for (std::size_t i = 0; i < taken; ++i) bytes_ -= cost_of(batch[i]);
    if (taken < batch.size()) {
      // The server cannot have got all of it. libnats says a moment later that it is away.
      waiting_.insert(waiting_.begin(),
                      std::make_move_iterator(batch.begin() + static_cast<std::ptrdiff_t>(taken)),
                      std::make_move_iterator(batch.end()));
      wake_.wait_for(lock, until_libnats_knows, [this] { return ending_ || !connected_; });
      continue;
    }
    if (waiting_.empty()) empty_.notify_all();
  }
}

}  // namespace rosey::host
