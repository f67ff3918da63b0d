// Does not compile: spawn says why.
#include "rosey/sdk/task_scope.hpp"

void start(rosey::sdk::task_scope& tasks, int number) {
  tasks.spawn("x", [number]() -> boost::asio::awaitable<void> {
    if (number > 0) co_return;
  }());
}
