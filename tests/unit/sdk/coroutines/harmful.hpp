// A header beside the source is read with it.
inline awaitable<int> in_a_header(bool c) {
  co_return c ? co_await f() : g();  // conditional
}
