// Requests that a plugin works on: one whose work fails before it is answered is answered all the
// same, so that whoever asked need not wait for a timeout and ask again.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace rosey::sdk {

// The bus opens a request and calls its handler; what the handler spawns works on the same request.
// When the last work on it has ended, none has answered, and some has thrown, it is answered with a
// failure. Work that throws nothing may leave the answer to somebody else.
//
// Used on the plugin's thread only. Work that is destroyed without having ended is forgotten: there
// is nothing left to answer with.
class open_requests {
 public:
  struct request {
    std::string reply;
    std::size_t at_work = 0;
    bool is_answered = false;
    std::exception_ptr failure;  // the first one
  };
  using handle = std::shared_ptr<request>;  // may be null: no request
  using failure_answerer = std::function<void(const std::string& reply, std::exception_ptr)>;

  explicit open_requests(failure_answerer answer) : answer_(std::move(answer)) {}

  // Runs the handler of a request. What it throws is the request's failure, and thrown on.
  template <class Handler>
  void handle_with(std::string_view reply, Handler&& handler) {
    const handle opened = open(reply);
    const handle outer = std::exchange(current_, begin(opened));
    try {
      std::forward<Handler>(handler)();
    } catch (...) {
      current_ = outer;
      end(opened, std::current_exception());
      throw;
    }
    current_ = outer;
    end(opened, nullptr);
  }

  // The request whose handler runs.
  const handle& current() const { return current_; }

  // One more work on the request, until end().
  static handle begin(const handle& of) {
    if (of) ++of->at_work;
    return of;
  }

  void end(const handle& of, std::exception_ptr failure) {
    if (!of) return;
    if (failure && !of->failure) of->failure = std::move(failure);
    if (--of->at_work > 0) return;
    open_.erase(of->reply);
    if (of->failure && !of->is_answered) answer_(of->reply, of->failure);
  }

  // Something has been published on this subject.
  void published(std::string_view subject) {
    if (open_.empty()) return;
    const auto found = open_.find(std::string(subject));
    if (found != open_.end()) found->second->is_answered = true;
  }

 private:
  handle open(std::string_view reply) {
    if (reply.empty()) return nullptr;
    handle& opened = open_[std::string(reply)];
    if (!opened) opened = std::make_shared<request>(request{std::string(reply), 0, false, nullptr});
    return opened;
  }

  failure_answerer answer_;
  handle current_;
  std::unordered_map<std::string, handle> open_;  // by subject of the reply
};

}  // namespace rosey::sdk
