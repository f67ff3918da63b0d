// Clients that use a playlist all the time, with mixed verbs, and ask again until they are
// answered.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "soak/client.hpp"
#include "soak/model.hpp"

namespace rosey::tests {

class people {
 public:
  static constexpr std::chrono::seconds patience_of_a_person{60};

  enum class mood {
    mixed,   // all verbs; queues stay short
    adding,  // queues of some hundred items
  };

  // They wait until resume(). What they do is chosen by `seed`.
  people(const std::string& nats_url, int clients, int channels, unsigned seed,
         mood everybodys = mood::mixed);
  ~people();
  people(const people&) = delete;
  people& operator=(const people&) = delete;

  void resume();
  // Returns when all have their last answers, or have given up.
  void pause();

  // True when everybody has had an answer to something that was begun after `moment`.
  bool served_since(std::chrono::steady_clock::time_point moment) const;

  const answer_model& model() const { return model_; }
  std::size_t commands() const { return commands_; }
  std::size_t repeated() const { return repeated_; }  // attempts after the first
  std::size_t gave_up() const { return gave_up_; }    // commands without an answer
  // What was answered with "internal", was no JSON object, or was given up: a line each.
  std::string strange() const;

 private:
  struct person;
  void live(person& self);
  void command(person& self);
  std::optional<boost::json::object> answer(person& self, const std::string& subject,
                                            boost::json::object request);

  const int channels_;
  const unsigned seed_;
  const mood mood_;
  answer_model model_;
  std::atomic<std::size_t> commands_ = 0, repeated_ = 0, gave_up_ = 0;
  std::atomic<unsigned> next_media_ = 0;
  mutable std::mutex mutex_;  // guards the next four
  std::condition_variable changed_;
  bool running_ = false, ending_ = false;
  int idle_ = 0;
  std::string strange_;
  std::vector<std::unique_ptr<person>> everybody_;
};

}  // namespace rosey::tests
