// Standard output, standard error and the log: everything that leaves for a terminal or a file of
// lines leaves here, clean, and a stream that cannot be written ends nothing.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace rosey::host {

// First of all: a standard stream that is closed becomes /dev/null, so that no socket or database
// gets its number and is written to.
void open_standard_streams();

// Whole lines, or parts of one; thread-safe. What would steer a terminal is taken out.
void write_output(std::string_view text);
void write_error(std::string_view text);

template <class... Arguments>
void print(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write_output(fmt::format(format, std::forward<Arguments>(arguments)...));
}

template <class... Arguments>
void print_error(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write_error(fmt::format(format, std::forward<Arguments>(arguments)...));
}

// Why standard output could not be written, the first time that it could not; "" if it could, or
// if its reader has left.
std::string output_failure();

// The log goes to standard error, a line for each message whatever it holds. Standard output
// belongs to the chat.
void log_to_error();

}  // namespace rosey::host
