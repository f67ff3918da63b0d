// One attempt to reach a NATS and to log in, and a sentence for people when it fails.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "host_stub/bus/nats_options.hpp"
#include "rosey/wire/result.hpp"

namespace rosey::host {

enum class login_failure {
  unreachable,  // later it may be there
  refused,      // it is there, and does not want us
};

struct login_outcome {
  bool succeeded = false;
  login_failure kind = login_failure::unreachable;
  std::string reason;  // "cannot reach NATS at nats://h:4222: the host is unknown"
};

// Tries the target's URLs in turn, on connections of its own, which it closes again; returns at the
// first that takes us. Blocks for `target.timeout` and URL at most. The reason is of all of them;
// the kind is `refused` if one of them refused us. Throws std::runtime_error as make_options().
login_outcome try_login(const nats_target& target, const std::string& name);

// Tries again until it succeeds, for `patience` at most; says once, with `say`, what it waits for.
// A login that is refused, or a certificate, is not tried again: that does not mend itself.
// `give_up` may cut it short. Fails with the reason.
result<void> wait_for_login(const nats_target& target, const std::string& name,
                            std::chrono::milliseconds patience,
                            const std::function<void(const std::string&)>& say,
                            const std::function<bool(std::chrono::milliseconds)>& give_up);

}  // namespace rosey::host
