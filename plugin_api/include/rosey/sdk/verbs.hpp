// Chat verbs as a table: a row says what people type, who may, how many words follow, and which
// function answers.
//
//   class dice {
//    public:
//     static constexpr char id[] = "dice";
//     static constexpr char version[] = "1.0.0";
//
//     explicit dice(sdk::context context) : context_(std::move(context)) {}
//     void start(const boost::json::object&) { sdk::serve_verbs(context_, *this); }
//
//    private:
//     sdk::reply roll(const sdk::command& asked) {
//       if (asked.user == "ann") return rosey::error{"unlucky", "Not today"};
//       return wire::succeeded(asked.user + " rolls a 4");
//     }
//     asio::awaitable<sdk::reply> bet(const sdk::command& asked) {
//       co_await store(asked.words[0]);
//       co_return wire::succeeded("The bet is on");
//     }
//
//    public:
//     static constexpr sdk::handled_verb<dice> verbs[] = {  // behind the functions that it names
//         {.name = "roll", .help = "Rolls a die", .handle = &dice::roll},
//         {.name = "bet",
//          .arguments = "<amount> [on what]",
//          .words = {1, 2},
//          .help = "Bets on the next roll",
//          .handle = &dice::bet},
//     };
//   };
//
// ROSEY_PLUGIN(dice) declares the verbs to the host. serve_verbs() subscribes to them, and then
// each command is answered exactly once: with what the function returns, with "Done" if it returns
// nothing, with a refusal if the command cannot be read, comes from somebody who may not, or has
// too few or too many words, and with a failure if the function throws, which is logged as well.
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/result.hpp>
#include <cstddef>
#include <exception>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "rosey/sdk/context.hpp"
#include "rosey/sdk/failures.hpp"
#include "rosey/wire/command.hpp"

namespace rosey::sdk {

// How many words may follow a verb.
struct word_count {
  static constexpr std::size_t any = std::numeric_limits<std::size_t>::max();

  std::size_t least = 0;
  std::size_t most = any;
};

// A command as it came, and its arguments split at blanks.
struct command : wire::command_request {
  std::vector<std::string> words;
  const char* verb = "";       // of the row
  const char* arguments = "";  // of the row

  // The refusal of arguments that make no sense.
  error usage() const {
    const std::string_view shown = arguments;
    return {codes::usage, "Usage: !" + std::string(verb) + (shown.empty() ? "" : " ") + arguments};
  }
};

// What a command is answered with: wire::succeeded(...), wire::failed(...), an error, a result of
// these, or the JSON object as it is to be sent.
class reply {
 public:
  reply(const wire::command_reply& said) : as_sent_(wire::to_json(said)) {}
  reply(const error& why) : reply(wire::failed(why)) {}
  reply(boost::json::object as_sent) : as_sent_(std::move(as_sent)) {}
  template <class T>
  reply(const result<T>& outcome) : reply(outcome ? reply(*outcome) : reply(outcome.error())) {}

  const boost::json::object& as_sent() const { return as_sent_; }

 private:
  boost::json::object as_sent_;
};

// A row of the table. `Handlers` is the class whose functions it names; they take a
// `const sdk::command&`, valid until they have ended, for coroutines too, and return sdk::reply,
// void, or an awaitable of one of these.
template <class Handlers>
struct handled_verb {
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using handler =
      std::variant<reply (Handlers::*)(const command&), reply (Handlers::*)(const command&) const,
                   awaitable<reply> (Handlers::*)(const command&),
                   awaitable<reply> (Handlers::*)(const command&) const,
                   void (Handlers::*)(const command&),
                   awaitable<void> (Handlers::*)(const command&)>;

  const char* name;                          // "add": lower case letters, digits and '-'
  const char* arguments = "";                // as help shows them: "<url>"
  word_count words = {};                     // how many there may be; others get the usage
  wire::role least_role = wire::role::user;  // who may use it
  const char* help;                          // one line
  handler handle;
};

// Bytes that an answer can have: what NATS carries, and readers of replies take.
inline std::size_t max_reply(const message_bus& bus) {
  constexpr std::size_t readers_take = 1024 * 1024;  // wire::decode_reply
  return std::min(readers_take, bus.max_payload());
}

namespace detail {

// "rosey.command.<id>.<verb>", terminated, while compiling.
struct subject_text {
  std::array<char, 96> text{};  // an id and a verb have at most 32 bytes

