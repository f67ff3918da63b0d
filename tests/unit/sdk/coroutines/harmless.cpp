// What the check of coroutines lets pass. Never compiled.
#include "not_here.hpp"

#define MACRO(c) auto x = c ? co_await f() : g();

namespace a::b {

struct x : y<int> {
  int n{3};
  std::vector<int> v{1, 2};
};
enum class e { one, two };
template <class T>
concept c = requires(T t) {
  t.x();
};

auto f(int a) -> awaitable<void> {
  co_await g();
}

x::x() : n{1}, v({1, 2}) {
  if (n ? true : false) h({1, 2});
}

awaitable<int> expressions_of_their_own(bool b) {
  const auto r = b ? x{1} : y{2};
  if (b ? x() : y()) co_await g();
  for (int i = b ? 1 : 2; i < 3; ++i) co_await g();
  for (const auto& e : {1, 2, 3}) co_await h(e);
  while (co_await g()) {
    q({1, 2});
  }
  switch (co_await g()) {
    case 1:
      z = b ? p() : q();
      break;
    default:
      break;
  }
  do {
    co_await g();
  } while (b ? x() : y());
  try {
    co_await g();
  } catch (const e& x) {
    q(b ? x : y);
  }
  if constexpr (requires { b.x(); }) {
    co_await g();
  } else {
    z = b ? p : q;
  }
  co_return outcome{b, 3, "x"};
}

awaitable<int> without_destructors(bool b) {
  co_await m(b ? "one" : "two", std::chrono::seconds{5}, std::string{}, std::pair<int, int>{1, 2});
  co_await async([this](auto h) { h({1, 2}, b ? q : r); }, use);
  co_await async([&](auto h) { h(); }, use);
  co_await async([&b, this](auto h) { h(); }, use);
  a[co_await g()] = 3;
  auto [q, p] = co_await g();
}

awaitable<int> lambdas(int n) {
  tasks.spawn("x", [this, n = std::move(n)]() -> awaitable<void> { co_await g(); });
  tasks.spawn("x", [this, n] { return g(n); });
  const auto l = [n](auto t) mutable noexcept -> awaitable<int> {
    co_return co_await t(n ? 1 : 2);
  };
  auto v = co_await [](int n) -> awaitable<int> { co_return n; }(3);
  auto w = [](int n) { return n; }(3);
  auto u = [n]() { return n ? 1 : 2; }();
}

awaitable<int> text(bool b) {
  const char* s = "c ? co_await f() : g()\"";  // c ? co_await f() : g()
  /* c ? co_await f() : g() */ char brace = '{';
  auto t = R"(c ? co_await f() : g() { )";
  long million = 1'000'000;
  co_await g();
}

}  // namespace a::b
