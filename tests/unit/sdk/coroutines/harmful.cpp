// What the check of coroutines refuses: the lines with a name behind them. Never compiled.
#include "harmful.hpp"

awaitable<void> conditionals(bool c) {
  auto x = c ? co_await f() : g();         // conditional
  auto y = co_await (c ? f() : g());       // conditional
  use((co_await f()) ? g() : value("1"));  // conditional
  co_await run(c ? value("1") : g());      // conditional
  co_return c ? co_await f() : g();        // conditional
}

awaitable<void> braces() {
  co_await insert("table", {{"a", 1}});         // braces
  co_await run(options{.name = "x"});           // braces
  co_await run(options{"x", 2});                // braces
  co_await run(options{});                      // braces
  options both = {co_await f(), co_await f()};  // braces
}

awaitable<void> lambdas(std::string text) {
  co_await run([text] { return text; });         // captures
  co_await run([this, t = text] { return t; });  // captures
  co_await run([=]() { return text; });          // captures
  const auto inner = [this](bool c) -> awaitable<int> {
    co_return c ? co_await f() : g();  // conditional
  };
}

void called() {
  tasks.spawn("x", [this, n]() -> awaitable<void> {  // called
    co_await f();
  }());
  asio::co_spawn(
      executor, [&]() -> awaitable<void> { co_return; }(), token);  // called
}
