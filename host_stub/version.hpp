// The host's version, for people.
#pragma once

namespace rosey::host {

inline constexpr char version[] = "0.1.0";

}  // namespace rosey::host
