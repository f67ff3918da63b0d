// Turns a C++ class into a plugin: ROSEY_PLUGIN(my_plugin) exports the table the host looks for.
//
//   class my_plugin {
//    public:
//     static constexpr char id[] = "mine";
//     static constexpr char version[] = "1.0.0";
//     static constexpr rosey::sdk::handled_verb<my_plugin> verbs[] = {...};  // optional: verbs.hpp
//     static constexpr std::uint32_t schema = 3;  // optional: the newest migration that it needs
//
//     explicit my_plugin(rosey::sdk::context context);
//     void start(const boost::json::object& config);  // throws: refused, what() is the reason
//     void stop();                                    // optional: the plugin is asked to go
//   };
//
// All of it runs on the plugin's thread. Exceptions end at the trampolines below; what crosses the
// boundary is a status and a sentence.
#pragma once

#include <nats/nats.h>

#include <array>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/parse.hpp>
#include <chrono>
#include <exception>
#include <iterator>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include "rosey/abi/plugin.h"
#include "rosey/sdk/context.hpp"
#include "rosey/sdk/executor.hpp"
#include "rosey/sdk/host_message_bus.hpp"
#include "rosey/sdk/text.hpp"
#include "rosey/sdk/verb.hpp"
#include "rosey/sdk/verbs.hpp"

namespace rosey::sdk::detail {

inline void write_error(rosey_error* error, std::string_view text) noexcept {
  if (!error) return;
  error->text[copy_text(text, error->text, ROSEY_ERROR_CAPACITY - 1)] = '\0';
}

// Runs `body`, which returns a status; an exception becomes its text.
template <class Body>
rosey_status guarded(rosey_error* error, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    write_error(error, "out of memory");
    return ROSEY_OUT_OF_MEMORY;
  } catch (const std::exception& failure) {
    write_error(error, failure.what());
  } catch (...) {
    write_error(error, "unknown exception");
  }
  return ROSEY_FAILED;
}

inline void write_log(const rosey_host& host, log_level level, std::string_view text) {
  const std::string valid = wire::is_valid_utf8(text) ? std::string() : valid_text(text);
  if (!valid.empty()) text = valid;
  host.log(host.self, static_cast<std::int32_t>(level), text.data(), text.size());
}

// What stands behind rosey_instance: the members' order is the order in which they are needed, and
// so the reverse of the one in which they go.
template <class Plugin>
struct instance {
  explicit instance(const rosey_host& table)
      : host(table),
        asio(table),
        log([&table](log_level level, std::string_view text) { write_log(table, level, text); }),
        bus(table, executor(asio), log),
        tasks(executor(asio), log, &bus.requests_in_hand()),
        patience(executor(asio)),
        plugin(context{executor(asio), bus, tasks, log}) {}

  // What the plugin began is waited for also when its own stop() throws.
  void stop() {
    rosey_error failure{};
    rosey_status status = ROSEY_OK;
    if constexpr (requires { plugin.stop(); }) {
      status = guarded(&failure, [this]() -> rosey_status {
        plugin.stop();
        return ROSEY_OK;
      });
    }
    if (status != ROSEY_OK) log.error(std::string("stop: ") + failure.text);
    tasks.stop([this, status] {
      patience.cancel();
      host.stopped(host.self, status);
    });
    if (tasks.running() > 0) name_what_runs();
  }

  // Whatever becomes of the plugin, its log says what it waits for.
  void name_what_runs() {
    patience.expires_after(std::chrono::seconds(1));
    patience.async_wait([this](boost::system::error_code cancelled) {
      if (cancelled) return;
      log.warning("cannot stop yet: it waits for the end of " + tasks.names());
    });
  }

  const rosey_host& host;
  plugin_execution_context asio;
  logger log;
  host_message_bus bus;
  task_scope tasks;
  boost::asio::steady_timer patience;
  Plugin plugin;
  std::atomic<bool> stop_requested = false;
};

template <class Plugin>
instance<Plugin>* self(rosey_instance* opaque) noexcept {
  return reinterpret_cast<instance<Plugin>*>(opaque);
}

// Says why this host cannot carry a plugin built with this SDK; "" if it can.
inline std::string host_problem(const rosey_host* host) {
  if (!host || host->header.major != ROSEY_ABI_MAJOR) {
    return "the host speaks contract version " + std::to_string(host ? host->header.major : 0) +
           ", this plugin " + std::to_string(ROSEY_ABI_MAJOR);
  }
  if (!ROSEY_HAS_FIELD(host, rosey_host, get_ext)) {  // the last one of version 1.0
    return "the host's table is shorter than this plugin needs";
  }
  if (host->nats_anchor != reinterpret_cast<const void*>(&nats_GetVersion)) {
    return std::string("this plugin carries its own copy of libnats (") + nats_GetVersion() +
           ") beside the host's (" + host->nats_version + "); link libnats dynamically";
  }
  return {};
}

template <class Plugin>
rosey_status create(const rosey_host* host, rosey_instance** made, rosey_error* error) noexcept {
  return guarded(error, [&]() -> rosey_status {
    if (const std::string problem = host_problem(host); !problem.empty()) {
      write_error(error, problem);
      return ROSEY_UNSUPPORTED;
    }
    *made = reinterpret_cast<rosey_instance*>(std::make_unique<instance<Plugin>>(*host).release());
    return ROSEY_OK;
  });
}