  constexpr subject_text() = default;
  constexpr subject_text(std::string_view id, std::string_view verb) {
    std::size_t size = 0;
    for (const std::string_view part : {std::string_view("rosey.command."), id, {"."}, verb}) {
      for (const char c : part) text.at(size++) = c;
    }
    text.at(size) = '\0';
  }
};

inline std::vector<std::string> words_of(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  std::vector<std::string> words;
  for (;;) {
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.size(), text.find_first_of(blanks));
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

inline std::string_view who_may(wire::role least) {
  return least == wire::role::admin ? "Only an admin may do that"
                                    : "Only a moderator or an admin may do that";
}

// Nothing is left out that calling or showing the verb needs.
template <class Handlers>
constexpr bool is_complete(const handled_verb<Handlers>& row) {
  const bool has_function = std::visit([](auto call) { return call != nullptr; }, row.handle);
  const bool names_arguments = row.arguments && (row.words.least == 0 || *row.arguments != '\0');
  return row.name && row.help && has_function && names_arguments &&
         row.words.least <= row.words.most;
}

// A message and the way to answer it.
struct pending_command {
  context with;
  message request;

  // Never throws: an answer that cannot be sent is a line in the log.
  void answer(const reply& said) const noexcept {
    if (request.reply.empty()) return;
    try {
      std::string text = boost::json::serialize(said.as_sent());
      const std::size_t most = max_reply(with.bus);
      if (text.size() > most) {
        const error reason{codes::too_large, "The answer has " + std::to_string(text.size()) +
                                                 " bytes; one message carries at most " +
                                                 std::to_string(most)};
        with.log.warning(request.subject + ": " + reason.message);
        text = boost::json::serialize(reply(reason).as_sent());
      }
      with.bus.publish(request.reply, text);
    } catch (const std::exception& failure) {
      with.log.fault("answer",
                     "an answer on " + request.subject + " was not sent: " + failure.what());
    }
  }

  void answer_failure(const std::exception_ptr& failure) const {
    const error reason = reason_for_sender(failure);
    if (reason.code == codes::internal) log(failure);
    answer(reason);
  }

  void log(const std::exception_ptr& failure) const {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& unexpected) {
      with.log.error(request.subject + ": " + unexpected.what());
    } catch (...) {
      with.log.error(request.subject + ": unknown exception");
    }
  }
};

inline reply done() {
  return wire::succeeded("Done");
}

// Reads the command into `asked`. What it returns is the answer: the command goes no further.
template <class Handlers>
std::optional<reply> refused(Handlers& handlers, const handled_verb<Handlers>& row,
                             std::string_view payload, command& asked) {
  auto request = wire::decode_command(payload);
  if (!request) return request.error();
  static_cast<wire::command_request&>(asked) = std::move(*request);
  asked.words = words_of(asked.args);
  asked.verb = row.name;
  asked.arguments = row.arguments;
  if constexpr (requires { handlers.before(asked, row); }) {
    if (std::optional<reply> said = handlers.before(asked, row)) return said;
  }
  if (asked.sender_role < row.least_role) {
    return error{codes::forbidden, std::string(who_may(row.least_role))};
  }
  const std::size_t count = asked.words.size();
  if (count < row.words.least || count > row.words.most) return asked.usage();
  return std::nullopt;
}

// The coroutine of one command.
template <class Handlers, class Handle>
boost::asio::awaitable<void> run(pending_command pending, command asked, Handlers* handlers,
                                 Handle handle) {
  std::optional<reply> said;
  std::exception_ptr failure;
  try {
    if constexpr (std::is_same_v<decltype((handlers->*handle)(asked)),
                                 boost::asio::awaitable<void>>) {
      co_await (handlers->*handle)(asked);
      said = done();
    } else {
      reply outcome = co_await (handlers->*handle)(asked);
      said = std::move(outcome);
    }
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    pending.answer_failure(failure);
  } else {
    pending.answer(*said);
  }
}

template <class Handlers, class Handle>
void call(pending_command pending, command asked, Handlers& handlers, Handle handle) {
  using outcome = decltype((handlers.*handle)(asked));
  if constexpr (std::is_same_v<outcome, reply>) {
    pending.answer((handlers.*handle)(asked));
  } else if constexpr (std::is_void_v<outcome>) {
    (handlers.*handle)(asked);
    pending.answer(done());
  } else {
    std::string name = pending.request.subject;
    pending.with.tasks.spawn(
        std::move(name), [pending = std::move(pending), asked = std::move(asked), to = &handlers,
                          handle] { return run(pending, asked, to, handle); });
  }
}

template <class Handlers>
void serve(const context& with, Handlers& handlers, const handled_verb<Handlers>& row,
           message request) {
  const pending_command pending{with, std::move(request)};
  try {
    command asked;
    if (const auto said = refused(handlers, row, pending.request.payload, asked)) {
      return pending.answer(*said);
    }
    std::visit([&](auto handle) { call(pending, asked, handlers, handle); }, row.handle);
  } catch (...) {
    pending.answer_failure(std::current_exception());
  }
}

}  // namespace detail

// Subscribes to every row of Handlers::verbs, with Handlers::id as the queue group. `handlers` must
// live as long as the plugin; it may be the plugin itself, or a part of it with the same id. All
// runs on the plugin's thread; coroutines belong to with.tasks, so that a plugin which is to go has
// answered what it began. Throws std::runtime_error if the host refuses a subject.
//
// If the class has `std::optional<sdk::reply> before(sdk::command&, const
// sdk::handled_verb<...>&)`, it sees each command that could be read before role and words are
// checked: it may change the command, or answer it itself.
template <class Handlers>
void serve_verbs(const context& with, Handlers& handlers) {
  static_assert(std::all_of(std::begin(Handlers::verbs), std::end(Handlers::verbs),
                            detail::is_complete<Handlers>),
                "each row of verbs needs a name, a help text and a function; one that needs words "
                "names them in its arguments");
  for (const handled_verb<Handlers>& row : Handlers::verbs) {
    const detail::subject_text subject(Handlers::id, row.name);
    with.bus.subscribe(subject.text.data(), Handlers::id, [with, &handlers, &row](message request) {
      detail::serve(with, handlers, row, std::move(request));
    });
  }
}

}  // namespace rosey::sdk
