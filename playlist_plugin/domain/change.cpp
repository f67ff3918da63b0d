// The steps that changes are made of.
#include "playlist_plugin/domain/change.hpp"

#include <algorithm>
#include <utility>

namespace rosey::playlist {

change::change(channel_state before) : after_(std::move(before)) {
  ++after_.version;
}

void change::append(queue_item item) {
  item.id = item_id(after_.next_item++);
  const std::int64_t position = after_.waiting.empty() ? 0 : after_.waiting.back().position + 1;
  after_.waiting.push_back({std::move(item), position});
  const waiting_item& last = after_.waiting.back();
  inserted_.push_back(last);
  added_ = last.item;
  events_.push_back(item_added{last.item, after_.waiting.size()});
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
  reorder(std::move(waiting));
  queue_shuffled shuffled{{}, by};
  for (const waiting_item& item : after_.waiting) shuffled.order.push_back(item.item.id);
  events_.push_back(std::move(shuffled));
}

void change::move(std::size_t from, std::optional<std::size_t> after, const std::string& by) {
  std::vector<waiting_item> waiting = after_.waiting;
  const waiting_item moved = waiting[from];
  waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(from));
  std::size_t to = 0;
  if (after) to = *after > from ? *after : *after + 1;
  waiting.insert(waiting.begin() + static_cast<std::ptrdiff_t>(to), moved);
  reorder(std::move(waiting));
  events_.push_back(
      item_moved{moved.item, to == 0 ? std::string() : after_.waiting[to - 1].item.id, by});
}

void change::finish(const play_end& end) {
  finished_ = play_record{after_.playing->item, end};
  events_.push_back(item_finished{finished_->item, end.played, end.skipped});
  after_.playing.reset();
  after_.votes.clear();
  vote_.reset();
  withdrawn_.clear();
  votes_ended_ = true;
  playing_changed_ = true;
}

void change::start_next(std::int64_t now) {
  if (after_.playing || after_.waiting.empty()) return;
  queue_item item = after_.waiting.front().item;
  take_out(0);
  events_.push_back(item_playing{item, now});
  after_.playing = playing_item{std::move(item), now};
  playing_changed_ = true;
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

void change::reorder(std::vector<waiting_item> waiting) {
  // Two items may never share a position, not even between two writes of one transaction: the new
  // numbers come from a range in which none is taken.
  std::int64_t lowest = after_.waiting.front().position;
  std::int64_t highest = after_.waiting.back().position;
  const auto count = static_cast<std::int64_t>(waiting.size());
  std::int64_t next = lowest >= count ? 0 : highest + 1;
  for (waiting_item& item : waiting) item.position = next++;
  after_.waiting = std::move(waiting);
  renumbered_ = true;
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
}

}  // namespace rosey::playlist
