#include "soak/model.hpp"

#include <sqlite3.h>

#include <boost/json/serialize.hpp>
#include <stdexcept>

namespace rosey::tests {
namespace {

namespace json = boost::json;

// Commands keep what they did in "data", services in the answer itself.
const json::object& effect_of(const json::object& answer) {
  const json::value* data = answer.if_contains("data");
  return data && data->is_object() ? data->get_object() : answer;
}

std::string media_of(const json::object& effect) {
  const json::value* item = effect.if_contains("item");
  if (!item || !item->is_object()) return {};
  return std::string(item->at("media_id").as_string());
}

bool passed(const json::object& effect) {
  const json::value* value = effect.if_contains("passed");
  return value && value->is_bool() && value->get_bool();
}

}  // namespace

void answer_model::note(const answered_command& command) {
  const std::lock_guard lock(mutex_);
  channel_answers& channel = channels_[command.channel];
  if (command.answer.empty()) {
    if (command.verb == "add") channel.unknown.insert(command.media);
    if (command.verb == "add") ++adds_by_user_[command.user].unknown;
    return;
  }
  if (!command.answer.at("success").as_bool()) {
    if (command.verb == "add") channel.refused.insert(command.media);
    return;
  }
  const json::object& effect = effect_of(command.answer);
  if (command.verb == "add") {
    channel.added.insert(command.media);
    ++adds_by_user_[command.user].known;
    if (media_of(effect) != command.media) {
      contradictions_ += command.media + " was answered with " + json::serialize(effect) + "\n";
    }
  } else if (command.verb == "remove") {
    if (!channel.removed.insert(media_of(effect)).second) {
      contradictions_ += media_of(effect) + " was removed twice\n";
    }
  } else if (command.verb == "clear") {
    channel.cleared += static_cast<std::size_t>(effect.at("count").as_int64());
  } else if (command.verb == "skip" || (command.verb == "voteskip" && passed(effect))) {
    ++channel.skips;
  }
}

answer_model::verdict answer_model::compare(const std::filesystem::path& database) const {
  const std::lock_guard lock(mutex_);
  verdict found;
  found.what = contradictions_;
  for (const char c : contradictions_) found.doubles += c == '\n';
  auto stored = read(database);
  for (const auto& [name, said] : channels_) compare(name, said, stored[name], found);

  std::map<std::string, std::size_t> counted;
  for (const std::string& row :
       query_rows(database, "SELECT user_id, items_added FROM playlist_user_stats")) {
    counted[row.substr(0, row.find('\t'))] = std::stoul(row.substr(row.find('\t') + 1));
  }
  for (const auto& [user, adds] : adds_by_user_) {
    const std::size_t stored_adds = counted[user];
    if (stored_adds >= adds.known && stored_adds <= adds.known + adds.unknown) continue;
    (stored_adds < adds.known ? found.losses : found.doubles) += 1;
    found.what += user + " has added " + std::to_string(adds.known) +
                  " items, and the statistics say " + std::to_string(stored_adds) + "\n";
  }
  return found;
}

void answer_model::compare(const std::string& name, const channel_answers& said,
                           const stored_channel& stored, verdict& found) {
  const auto is_double = [&](const std::string& what) {
    ++found.doubles;
    found.what += name + ": " + what + "\n";
  };
  for (const auto& [media, places] : stored.places) {
    if (places > 1) is_double(media + " is in " + std::to_string(places) + " places");
    if (said.refused.contains(media)) is_double(media + " was refused and is there");
    if (said.removed.contains(media)) is_double(media + " was removed and is there");
    if (!said.added.contains(media) && !said.refused.contains(media) &&
        !said.unknown.contains(media)) {
      is_double(media + " was never answered and is there");
    }
  }
  std::size_t missing = 0;
  std::string names;
  for (const std::string& media : said.added) {
    if (stored.places.contains(media) || said.removed.contains(media)) continue;
    ++missing;
    names += " " + media;
  }
  if (missing > said.cleared) {
    found.losses += missing - said.cleared;
    found.what += name + ": " + std::to_string(missing - said.cleared) + " of these are lost, " +
                  std::to_string(said.cleared) + " were cleared:" + names + "\n";
  } else if (missing < said.cleared) {
    is_double(std::to_string(said.cleared) + " were said to be cleared, and only " +
              std::to_string(missing) + " are gone");
  }
  if (stored.skipped == said.skips) return;
  (stored.skipped < said.skips ? found.losses : found.doubles) += 1;
  found.what += name + ": " + std::to_string(said.skips) + " skips were answered, and " +
                std::to_string(stored.skipped) + " are in the history\n";
}

std::map<std::string, answer_model::stored_channel> answer_model::read(
    const std::filesystem::path& database) {
  std::map<std::string, stored_channel> channels;
  for (const std::string& row : query_rows(database, R"(
           SELECT channel, media_id, 0 FROM playlist_queue UNION ALL
           SELECT channel, now_media_id, 0 FROM playlist_channel
            WHERE now_media_id IS NOT NULL UNION ALL
           SELECT channel, media_id, skipped FROM playlist_history)")) {
    const auto first = row.find('\t'), second = row.rfind('\t');
    stored_channel& channel = channels[row.substr(0, first)];
    ++channel.places[row.substr(first + 1, second - first - 1)];
    channel.skipped += row.substr(second + 1) == "1";
  }
  return channels;
}

std::vector<std::string> query_rows(const std::filesystem::path& database, const char* query) {
  sqlite3* file = nullptr;
  std::vector<std::string> rows;
  int status =
      sqlite3_open_v2(database.c_str(), &file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  if (status == SQLITE_OK) {
    sqlite3_busy_timeout(file, 10'000);
    status = sqlite3_exec(
        file, query,
        [](void* into, int columns, char** row, char**) {
          std::string& text = static_cast<std::vector<std::string>*>(into)->emplace_back();
          for (int i = 0; i < columns; ++i) {
            if (i > 0) text += '\t';
            text += row[i] ? row[i] : "";
          }
          return 0;
        },
        &rows, nullptr);
  }
  const std::string problem = status == SQLITE_OK ? "" : sqlite3_errmsg(file);
  sqlite3_close(file);
  if (!problem.empty()) throw std::runtime_error(database.string() + ": " + problem);
  return rows;
}

}  // namespace rosey::tests
