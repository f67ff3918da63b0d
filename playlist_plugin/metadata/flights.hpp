// Work that many wait for and that is done once: whoever comes later joins, and whoever waits no
// longer leaves without ending it.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "playlist_plugin/clock.hpp"
#include "rosey/sdk/context.hpp"

namespace rosey::playlist {

template <class T>
class flights {
 public:
  template <class U>
  using awaitable = boost::asio::awaitable<U>;
  using work = std::function<awaitable<std::optional<T>>()>;

  flights(const sdk::context& context, clock& time) : context_(context), clock_(time) {}

  // The outcome of the work of this name, which is begun unless it is under way. Nothing: it gave
  // nothing, has not ended within `patience` milliseconds (none: waits to the end), or there is too
  // much under way.
  awaitable<std::optional<T>> join(std::string name, work begin,
                                   std::optional<std::int64_t> patience) {
    const std::shared_ptr<flight> joined = find_or_begin(name, std::move(begin));
    if (!joined) co_return std::nullopt;
    const std::int64_t deadline = clock_.steady() + patience.value_or(0);
    const auto timer = std::make_shared<boost::asio::steady_timer>(context_.executor);
    joined->waiting.push_back(timer);
    while (!joined->landed && (!patience || clock_.steady() < deadline)) {
      if (patience) {
        clock_.arm(timer, deadline);
      } else {
        timer->expires_at(boost::asio::steady_timer::time_point::max());
      }
      co_await timer->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    joined->waiting.remove(timer);
    co_return joined->outcome;
  }

 private:
  static constexpr std::size_t most_flights = 1000;

  struct flight {
    bool landed = false;
    std::optional<T> outcome;
    std::list<std::shared_ptr<boost::asio::steady_timer>> waiting;
  };

  std::shared_ptr<flight> find_or_begin(const std::string& name, work begin) {
    const auto known = under_way_.find(name);
    if (known != under_way_.end()) return known->second;
    if (under_way_.size() >= most_flights || context_.tasks.stopping()) return nullptr;
    auto made = std::make_shared<flight>();
    under_way_.emplace(name, made);
    context_.tasks.spawn_until_stop(
        name, [this, name, begin = std::move(begin), made] { return fly(name, begin, made); });
    return made;
  }

  awaitable<void> fly(std::string name, work begin, std::shared_ptr<flight> self) {
    try {
      self->outcome = co_await begin();
    } catch (...) {
      land(name, *self);
      throw;
    }
    land(name, *self);
  }

  void land(const std::string& name, flight& self) {
    self.landed = true;
    under_way_.erase(name);
    for (const auto& timer : self.waiting) timer->cancel();
  }

  sdk::context context_;
  clock& clock_;
  std::map<std::string, std::shared_ptr<flight>> under_way_;
};

}  // namespace rosey::playlist
