// The steps that changes are made of.
#include "playlist_plugin/domain/change.hpp"

#include <algorithm>
#include <utility>

#include "playlist_plugin/domain/fair_order.hpp"

namespace rosey::playlist {

change::change(channel_state before) : after_(std::move(before)) {
  ++after_.version;
  if (after_.waiting.empty()) return;
  lowest_taken_ = after_.waiting.front().position;
  highest_taken_ = after_.waiting.back().position;
}

void change::append(queue_item item) {
  item.id = item_id(after_.next_item++);
  std::size_t index = after_.waiting.size();
  if (after_.order == queue_order::fair && index < most_reordered) {
    index = fair_place(after_, item.added_by);
  }
  added_.push_back(item);
  inserted_.push_back({item, 0});
  insert(index, {std::move(item), 0});
  events_.push_back(item_added{added_.back(), index + 1});
}

std::vector<new_position> change::rows_to_place() const {
  if (!renumbered_) return repositioned_;
  std::vector<new_position> all;
  for (const waiting_item& waiting : after_.waiting) {
    if (!is_inserted(waiting.item.id)) all.push_back({waiting.item.id, waiting.position});
  }
  return all;
}

queue_item change::remove(std::size_t index, const std::string& by) {
  queue_item item = after_.waiting[index].item;
  take_out(index);
  events_.push_back(item_removed{item, by});
  return item;
}

void change::clear(const std::string& by) {
  events_.push_back(queue_cleared{after_.waiting.size(), by});
  after_.waiting.clear();
  all_deleted_ = true;
}

void change::shuffle(const std::vector<std::size_t>& order, const std::string& by) {
  std::vector<waiting_item> waiting;
  waiting.reserve(order.size());
  for (const std::size_t index : order) waiting.push_back(after_.waiting[index]);
  after_.waiting = std::move(waiting);
  renumber();
  queue_shuffled shuffled{{}, by};
  for (const waiting_item& item : after_.waiting) shuffled.order.push_back(item.item.id);
  events_.push_back(std::move(shuffled));
}

void change::move(std::size_t from, std::optional<std::size_t> after, const std::string& by) {
  std::size_t to = 0;
  if (after) to = *after > from ? *after : *after + 1;
  move_to(from, to, by);
}

void change::move_to(std::size_t from, std::size_t to, const std::string& by) {
  waiting_item moved = after_.waiting[from];
  after_.waiting.erase(after_.waiting.begin() + static_cast<std::ptrdiff_t>(from));
  events_.push_back(
      item_moved{moved.item, to == 0 ? std::string() : after_.waiting[to - 1].item.id, by});
  insert(to, std::move(moved));
}

void change::settle_turns(const std::set<std::string>& users) {
  if (after_.order != queue_order::fair || after_.waiting.size() > most_reordered) return;
  for (const std::string& user : users) {
    for (std::size_t index = 1; index < after_.waiting.size(); ++index) {
      if (after_.waiting[index].item.added_by != user) continue;
      const std::size_t to = fair_place_of(after_, index);
      if (to < index) move_to(index, to, {});
    }
  }
}

void change::finish(const play_end& end) {
  const queue_item item = after_.playing->item;
  finished_.push_back({item, end});
  after_.last_end = finished_.back().end.at = std::max(end.at, after_.last_end);
  if (end.skipped) return_turn(after_, item.added_by);
  events_.push_back(item_finished{item, end.played, end.skipped});
  after_.playing.reset();
  after_.votes.clear();
  vote_.reset();
  withdrawn_.clear();
  votes_ended_ = true;
  playing_changed_ = true;
}

void change::start_next(std::int64_t now) {
  if (after_.playing) return;
  if (after_.waiting.empty()) after_.had_turn.clear();
  if (after_.waiting.empty()) return;
  queue_item item = after_.waiting.front().item;
  take_out(0);
  take_turn(after_, item.added_by);
  events_.push_back(item_playing{item, now});
  after_.playing = playing_item{std::move(item), now};
  playing_changed_ = true;
}

void change::play_next(const play_end& end, std::int64_t now) {
  finish(end);
  start_next(now);
  if (end.skipped) settle_turns({finished_.back().item.added_by});
}

void change::describe(const std::string& item_id, const media_metadata& about) {
  const auto tell = [&](queue_item& item) {
    if (item.id != item_id) return false;
    item.title = about.title;
    item.duration = about.duration;
    item.thumbnail_url = about.thumbnail_url;
    item.channel_name = about.channel_name;
    described_.push_back(item);
    events_.push_back(metadata_fetched{item});
    return true;
  };
  if (after_.playing && tell(after_.playing->item)) playing_changed_ = true;
  for (waiting_item& waiting : after_.waiting) tell(waiting.item);
}

void change::correct_start(std::int64_t started_at) {
  after_.playing->started_at = started_at;
  events_.push_back(item_position{after_.playing->item.id, started_at});
  playing_changed_ = true;
}

void change::record_vote(skip_vote given, std::size_t needed) {
  after_.votes.push_back(given);
  vote_ = std::move(given);
  events_.push_back(skip_voted{after_.playing->item.id, vote_->user, after_.votes.size(), needed});
}

void change::withdraw_vote(const std::string& user, std::size_t needed) {
  std::erase_if(after_.votes, [&user](const skip_vote& given) { return given.user == user; });
  withdrawn_.push_back(user);
  events_.push_back(skip_withdrawn{after_.playing->item.id, user, after_.votes.size(), needed});
}

void change::pass_vote(std::size_t needed) {
  events_.push_back(skip_passed{after_.playing->item.id, after_.votes.size(), needed});
}

// Two items may never share a position, not even between two writes of one transaction. A row that
// is written here goes where no other is at that moment.
void change::insert(std::size_t index, waiting_item item) {
  const auto position = free_position(index);
  if (position) item.position = *position;
  const std::string id = item.item.id;
  after_.waiting.insert(after_.waiting.begin() + static_cast<std::ptrdiff_t>(index),
                        std::move(item));
  if (!position) return renumber();
  lowest_taken_ = std::min(lowest_taken_, *position);
  highest_taken_ = std::max(highest_taken_, *position);
  for (waiting_item& row : inserted_) {
    if (row.item.id == id) row.position = *position;
  }
  if (!is_inserted(id)) repositioned_.push_back({id, *position});
}

std::optional<std::int64_t> change::free_position(std::size_t index) const {
  const bool first = index == 0;
  const bool last = index == after_.waiting.size();
  if (first && last) return 0;
  if (last) {
    const std::int64_t position = after_.waiting.back().position + position_stride;
    return position <= highest_position ? std::optional(position) : std::nullopt;
  }
  const std::int64_t next = after_.waiting[index].position;
  const std::int64_t previous =
      first ? next - 2 * position_stride : after_.waiting[index - 1].position;
  if (next - previous < 2 || previous < -highest_position) return std::nullopt;
  return previous + (next - previous) / 2;
}

// The new numbers come from a range in which none is taken.
void change::renumber() {
  const auto count = static_cast<std::int64_t>(after_.waiting.size());
  std::int64_t next =
      lowest_taken_ > (count - 1) * position_stride ? 0 : highest_taken_ + position_stride;
  lowest_taken_ = std::min(lowest_taken_, next);
  for (waiting_item& item : after_.waiting) {
    item.position = next;
    highest_taken_ = std::max(highest_taken_, next);
    for (waiting_item& row : inserted_) {
      if (row.item.id == item.item.id) row.position = next;
    }
    next += position_stride;
  }
  renumbered_ = true;
}

bool change::is_inserted(const std::string& item_id) const {
  return std::any_of(inserted_.begin(), inserted_.end(),
                     [&item_id](const waiting_item& row) { return row.item.id == item_id; });
}

void change::take_out(std::size_t index) {
  const auto taken = after_.waiting.begin() + static_cast<std::ptrdiff_t>(index);
  const std::string id = taken->item.id;
  after_.waiting.erase(taken);
  // An item that starts as it is added never becomes a row.
  const auto unwritten =
      std::find_if(inserted_.begin(), inserted_.end(),
                   [&id](const waiting_item& inserted) { return inserted.item.id == id; });
  if (unwritten != inserted_.end()) {
    inserted_.erase(unwritten);
  } else {
    deleted_.push_back(id);
  }
  // What is deleted is put nowhere else first.
  std::erase_if(repositioned_, [&id](const new_position& row) { return row.item_id == id; });
}

}  // namespace rosey::playlist
