// A bot with the playlist and its storage in one process, on a NATS server beside it, as `rosey
// run` is used on one machine; and what is asked of it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "bench/load.hpp"
#include "host_stub/bus/nats_server.hpp"
#include "integration/support/bot.hpp"
#include "soak/client.hpp"

namespace rosey::bench {

// As many as the playlist lets wait in a channel.
inline constexpr int most_queued = 900;

// No limit of the playlist is in the way; its users are many, and each adds a little.
inline constexpr char roomy[] =
    R"({"rate_limit_count": 900, "rate_limit_seconds": 1, "max_items_per_user": 900,
        "max_queue_size": 900, "min_skip_votes": 1000})";

class playlist_host {
 public:
  // `fill` writes to the database before the bot starts with it.
  explicit playlist_host(std::string_view settings = roomy,
                         const std::function<void(const std::filesystem::path&)>& fill = {});

  void start();
  void stop();

  const std::string& nats_url() const { return nats_.url(); }
  std::filesystem::path database() const { return folder_.database(); }
  tests::bot_folder& folder() { return folder_; }
  // Bytes of memory that are resident.
  double resident();

 private:
  tests::bot_folder folder_;
  const host::nats_server nats_;
  std::optional<tests::running_bot> bot_;
  std::jthread log_reader_;  // a bot whose log nobody reads stands still in the end
};

// What a chat line becomes; each with another id.
request command(std::string_view verb, std::string_view channel, std::string_view user,
                std::string_view arguments = "", std::string_view role = "user");
// Adds what nobody has added before.
request new_add(std::string_view channel, std::string_view user);

// Microseconds until the answer. Throws std::runtime_error when it is no success, or, with
// `refusal`, when it is not refused with that code.
double timed(tests::soak_client& client, const request& asked, std::string_view refusal = {});

}  // namespace rosey::bench
