#include "host_stub/plugins/subscription_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "rosey/wire/utf8.hpp"

namespace rosey::host {
namespace {

constexpr std::size_t longest_name = 512;

// Takes the first token off.
std::string_view next_token(std::string_view& rest) {
  const auto dot = rest.find('.');
  const std::string_view token = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  return token;
}

bool is_wildcard(std::string_view token) {
  return token == "*" || token == ">";
}

// "playlist.item.*" and "playlist.>" are subjects; ">" and "*.item" would listen to strangers.
bool is_subscribable(std::string_view subject) {
  if (subject.empty() || subject.size() > longest_name) return false;
  if (!wire::is_valid_utf8(subject)) return false;
  const std::string_view first = subject.substr(0, subject.find('.'));
  if (first.empty() || is_wildcard(first)) return false;
  for (const unsigned char byte : subject) {
    if (byte <= ' ' || byte == 0x7f) return false;
  }
  return subject.find("..") == std::string_view::npos && subject.back() != '.';
}

bool holds_white_space(std::string_view name) {
  return std::any_of(name.begin(), name.end(),
                     [](unsigned char byte) { return byte <= ' ' || byte == 0x7f; });
}

// Requests that the host and storage serve.
struct service_subjects {
  std::string_view pattern;
  std::string_view owner;
};
constexpr service_subjects not_for_plugins[] = {{"rosey.admin.>", "the host"},
                                                {"rosey.monitoring.>", "the host and storage"},
                                                {"db.>", "storage"}};

// Requests to a plugin: its id is the token behind these.
constexpr std::string_view of_plugins[] = {"rosey.command.", "service."};

std::string problem_with_requests_to_plugins(std::string_view plugin, std::string_view subject) {
  for (const std::string_view prefix : of_plugins) {
    if (!overlap(subject, fmt::format("{}>", prefix))) continue;
    const std::string own = fmt::format("{}{}.", prefix, plugin);
    if (subject.starts_with(own)) return {};
    std::string_view owner;
    if (subject.starts_with(prefix)) {
      owner = subject.substr(prefix.size());
      owner = next_token(owner);
    }
    const std::string whose = owner.empty() || is_wildcard(owner)
                                  ? std::string("of every plugin")
                                  : fmt::format("of the plugin '{}'", owner);
    return fmt::format("'{}' would take requests {}; '{}' may subscribe to '{}…'", subject, whose,
                       plugin, own);
  }
  return {};
}

std::string problem_with_subject(std::string_view plugin, std::string_view subject) {
  if (!is_subscribable(subject)) {
    return fmt::format(
        "'{}' cannot be subscribed to: a subject is UTF-8 of at most {} bytes, begins with a "
        "literal "
        "token and holds no empty one or white space",
        subject, longest_name);
  }
  for (const auto& [pattern, owner] : not_for_plugins) {
    if (!overlap(subject, pattern)) continue;
    return fmt::format("'{}' would take requests to {} ({}); no plugin may", subject, owner,
                       pattern);
  }
  std::string_view rest = subject;
  if (next_token(rest) == "_INBOX" && (rest.empty() || is_wildcard(next_token(rest)))) {
    return fmt::format("'{}' would hear the answers to requests of others; an inbox has a name",
                       subject);
  }
  return problem_with_requests_to_plugins(plugin, subject);
}

std::string problem_with_queue_group(std::string_view plugin, std::string_view group) {
  if (group.empty()) return {};
  if (group.size() > longest_name || holds_white_space(group) || !wire::is_valid_utf8(group)) {
    return fmt::format(
        "'{}' cannot be a queue group: it is UTF-8 of at most {} bytes, without white "
        "space",
        group, longest_name);
  }
  if (group == plugin || group.starts_with(fmt::format("{}.", plugin))) return {};
  return fmt::format(
      "'{}' cannot be a queue group of '{}': its own are '{}', and what begins "
      "with '{}.'",
      group, plugin, plugin, plugin);
}

}  // namespace

bool overlap(std::string_view one, std::string_view other) {
  while (!one.empty() && !other.empty()) {
    const std::string_view left = next_token(one);
    const std::string_view right = next_token(other);
    if (left == ">" || right == ">") return true;
    if (left != right && left != "*" && right != "*") return false;
  }
  return one.empty() && other.empty();
}

std::string problem_with_subscription(std::string_view plugin, std::string_view subject,
                                      std::string_view queue_group) {
  std::string problem = problem_with_subject(plugin, subject);
  return problem.empty() ? problem_with_queue_group(plugin, queue_group) : problem;
}

}  // namespace rosey::host
