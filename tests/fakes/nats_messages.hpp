// Where one message ends and the next begins in the bytes of a NATS connection.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

namespace rosey::tests {

// For one direction of one connection, from its beginning.
class message_splitter {
 public:
  // How many bytes of `input` (not empty) belong to the message or command that has begun.
  std::size_t take(std::string_view input) {
    if (complete_) current_.clear();
    complete_ = false;
    std::size_t taken = 0;
    while (taken < input.size() && !complete_) {
      if (missing_ == 0) {
        current_ += input[taken++];
        if (current_.ends_with("\r\n")) read_head();
      } else {
        const std::size_t size = std::min(missing_, input.size() - taken);
        current_ += input.substr(taken, size);
        taken += size;
        missing_ -= size;
        complete_ = missing_ == 0;
      }
    }
    return taken;
  }
  // After take(): the whole message, if it has ended and is no mere command; else "".
  std::string_view message() const {
    return complete_ && is_message_ ? std::string_view(current_) : std::string_view();
  }

 private:
  void read_head() {
    const std::string_view head = std::string_view(current_).substr(0, current_.size() - 2);
    const std::string_view verb = head.substr(0, head.find(' '));
    is_message_ = verb == "PUB" || verb == "HPUB" || verb == "MSG" || verb == "HMSG";
    complete_ = !is_message_;
    if (!is_message_) return;
    const std::string_view size = head.substr(head.rfind(' ') + 1);
    std::from_chars(size.data(), size.data() + size.size(), missing_);
    missing_ += 2;  // the end of line behind the payload
  }

  std::string current_;
  std::size_t missing_ = 0;  // bytes of payload
  bool is_message_ = false;
  bool complete_ = false;
};

}  // namespace rosey::tests
