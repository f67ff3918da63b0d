#include "host_stub/bus/refused_subjects.hpp"

#include <fmt/format.h>

#include <utility>

namespace rosey::host {
namespace {

// From its reading thread to the one of its callbacks: libnats only hands over.
constexpr std::chrono::milliseconds on_its_way{250};

// "" if the text is about something else.
std::string refused_subscription(std::string_view text) {
  constexpr std::string_view marker = "Permissions Violation for Subscription to \"";
  const auto begin = text.find(marker);
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin + marker.size());
  return std::string(text.substr(0, text.find('"')));
}

}  // namespace

void refused_subjects::note(std::string_view text) {
  std::string subject = refused_subscription(text);
  if (subject.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    subjects_.push_back(std::move(subject));
  }
  noted_.notify_all();
}

std::size_t refused_subjects::count() const {
  const std::lock_guard lock(mutex_);
  return subjects_.size();
}

std::vector<std::string> refused_subjects::since(std::size_t mark,
                                                 natsConnection* connection) const {
  const char* text = nullptr;
  const bool any = natsConnection_GetLastError(connection, &text) == NATS_NOT_PERMITTED;
  std::unique_lock lock(mutex_);
  if (any) noted_.wait_for(lock, on_its_way, [&] { return subjects_.size() > mark; });
  if (subjects_.size() <= mark) return {};
  return {subjects_.begin() + static_cast<std::ptrdiff_t>(mark), subjects_.end()};
}

std::string not_permitted(const std::vector<std::string>& subjects, std::string_view who) {
  return fmt::format(
      "NATS does not permit {} to subscribe to '{}'; allow it in the server's permissions", who,
      fmt::join(subjects, "', '"));
}

}  // namespace rosey::host
