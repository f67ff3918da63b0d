// A request whose work fails is answered for it, once, and only if nobody else has or will.
#include "rosey/sdk/open_requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>
#include <vector>

#include "rosey/sdk/task_scope.hpp"

namespace rosey::sdk {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::IsEmpty;

class OpenRequests : public testing::Test {
 protected:
  template <class Handler>
  void handle(const char* reply, Handler handler) {
    try {
      requests_.handle_with(reply, handler);
    } catch (const std::exception&) {
      ++thrown_;
    }
  }

  asio::awaitable<void> wait_and_fail() {
    co_await alarm_.async_wait(asio::use_awaitable);
    throw std::runtime_error("broken");
  }
  asio::awaitable<void> fail() {
    throw std::runtime_error("broken");
    co_return;
  }
  asio::awaitable<void> answer() {
    requests_.published("reply.1");
    co_return;
  }

  void run() {
    io_.restart();
    io_.poll();
  }
  void ring() {
    alarm_.expires_at(asio::steady_timer::time_point::min());
    run();
  }

  asio::io_context io_;
  asio::steady_timer alarm_{io_, asio::steady_timer::time_point::max()};
  std::vector<std::string> failed_;
  open_requests requests_{
      [this](const std::string& reply, const std::exception_ptr&) { failed_.push_back(reply); }};
  task_scope tasks_{io_.get_executor(), {}, &requests_};
  int thrown_ = 0;
};

TEST_F(OpenRequests, AreAnsweredWhenTheHandlerThrows) {
  handle("reply.1", [] { throw std::runtime_error("broken"); });
  EXPECT_THAT(failed_, ElementsAre("reply.1"));
  EXPECT_EQ(thrown_, 1) << "for the log";
}

TEST_F(OpenRequests, AreLeftAloneWhenNothingThrows) {
  handle("reply.1", [] {});
  handle("", [] { throw std::runtime_error("an event"); });
  EXPECT_THAT(failed_, IsEmpty()) << "the answer may come from elsewhere";
}

TEST_F(OpenRequests, AreLeftAloneWhenTheyWereAnsweredBefore) {
  handle("reply.1", [this] {
    requests_.published("reply.1");
    throw std::runtime_error("broken");
  });
  EXPECT_THAT(failed_, IsEmpty());
}

TEST_F(OpenRequests, AreAnsweredWhenTheirCoroutineThrows) {
  handle("reply.1", [this] { tasks_.spawn("a", [this] { return fail(); }); });
  handle("reply.2", [this] { tasks_.spawn_until_stop("b", [this] { return wait_and_fail(); }); });
  handle("reply.3", [] {});
  run();
  EXPECT_THAT(failed_, ElementsAre("reply.1"));
  ring();
  EXPECT_THAT(failed_, ElementsAre("reply.1", "reply.2"));
}

TEST_F(OpenRequests, WaitForOtherWorkThatMayStillAnswer) {
  handle("reply.1", [this] {
    tasks_.spawn("a", [this] { return answer(); });
    throw std::runtime_error("broken");
  });
  EXPECT_THAT(failed_, IsEmpty());
  run();
  EXPECT_THAT(failed_, IsEmpty()) << "it was answered";
}

TEST_F(OpenRequests, DoNotConcernWhatIsSpawnedOutsideOfAHandler) {
  handle("reply.1", [] {});
  tasks_.spawn("a", [this] { return fail(); });
  run();
  EXPECT_THAT(failed_, IsEmpty());
}

}  // namespace
}  // namespace rosey::sdk
