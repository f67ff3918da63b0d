// The transitions; the table is in the header.
#include "playlist_plugin/service/channel_knowledge.hpp"

#include <algorithm>
#include <utility>

namespace rosey::playlist {

channel_knowledge::condition channel_knowledge::state() const {
  if (sent_) return condition::sending;
  if (use_.read && use_.looks_up && is_doubtful()) return condition::looking_up;
  if (is_doubtful()) return condition::doubtful;
  if (!held_) return condition::unknown;
  return has(heard_) ? condition::current : condition::outdated;
}

void channel_knowledge::heard(std::int64_t version, clock_time now) {
  heard_ = std::max(heard_, version);
  if (held_ && held_->version == heard_) confirmed_at_ = now.steady;
}

void channel_knowledge::begin(std::int64_t deadline) {
  use_ = use();
  use_.deadline = deadline;
}

void channel_knowledge::require(std::int64_t version, clock_time now) {
  if (!has(version) || !is_confirmed(now)) forget();
}

channel_knowledge::action channel_knowledge::next(clock_time now) {
  if (std::exchange(use_.begins_try, false)) {
    if (use_.failed_tries >= most_tries || now.steady > use_.deadline) return {};
    // One conflict is no crowd. More of them: others go first, longer with each failed try.
    if (use_.failed_tries > 1) {
      action pause{doing::pause};
      pause.longest = std::min(std::int64_t{1} << use_.failed_tries, longest_pause);
      return pause;
    }
  }
  if (use_.read && use_.looks_up && is_doubtful()) {
    action look{doing::look_up};
    look.request_id = unanswered_.front().request_id;
    return look;
  }
  if (use_.read) return take_read(now);
  if (is_doubtful() || !has(heard_)) forget();
  if (held_) {
    follow_clock(now);
    return {doing::use, held_};
  }
  use_.heard_before = heard_;
  return {doing::read};
}

void channel_knowledge::loaded(channel_state read, clock_time now) {
  use_.read = std::make_shared<const channel_state>(std::move(read));
  if (!is_doubtful()) return;
  use_.looks_up = unanswered_.front().what.after().version <= use_.read->version;
  if (!use_.looks_up) wait_for_late_ones(now);
}

void channel_knowledge::wait_for_late_ones(clock_time now) {
  if (answering_since_ == 0) answering_since_ = now.steady;
  if (now.steady >= answering_since_ + longest_lateness) unanswered_.clear();
}

channel_knowledge::action channel_knowledge::take_read(clock_time now) {
  held_ = std::exchange(use_.read, nullptr);
  const std::int64_t version = held_->version;
  // What storage says ends the matter, unless more was heard while it was asked.
  if (heard_ == use_.heard_before) heard_ = version;
  confirmed_at_ = now.steady;
  follow_clock(now);
  // Whoever looks again until no try is left is not sent to look once more.
  const bool is_news = std::exchange(read_version_, version) != version || !is_doubtful();
  return {doing::use, held_, is_news};
}

void channel_knowledge::follow_clock(clock_time now) {
  if (!held_->playing) return;
  const std::int64_t started_at = play_clock_.start_of(*held_->playing, now);
  if (started_at == held_->playing->started_at) return;
  channel_state shown = *held_;
  shown.playing->started_at = started_at;
  held_ = std::make_shared<const channel_state>(std::move(shown));
}

channel_knowledge::verdict channel_knowledge::decided(bool changes, clock_time now) {
  // Nothing is begun that ends after the sender has given up.
  if (now.steady > use_.deadline) return verdict::give_up;
  if (changes) return verdict::store;
  if (is_confirmed(now)) return verdict::answer;
  forget();
  again();
  return verdict::again;
}

void channel_knowledge::again() {
  ++use_.failed_tries;
  use_.begins_try = true;
}

const sent_change& channel_knowledge::sent(sent_change pending) {
  return sent_.emplace(std::move(pending));
}

sent_change channel_knowledge::take_sent() {
  sent_change taken = std::move(*sent_);
  sent_.reset();
  return taken;
}

sent_change channel_knowledge::stored(clock_time now) {
  confirmed_at_ = now.steady;
  return stored_before();
}

sent_change channel_knowledge::stored_before() {
  sent_change done = take_sent();
  const channel_state& after = done.what.after();
  held_ = std::make_shared<const channel_state>(after);
  if (done.what.playing_changed() && after.playing) {
    play_clock_.stored(*after.playing, done.at.wall_offset());
  }
  unanswered_.clear();  // this was the change to their version
  return done;
}

void channel_knowledge::conflicted() {
  sent_.reset();
  forget();
  again();
}

void channel_knowledge::refused() {
  sent_.reset();
  again();
}

std::optional<sent_change> channel_knowledge::replayed(const std::string& stamp) {
  const sent_change own = take_sent();
  return answered(own.request_id, stamp);
}

void channel_knowledge::timed_out() {
  sent_change own = take_sent();
  forget();
  answering_since_ = 0;
  if (unanswered_.size() < most_unanswered) unanswered_.push_back(std::move(own));
}

std::optional<sent_change> channel_knowledge::answered(const std::string& request_id,
                                                       const std::string& stamp) {
  forget();  // it may not be known here what was done
  return conclude(request_id, stamp);
}

void channel_knowledge::kept(const std::string& request_id) {
  std::erase_if(unanswered_, [&](const auto& each) { return each.request_id == request_id; });
}

std::optional<sent_change> channel_knowledge::looked_up(const std::string& request_id,
                                                        const std::string& stamp) {
  std::optional<sent_change> late = conclude(request_id, stamp);
  if (late) late->reply_names_next = false;  // nobody got that
  return late;
}

std::optional<sent_change> channel_knowledge::conclude(const std::string& request_id,
                                                       const std::string& stamp) {
  const auto has_id = [&](const sent_change& each) { return each.request_id == request_id; };
  const auto applied =
      std::find_if(unanswered_.begin(), unanswered_.end(),
                   [&](const sent_change& each) { return has_id(each) && each.stamp == stamp; });
  if (applied == unanswered_.end()) {
    std::erase_if(unanswered_, has_id);
    return std::nullopt;
  }
  sent_change done = std::move(*applied);
  unanswered_.clear();
  return done;
}

}  // namespace rosey::playlist
