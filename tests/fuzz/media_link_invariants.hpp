// What holds for media links and chat text whatever the bytes; the fuzzer and a unit test share it.
#pragma once

#include <string>
#include <string_view>

namespace rosey::playlist::testing {

// Empty when all holds, else which rule the input breaks.
std::string broken_invariant(std::string_view input);

}  // namespace rosey::playlist::testing
