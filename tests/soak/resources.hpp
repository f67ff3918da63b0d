// What this process holds of the machine: memory, descriptors, threads, mapped libraries.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <set>
#include <string>

namespace rosey::tests {

struct resources {
  std::size_t heap = 0;      // bytes that the program has allocated and not freed
  std::size_t resident = 0;  // bytes of anonymous memory in RAM, after what is free was given back
  std::size_t descriptors = 0;
  std::set<std::string> threads;  // their ids
};

std::ostream& operator<<(std::ostream& out, const resources& held);

resources measure_resources();

// False if there are others after patience has ended. A thread that has been joined may still be
// listed for a moment, so it is waited for.
bool wait_until_threads_are_among(const std::set<std::string>& known);

// Lines of /proc/self/maps that contain the text.
std::size_t lines_in_maps(const std::string& text);

}  // namespace rosey::tests