template <class Plugin>
rosey_status start(rosey_instance* opaque, rosey_string config, rosey_error* error) noexcept {
  return guarded(error, [&]() -> rosey_status {
    const std::string_view text(config.data, config.size);
    const boost::json::value parsed =
        config.size == 0 ? boost::json::value(boost::json::object()) : boost::json::parse(text);
    if (!parsed.is_object()) {
      write_error(error, "the plugin's configuration must be a JSON object");
      return ROSEY_INVALID_ARGUMENT;
    }
    self<Plugin>(opaque)->plugin.start(parsed.get_object());
    return ROSEY_OK;
  });
}

template <class Plugin>
void run_stop(void* arg) noexcept {
  auto* instance = static_cast<detail::instance<Plugin>*>(arg);
  rosey_error failure{};
  const rosey_status status = guarded(&failure, [instance]() -> rosey_status {
    instance->stop();
    return ROSEY_OK;
  });
  if (status != ROSEY_OK) instance->host.stopped(instance->host.self, status);
}

inline void ignore(void*) noexcept {}

template <class Plugin>
void request_stop(rosey_instance* opaque) noexcept {
  auto* instance = self<Plugin>(opaque);
  if (instance->stop_requested.exchange(true)) return;
  // If the host has closed already, nobody waits for an answer.
  instance->host.post(instance->host.self, &run_stop<Plugin>, &ignore, instance);
}

// A destructor that may throw (noexcept(false)) is caught here: the rest of the instance goes all
// the same, its memory too. From any other one C++ lets no exception out, it ends the process.
template <class Plugin>
void destroy(rosey_instance* opaque) noexcept {
  const rosey_host& host = self<Plugin>(opaque)->host;
  rosey_error failure{};
  const rosey_status status = guarded(&failure, [opaque]() -> rosey_status {
    delete self<Plugin>(opaque);
    return ROSEY_OK;
  });
  if (status == ROSEY_OK) return;
  const std::string_view prefix = "an exception escaped from the destructor: ";
  char line[ROSEY_ERROR_CAPACITY + 64];
  std::size_t size = prefix.copy(line, prefix.size());
  size += copy_text(failure.text, line + size, sizeof line - size);
  host.log(host.self, ROSEY_LOG_ERROR, line, size);
}

template <class Plugin>
constexpr std::size_t verb_count() {
  if constexpr (requires { Plugin::verbs; }) {
    return std::size(Plugin::verbs);
  } else {
    return 0;
  }
}

template <class Plugin>
constexpr std::uint32_t needed_schema() {
  if constexpr (requires { Plugin::schema; }) {
    return Plugin::schema;
  } else {
    return 0;
  }
}

inline constexpr rosey_header header_of(std::size_t size) {
  return {static_cast<std::uint32_t>(size), ROSEY_ABI_MAJOR, ROSEY_ABI_MINOR};
}

template <class Plugin>
struct tables {
  // One element more than there are verbs: an array cannot be empty.
  static constexpr std::size_t room = verb_count<Plugin>() + 1;

  static constexpr auto subjects = [] {
    std::array<subject_text, room> made{};
    if constexpr (verb_count<Plugin>() > 0) {
      for (std::size_t index = 0; index < verb_count<Plugin>(); ++index) {
        made[index] = subject_text(Plugin::id, Plugin::verbs[index].name);
      }
    }
    return made;
  }();

  static constexpr auto verbs = [] {
    std::array<rosey_verb, room> made{};
    if constexpr (verb_count<Plugin>() > 0) {
      std::size_t index = 0;
      for (const auto& from : Plugin::verbs) {
        const char* subject = subjects[index].text.data();
        if constexpr (requires { from.subject; }) subject = from.subject;
        made[index++] = {header_of(sizeof(rosey_verb)),
                         from.name,
                         subject,
                         from.arguments,
                         from.help,
                         static_cast<std::int32_t>(from.least_role)};
      }
    }
    return made;
  }();

  static constexpr auto verb_pointers = [] {
    std::array<const rosey_verb*, room> made{};
    for (std::size_t index = 0; index < verb_count<Plugin>(); ++index) made[index] = &verbs[index];
    return made;
  }();

  static constexpr rosey_plugin plugin = {
      .header = header_of(sizeof(rosey_plugin)),
      .needs_host_minor = 0,
      .reserved_1 = {},
      .id = Plugin::id,
      .version = Plugin::version,
      .build = __VERSION__,
      .verbs = verb_pointers.data(),
      .verb_count = static_cast<std::uint32_t>(verb_count<Plugin>()),
      .reserved_2 = 0,
      .create = &create<Plugin>,
      .start = &start<Plugin>,
      .request_stop = &request_stop<Plugin>,
      .destroy = &destroy<Plugin>,
      .get_ext = nullptr,
      .needs_schema = needed_schema<Plugin>(),
  };
};

}  // namespace rosey::sdk::detail

#define ROSEY_PLUGIN(type)                                                                  \
  extern "C" ROSEY_PLUGIN_EXPORT const rosey_plugin* rosey_plugin_query_v1(void) noexcept { \
    return &rosey::sdk::detail::tables<type>::plugin;                                       \
  }
