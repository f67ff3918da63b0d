#include "host_stub/storage_claim.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "rosey/wire/decode.hpp"
#include "rosey/wire/subjects.hpp"

namespace rosey::host {
namespace {

namespace json = boost::json;

// Who serves answers where messages are read, without the database.
constexpr std::chrono::milliseconds time_to_answer{300};
// With others that start as well.
constexpr std::chrono::seconds most_patience{30};

// What services tell each other of themselves.
struct told_storage {
  std::string identity;  // of the database
  std::string copy;      // tells a file from its copies; "" if any number may use it
  std::string location;
  std::string host;
  std::string node;
  bool serving = true;
};

std::string random_name() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

std::string text_of(const json::object& in, const char* key) {
  const auto* value = in.if_contains(key);
  const auto* text = value ? value->if_string() : nullptr;
  return text ? std::string(*text) : std::string();
}

told_storage read(const json::object& in) {
  const auto* serving = in.if_contains("serving");
  return {.identity = text_of(in, "identity"),
          .copy = text_of(in, "copy"),
          .location = text_of(in, "location"),
          .host = text_of(in, "host"),
          .node = text_of(in, "node"),
          .serving = !serving || !serving->is_bool() || serving->get_bool()};
}

// Nothing if it is no answer of a storage service.
std::optional<told_storage> read_answer(std::string_view payload) {
  boost::system::error_code failure;
  const json::value answer = wire::parse_json(payload, failure, {}, wire::max_answer_depth);
  if (failure || !answer.is_object()) return std::nullopt;
  told_storage told = read(answer.get_object());
  if (told.node.empty()) return std::nullopt;
  return told;
}

// Those of before identities do not say which database they have.
bool would_split(const told_storage& one, const told_storage& other) {
  if (other.node == one.node || other.identity.empty()) return false;
  if (one.identity != other.identity) return true;
  return !one.copy.empty() && !other.copy.empty() && one.copy != other.copy;
}

// For whom `own` has to make room, or null.
const told_storage* steps_back(const told_storage& own, const std::vector<told_storage>& heard) {
  for (const told_storage& other : heard) {
    if (would_split(own, other) && (other.serving || other.node < own.node)) return &other;
  }
  return nullptr;
}

void tell_of_older(const std::vector<told_storage>& heard) {
  for (const told_storage& other : heard) {
    if (!other.identity.empty()) continue;
    spdlog::warn(
        "storage: {} serves on this NATS too, and is too old to say which database; it must be "
        "ours",
        other.node);
  }
}

std::string shown(const told_storage& told) {
  return fmt::format("{} on {} (identity {})", told.location, told.host, told.identity);
}

std::runtime_error refusal(const told_storage& own, const told_storage& other) {
  const bool copied = own.identity == other.identity;
  return std::runtime_error(fmt::format(
      "this NATS has the storage {} already, and beside it {}{} would get a part of the data: stop "
      "one of them, or let this one use the other with \"storage\": {{\"enabled\": false}}",
      shown(other), copied ? "its copy " : "", shown(own)));
}

}  // namespace

struct storage_claim::shared {
  std::mutex mutex;
  std::condition_variable changed;
  json::object own;
  std::vector<told_storage> answers;
};

storage_claim::storage_claim(connection& bus, const storage::database& own)
    : bus_(bus), shared_(std::make_shared<shared>()) {
  shared_->own = storage::describe(own);
  shared_->own["node"] = random_name();
  shared_->own["serving"] = false;
  shared_->own["success"] = true;
  auto questions =
      bus_.subscribe(wire::subjects::monitoring_storage, "",
                     [&bus, state = shared_](const inbound_message& asked) {
                       if (asked.reply().empty()) return;
                       const std::lock_guard lock(state->mutex);
                       static_cast<void>(bus.publish(asked.reply(), json::serialize(state->own)));
                     });
  if (!questions) throw std::runtime_error(questions.error().message);
  questions_ = std::move(*questions);
}

// Each is heard of before it asks, so of two that start at once the later one at least hears of the
// other. It steps back from one that serves; of two that start, the one with the greater name does,
// and the other waits until that is gone, or serves because it had asked before.
void storage_claim::settle() {
  const told_storage own = read(shared_->own);
  const std::string inbox = "_INBOX.rosey." + random_name();
  auto answers = bus_.subscribe(inbox, "", [state = shared_](const inbound_message& answer) {
    auto told = read_answer(answer.payload());
    if (!told) return;
    const std::lock_guard lock(state->mutex);
    state->answers.push_back(std::move(*told));
    state->changed.notify_all();
  });
  if (!answers) throw std::runtime_error(answers.error().message);
  const auto deadline = std::chrono::steady_clock::now() + most_patience;
  while (true) {
    // Known to the server, and with it to who asks later.
    if (const auto known = bus_.flush(std::chrono::seconds(5)); !known) {
      throw std::runtime_error(known.error().message);
    }
    const auto asked = bus_.publish(wire::subjects::monitoring_storage, "{}", inbox);
    if (!asked) throw std::runtime_error(asked.error().message);
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_for(lock, time_to_answer,
                              [&] { return steps_back(own, shared_->answers) != nullptr; });
    const auto heard = std::exchange(shared_->answers, {});
    if (const auto* other = steps_back(own, heard)) throw refusal(own, *other);
    const auto rival = std::find_if(heard.begin(), heard.end(), [&own](const told_storage& other) {
      return would_split(own, other);
    });
    if (rival == heard.end()) {
      shared_->own["serving"] = true;
      tell_of_older(heard);
      return;
    }
    if (std::chrono::steady_clock::now() >= deadline) throw refusal(own, *rival);
  }
}

void storage_claim::hold() {
  const std::lock_guard lock(shared_->mutex);
  shared_->own["serving"] = true;
}

void tell_of_missing_storage(connection& bus) {
  const auto answer =
      bus.request(wire::subjects::monitoring_storage, "{}", std::chrono::seconds(2));
  if (answer) return;
  spdlog::warn(
      "nobody serves storage on this NATS: start `rosey storage` there, or let this bot do it with "
      "\"storage\": {\"enabled\": true}");
}

}  // namespace rosey::host
