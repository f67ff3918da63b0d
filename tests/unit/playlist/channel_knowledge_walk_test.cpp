// The machine's way for thousands of random steps, beside a simple model of storage and of what an
// instance can know of it.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "playlist_plugin/service/channel_knowledge.hpp"

namespace rosey::playlist {
namespace {

using condition = channel_knowledge::condition;
using doing = channel_knowledge::doing;
using verdict = channel_knowledge::verdict;

channel_state state_of(std::int64_t version) {
  channel_state state;
  state.version = version;
  return state;
}

struct model_try {
  std::string id;
  std::string stamp;
  std::int64_t to_version = 0;
  std::int64_t sent_at = 0;
};

// Storage: a version, an answer for each request, and tries that may still be carried out.
struct model_storage {
  std::int64_t version = 1;
  std::map<std::string, std::string> stamps;  // by request
  std::vector<model_try> late;
  std::set<std::string> carried_out;  // stamps of this instance's changes

  bool carry_out(const model_try& one) {
    if (stamps.contains(one.id) || version + 1 != one.to_version) return false;
    ++version;
    stamps[one.id] = one.stamp;
    carried_out.insert(one.stamp);
    return true;
  }

  void forget_late(std::int64_t steady) {
    std::erase_if(late, [steady](const model_try& one) {
      return steady >= one.sent_at + channel_knowledge::longest_lateness;
    });
  }
};

class walk {
 public:
  explicit walk(unsigned seed) : random_(seed) {}

  void step() {
    elsewhere();
    if (one_in(8)) {
      somebody_is_answered();
    } else {
      use();
    }
    check();
  }

  // All that was carried out has to be known in the end.
  void end() {
    storage_.late.clear();
    fails_ = false;
    for (int round = 0; round < 3; ++round) {
      pass(channel_knowledge::longest_lateness);
      use();
    }
    check();
    EXPECT_FALSE(known_.is_doubtful());
    EXPECT_EQ(published_, storage_.carried_out);
  }

  std::map<std::string, int> seen;  // how often the walk came by

 private:
  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  bool one_in(int n) { return below(n) == 0; }

  void pass(std::int64_t milliseconds) {
    now_.wall += milliseconds;
    now_.steady += milliseconds;
    storage_.forget_late(now_.steady);
  }

