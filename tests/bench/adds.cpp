#include "bench/adds.hpp"

#include <fmt/format.h>

#include "bench/playlist_host.hpp"

namespace rosey::bench {
namespace {

// Names that no run before has used, also not another one on the same database.
std::string new_name(std::string_view purpose) {
  static int made = 0;
  return fmt::format("#{}-{}", purpose, ++made);
}

std::string person(std::int64_t number) {
  return fmt::format("person-{}", number % 1000);
}

double answers_per_second(load& requests, seconds time) {
  requests.start(adds_in_flight);
  wait(time / 4);  // until caches are warm
  const std::int64_t before = requests.answered();
  const auto began = steady::now();
  wait(time);
  const auto answered = static_cast<double>(requests.answered() - before);
  const seconds took = steady::now() - began;
  requests.stop();
  return answered / took.count();
}

}  // namespace

add_rate rate_of_adds(const std::string& nats_url, int channels, seconds time) {
  const std::string name = new_name("many");
  std::int64_t sent = 0;
  load adds(nats_url, "adds", [&]() -> std::optional<request> {
    const std::int64_t number = sent++;
    const std::int64_t full = number / (static_cast<std::int64_t>(channels) * adds_to_a_channel);
    return new_add(fmt::format("{}-{}-{}", name, full, number % channels), person(number));
  });
  const double rate = answers_per_second(adds, time);
  return {rate, adds.refusals()};
}

add_rate rate_on_one_channel(const std::string& nats_url, seconds time) {
  add_rate all;
  std::int64_t added = 0;
  seconds took{};
  while (took < time) {
    const std::string channel = new_name("one");
    int sent = 0;
    load adds(nats_url, "adds", [&]() -> std::optional<request> {
      if (sent == adds_to_one_channel) return std::nullopt;
      return new_add(channel, person(sent++));
    });
    const auto began = steady::now();
    adds.start(adds_in_flight);
    adds.finish();
    took += steady::now() - began;
    added += adds.answered();
    for (const auto& [code, times] : adds.refusals()) all.refusals[code] += times;
  }
  all.per_second = static_cast<double>(added) / took.count();
  return all;
}

std::string said_of(const std::map<std::string, int>& refusals) {
  std::string text;
  for (const auto& [code, times] : refusals) {
    text += fmt::format("{}{} were refused: {}", text.empty() ? "" : ", ", times, code);
  }
  return text;
}

}  // namespace rosey::bench
