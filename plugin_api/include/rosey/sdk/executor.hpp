// The host's executor as a Boost.Asio executor: work posted here runs on the plugin's thread.
#pragma once

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <exception>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "rosey/abi/host.h"
#include "rosey/sdk/text.hpp"

namespace rosey::sdk {

// The execution context on which a plugin's timers and sockets live. It belongs to the plugin, so
// that its Asio services die with it and none stays behind in the host. Asio adds a thread of its
// own here when the first timer or socket is made; the destructor joins it.
class plugin_execution_context : public boost::asio::execution_context {
 public:
  explicit plugin_execution_context(const rosey_host& host) : host_(host) {}
  ~plugin_execution_context() {
    shutdown();
    destroy();
  }

  const rosey_host& host() const { return host_; }

 private:
  const rosey_host& host_;
};

// Models Asio's executor requirements: never blocking, first in first out.
class executor {
 public:
  explicit executor(plugin_execution_context& context) noexcept : context_(&context) {}

  boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept {
    return *context_;
  }
  static constexpr boost::asio::execution::blocking_t query(
      boost::asio::execution::blocking_t) noexcept {
    return boost::asio::execution::blocking.never;
  }

  // After the host has closed the plugin, `work` is destroyed without having run.
  template <class Work>
  void execute(Work&& work) const {
    using task_type = task<std::decay_t<Work>>;
    auto owned = std::make_unique<task_type>(context_->host(), std::forward<Work>(work));
    const rosey_host& host = context_->host();
    if (host.post(host.self, &task_type::run, &task_type::drop, owned.get()) == ROSEY_OK) {
      static_cast<void>(owned.release());
    }
  }

  friend bool operator==(const executor& left, const executor& right) noexcept {
    return left.context_ == right.context_;
  }
  friend bool operator!=(const executor& left, const executor& right) noexcept {
    return !(left == right);
  }

 private:
  template <class Work>
  struct task {
    template <class From>
    task(const rosey_host& owner, From&& from) : host(owner), work(std::forward<From>(from)) {}

    static void run(void* arg) noexcept {
      std::unique_ptr<task> self(static_cast<task*>(arg));
      const rosey_host& host = self->host;
      try {
        Work work(std::move(self->work));
        self.reset();  // the memory is free before the work starts more
        std::move(work)();
      } catch (const std::exception& escaped) {
        log_escaped(host, escaped.what());
      } catch (...) {
        log_escaped(host, "an unknown exception");
      }
    }
    static void drop(void* arg) noexcept { delete static_cast<task*>(arg); }

    const rosey_host& host;
    Work work;
  };

  static void log_escaped(const rosey_host& host, const char* what) noexcept {
    const std::string_view prefix = "an exception escaped from a task: ";
    char line[256];
    std::size_t size = prefix.copy(line, sizeof line);
    size += copy_text(what, line + size, sizeof line - size);
    host.log(host.self, ROSEY_LOG_ERROR, line, size);
  }

  plugin_execution_context* context_;
};

}  // namespace rosey::sdk