  std::string some_request() { return "r" + std::to_string(one_in(3) ? below(5) : below(100'000)); }

  // What happens without this instance, at any time.
  void elsewhere() {
    if (one_in(3)) pass(below(20'000));
    if (one_in(6)) ++storage_.version;
    if (!storage_.late.empty() && one_in(4)) {
      if (storage_.carry_out(storage_.late.front())) ++seen["carried out late"];
      storage_.late.erase(storage_.late.begin());
    }
    if (one_in(3)) {
      const std::int64_t version = storage_.version - (one_in(3) ? 1 : 0);
      known_.heard(version, now_);
      heard_ = std::max(heard_, version);
      if (held_ && *held_ == heard_) confirmed_at_ = now_.steady;
    }
    if (one_in(20)) {
      known_.forget();
      held_.reset();
    }
  }

  void somebody_is_answered() {
    const bool of_ours = !tries_.empty() && one_in(2);
    const std::string id = of_ours ? tries_.front().id : some_request();
    if (const auto found = storage_.stamps.find(id); found != storage_.stamps.end()) {
      ++seen["answered"];
      held_.reset();
      publish(known_.answered(id, found->second), conclude(id, found->second));
    } else {
      ++seen["kept"];
      storage_.stamps[id] = "kept";
      known_.kept(id);
      conclude(id, "kept");
    }
  }

  void use() {
    const std::int64_t deadline = now_.steady + 2000;
    known_.begin(deadline);
    if (one_in(3)) require();
    for (int tries = 1;; ++tries) {
      if (!inform(tries, deadline)) return;
      if (one_in(6)) elsewhere();
      const bool changes = !one_in(3);
      const bool late = now_.steady > deadline;
      const verdict expected = late                                        ? verdict::give_up
                               : changes                                   ? verdict::store
                               : now_.steady < confirmed_at_ + trusted_for ? verdict::answer
                                                                           : verdict::again;
      ASSERT_EQ(known_.decided(changes, now_), expected);
      if (expected == verdict::again) held_.reset();
      if (expected == verdict::give_up || expected == verdict::answer) return;
      if (expected == verdict::store && !send()) return;
    }
  }

  void require() {
    const std::int64_t version = storage_.version - below(2);
    known_.require(version, now_);
    const bool confirmed = now_.steady < confirmed_at_ + trusted_for;
    if (held_.value_or(0) < version || !confirmed) held_.reset();
  }

  // Until the channel can be used; false when it is given up, or storage is silent.
  bool inform(int tries, std::int64_t deadline) {
    bool begins = true;
    for (;;) {
      const auto next = known_.next(now_);
      if (begins && (tries > channel_knowledge::most_tries || now_.steady > deadline)) {
        ++seen["given up"];
        EXPECT_EQ(next.what, doing::give_up);
        return false;
      }
      if (std::exchange(begins, false) && tries > 2) {
        EXPECT_EQ(next.what, doing::pause);
        pass(next.longest);
        continue;
      }
      if (held_ && *held_ >= heard_ && tries_.empty()) return is_use(next);
      EXPECT_EQ(next.what, doing::read) << "nothing is held that is good enough";
      if (next.what != doing::read || !read()) return false;
      return is_use(known_.next(now_)) && took_read();
    }
  }

  bool is_use(const channel_knowledge::action& next) {
    EXPECT_EQ(next.what, doing::use);
    if (next.what != doing::use) return false;
    used_ = next.state->version;
    EXPECT_EQ(used_, held_.value_or(used_));
    return true;
  }

  // With all that is looked up.
  bool read() {
    held_.reset();
    heard_before_ = heard_;
    if (one_in(3)) elsewhere();
    if (fails()) return false;
    const std::int64_t version = storage_.version;
    if (one_in(3)) elsewhere();
    known_.loaded(state_of(version), now_);
    if (tries_.empty()) return read_is(version);
    if (tries_.front().to_version > version) {
      if (answering_since_ == 0) answering_since_ = now_.steady;
      const auto end = answering_since_ + channel_knowledge::longest_lateness;
      if (now_.steady >= end) tries_.clear();
      return read_is(version);
    }
    while (!tries_.empty()) {
      EXPECT_EQ(known_.state(), condition::looking_up);
      const auto next = known_.next(now_);
      EXPECT_EQ(next.what, doing::look_up);
      EXPECT_EQ(next.request_id, tries_.front().id);
      if (next.what != doing::look_up || fails()) return false;
      ++seen["looked up"];
      if (one_in(4)) elsewhere();
      const auto found = storage_.stamps.find(next.request_id);
      const std::string stamp = found == storage_.stamps.end() ? "" : found->second;
      publish(known_.looked_up(next.request_id, stamp), conclude(next.request_id, stamp));
    }
    return read_is(version);
  }

  bool read_is(std::int64_t version) {
    read_ = version;
    return true;
  }

  bool took_read() {
    EXPECT_EQ(used_, read_);
    held_ = read_;
    if (heard_ == heard_before_) heard_ = read_;
    confirmed_at_ = now_.steady;
    return true;
  }

  // True: once more.
  bool send() {
    const std::string stamp = "s" + std::to_string(++stamps_);
    const model_try own{some_request(), stamp, used_ + 1, now_.steady};
    known_.sent({change(state_of(used_)), own.id, stamp, now_, false});
    EXPECT_EQ(known_.state(), condition::sending);
    if (one_in(4)) elsewhere();
    if (tries_.size() < channel_knowledge::most_unanswered && fails()) return time_out(own);
    if (one_in(8)) {
      known_.refused();
      return true;
    }
    if (const auto found = storage_.stamps.find(own.id); found != storage_.stamps.end()) {
      ++seen["replayed"];
      held_.reset();
      publish(known_.replayed(found->second), conclude(own.id, found->second));
      return false;
    }
    if (!storage_.carry_out(own)) {
      ++seen["conflicted"];
      held_.reset();
      known_.conflicted();
      return true;
    }
    store(own);
    return false;
  }

  bool time_out(const model_try& own) {
    ++seen["timed out"];
    if (one_in(3)) {
      storage_.carry_out(own);
    } else if (!one_in(3)) {
      storage_.late.push_back(own);
    }
    known_.timed_out();
    held_.reset();
    answering_since_ = 0;
    tries_.push_back(own);
    return false;
  }

  void store(const model_try& own) {
    const bool at_once = !one_in(4);
    if (!at_once) elsewhere();
    ++seen[at_once ? "stored" : "stored before"];
    const sent_change done = at_once ? known_.stored(now_) : known_.stored_before();
    EXPECT_EQ(done.stamp, own.stamp);
    for (const model_try& one : tries_) EXPECT_FALSE(storage_.carried_out.contains(one.stamp));
    tries_.clear();
    held_ = own.to_version;
    if (at_once) confirmed_at_ = now_.steady;
    publish(done, own.stamp);
  }

  // The stamp of the try that was carried out, if it is one of those.
  std::string conclude(const std::string& id, const std::string& stamp) {
    for (const model_try& one : tries_) {
      if (one.id != id || one.stamp != stamp) continue;
      tries_.clear();
      return stamp;
    }
    std::erase_if(tries_, [&](const model_try& one) { return one.id == id; });
    return "";
  }

  void publish(const std::optional<sent_change>& given, const std::string& expected) {
    EXPECT_EQ(given ? given->stamp : "", expected);
    if (!given) return;
    EXPECT_TRUE(storage_.carried_out.contains(given->stamp)) << "it was not carried out";
    EXPECT_TRUE(published_.insert(given->stamp).second) << "it was published before";
  }

  void check() {
    const condition expected = !tries_.empty()   ? condition::doubtful
                               : !held_          ? condition::unknown
                               : *held_ < heard_ ? condition::outdated
                                                 : condition::current;
    EXPECT_EQ(known_.is_doubtful(), !tries_.empty());
    // A use that storage has cut short may have left a state that was read and never used.
    if (known_.state() == condition::looking_up) return;
    EXPECT_EQ(known_.state(), expected);
  }

  bool fails() { return fails_ && one_in(5); }

  static constexpr std::int64_t trusted_for = channel_knowledge::trusted_for;

  std::mt19937 random_;
  clock_time now_{1'700'000'000'000, 100'000};
  bool fails_ = true;
  model_storage storage_;
  int stamps_ = 0;
  std::set<std::string> published_;
  channel_knowledge known_;
  // What can be known.
  std::optional<std::int64_t> held_;
  std::int64_t heard_ = 0;
  std::int64_t confirmed_at_ = 0;
  std::vector<model_try> tries_;
  std::int64_t answering_since_ = 0;
  std::int64_t heard_before_ = 0;
  std::int64_t read_ = 0;
  std::int64_t used_ = 0;
};

TEST(what_is_known_on_a_random_walk, is_what_the_model_knows_and_each_change_is_published_once) {
  std::map<std::string, int> seen;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    walk here(seed);
    for (int step = 0; step < 1000; ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      here.step();
      if (::testing::Test::HasFailure()) return;
    }
    here.end();
    if (::testing::Test::HasFailure()) return;
    for (const auto& [what, times] : here.seen) seen[what] += times;
  }
  for (const char* what : {"stored", "stored before", "conflicted", "replayed", "timed out",
                           "carried out late", "looked up", "answered", "kept", "given up"}) {
    EXPECT_GE(seen[what], 100) << "the walk hardly comes by: " << what;
  }
}

}  // namespace
}  // namespace rosey::playlist
