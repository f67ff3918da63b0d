// The last line of a process that crashes inside a plugin: it names the plugin.
#pragma once

#include <csignal>
#include <memory>

namespace rosey::host {

// For what follows on this thread, until it is destroyed: a crash is one of this plugin. The text
// must live as long.
class inside_plugin {
 public:
  explicit inside_plugin(const char* name) noexcept;
  ~inside_plugin();
  inside_plugin(const inside_plugin&) = delete;
  inside_plugin& operator=(const inside_plugin&) = delete;

 private:
  const char* before_;
};

// For the rest of this thread, the destructors of its thread-local objects included.
void belongs_to_plugin(const char* name) noexcept;

// A stack for signal handlers of this thread: one that has used up its own can still be reported.
class spare_stack {
 public:
  spare_stack();
  ~spare_stack();
  spare_stack(const spare_stack&) = delete;
  spare_stack& operator=(const spare_stack&) = delete;

 private:
  std::unique_ptr<char[]> memory_;
  stack_t before_{};
};

// From now on a signal that means a crash writes one line on standard error, and then does what it
// would have done: the process ends by it, with a core dump where that is wanted. Signals that have
// a handler already are left to it.
void report_crashes();

}  // namespace rosey::host
