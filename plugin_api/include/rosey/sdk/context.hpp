// What a C++ plugin is given to work with.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "rosey/sdk/logger.hpp"
#include "rosey/sdk/message_bus.hpp"
#include "rosey/sdk/task_scope.hpp"

namespace rosey::sdk {

// Valid as long as the plugin object. Everything runs on one thread, the plugin's own, so a plugin
// needs no locks.
struct context {
  // Runs work on the plugin's thread. Its execution_context, on which timers and sockets live, is
  // the plugin's own. May be copied within the plugin; must never reach another library.
  boost::asio::any_io_executor executor;
  message_bus& bus;
  task_scope& tasks;
  logger log;
};

}  // namespace rosey::sdk
