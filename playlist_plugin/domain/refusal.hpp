// What is refused, why, and the numbers of the limit that is the reason.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "rosey/wire/result.hpp"

namespace rosey::playlist {

// Items, seconds or adds, as the code of the refusal says.
struct limit_reached {
  std::int64_t limit = 0;
  std::int64_t used = 0;
  std::optional<std::int64_t> retry_after = {};  // seconds until it is allowed, where time helps
};

struct refusal : error {
  using error::error;
  refusal(error why) : error(std::move(why)) {}
  refusal(std::string code, std::string sentence, limit_reached reached)
      : error(std::move(code), std::move(sentence)), numbers(reached) {}

  std::optional<limit_reached> numbers;  // only where a limit is the reason
};

template <class T>
using result = boost::system::result<T, refusal>;

}  // namespace rosey::playlist
