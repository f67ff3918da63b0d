// The sentences, with the emoji that people know.
#include "playlist_plugin/handlers/wording.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "playlist_plugin/domain/playback.hpp"
#include "playlist_plugin/domain/text.hpp"

namespace rosey::playlist::wording {
namespace {

constexpr std::size_t shown_items = 5;
constexpr int bar_width = 10;

std::string elapsed_text(std::int64_t seconds) {
  return seconds > 0 ? format_duration(seconds) : "0:00";
}

// Names are stored as they are, to be compared; only here they meet other people's eyes.
std::string person(const queue_item& item) {
  return printable(item.added_by);
}

std::string moment(const upcoming_item& item) {
  if (item.number == 0) return "now";
  if (item.unknown == 0) return "in " + elapsed_text(item.seconds);
  if (item.at_most) return "in at most " + elapsed_text(*item.at_most);
  const std::string unknown =
      fmt::format("{} of unknown length", item.unknown == 1 ? "an item" : "items");
  if (item.seconds == 0) return "after " + unknown;
  return fmt::format("in {} and {}", elapsed_text(item.seconds), unknown);
}

}  // namespace

std::string added(const add_outcome& outcome) {
  std::string text =
      fmt::format("📺 Added to queue (#{}): {}", outcome.number, outcome.items.front().title);
  if (outcome.items.size() > 1) text += fmt::format(" and {} more", outcome.items.size() - 1);
  if (outcome.left_out > 0) {
    text += fmt::format(" ({} left out: {}", outcome.left_out, outcome.reason);
    if (outcome.other_reasons > 0) {
      text += fmt::format("; {} of them for other reasons", outcome.other_reasons);
    }
    text += ")";
  }
  return text;
}

std::string queue(const channel_state& channel) {
  const queue_totals totals = totals_of(channel);
  if (totals.items == 0) return "📺 Queue is empty";
  std::string text = "📺 **Playlist**\n";
  if (channel.playing) {
    const queue_item& item = channel.playing->item;
    text += fmt::format("▶️ Now: {} [{}]\n   Added by: {}\n", item.title,
                        format_duration(item.duration), person(item));
  }
  const std::size_t shown = std::min(shown_items, channel.waiting.size());
  if (shown > 0) text += "**Up Next:**\n";
  for (std::size_t index = 0; index < shown; ++index) {
    const queue_item& item = channel.waiting[index].item;
    text += fmt::format("{}. {} [{}] - {}\n", index + 1, item.title, format_duration(item.duration),
                        person(item));
  }
  if (channel.waiting.size() > shown) {
    text += fmt::format("... and {} more\n", channel.waiting.size() - shown);
  }
  text += fmt::format("📊 {} items | {} | {} users", totals.items, format_total(totals.duration),
                      totals.users);
  return text;
}

std::string now_playing(const playing_item& playing, std::int64_t now) {
  const queue_item& item = playing.item;
  const std::int64_t elapsed = seconds_played(playing, now);
  const std::string total = format_duration(item.duration);
  std::string bar;
  if (item.duration > 0) bar = progress_bar(elapsed, item.duration, bar_width) + " ";
  return fmt::format("▶️ Now: {}\n{}{} / {}\n   Added by: {}", item.title, bar,
                     elapsed_text(elapsed), total, person(item));
}

std::string skipped(const skip_outcome& outcome) {
  if (!outcome.next) return "⏭️ Skipped. Queue is now empty.";
  return fmt::format("⏭️ Skipped. Now playing: {}", outcome.next->title);
}

std::string voted(const vote_outcome& outcome) {
  if (outcome.passed) return fmt::format("⏭️ Skip vote passed! ({} votes)", outcome.votes);
  return fmt::format("⏭️ Vote recorded ({}/{} needed)", outcome.votes, outcome.needed);
}

std::string removed(const remove_outcome& outcome) {
  if (outcome.items.size() > 1)
    return fmt::format("🗑️ Removed {} items", outcome.items.size());
  return fmt::format("🗑️ Removed: {}", outcome.items.front().title);
}

std::string moved(const move_outcome& outcome) {
  if (outcome.items.size() > 1) return fmt::format("↕️ Moved {} items", outcome.items.size());
  return fmt::format("↕️ Moved: {}", outcome.items.front().title);
}

std::string shuffled(const shuffle_outcome& outcome) {
  return fmt::format("🔀 Shuffled {} items", outcome.count);
}

std::string cleared(const clear_outcome& outcome) {
  return fmt::format("🗑️ Cleared {} items from queue", outcome.count);
}

std::string when(const std::vector<upcoming_item>& upcoming) {
  std::string text = "⏱️ **Your items**";
  for (std::size_t index = 0; index < std::min(shown_items, upcoming.size()); ++index) {
    const upcoming_item& each = upcoming[index];
    const std::string place = each.number == 0 ? "▶️" : fmt::format("{}.", each.number);
    text += fmt::format("\n{} {} - {}", place, each.item.title, moment(each));
  }
  if (upcoming.size() > shown_items) {
    text += fmt::format("\n... and {} more", upcoming.size() - shown_items);
  }
  return text;
}

// The layout of history and statistics is the seed's, 2.5.
std::string history(const std::vector<history_entry>& entries) {
  if (entries.empty()) return "📜 No play history yet";
  std::string text = "📜 **Recent Plays**\n";
  for (const history_entry& entry : entries) {
    text += fmt::format("\n{} {} - {}", entry.skipped ? "⏭️" : "✅", entry.item.title,
                        person(entry.item));
  }
  return text;
}

std::string stats(const user_stats& stats) {
  const auto played = static_cast<double>(std::max<std::int64_t>(1, stats.items_played));
  return fmt::format(
      "📊 **Playlist Stats for {}**\n\n"
      "• Items Added: {}\n"
      "• Items Played: {}\n"
      "• Skip Rate: {:.0f}%\n"
      "• Total Time: {}h {}m",
      printable(stats.user), stats.items_added, stats.items_played,
      static_cast<double>(stats.items_skipped) / played * 100, stats.duration_played / 3600,
      stats.duration_played % 3600 / 60);
}

}  // namespace rosey::playlist::wording
