// What is known of a NATS before it is reached, as libnats' options.
#pragma once

#include <nats/nats.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace rosey::host {

// How we prove who we are, and whom we believe. "" where nothing is set.
struct nats_security {
  std::filesystem::path ca_file = {};  // whom we believe, instead of the system's authorities
  std::filesystem::path certificate_file = {};  // our own, with its chain
  std::filesystem::path key_file = {};          // of our certificate
  std::filesystem::path credentials_file = {};  // a user's .creds: JWT and seed
  std::string nkey = {};                        // public key, "U…"
  std::filesystem::path nkey_seed_file = {};    // its seed, "SU…"
};

// How we notice that the other side is gone. Three pings without an answer end a connection.
inline constexpr int unanswered_pings = 2;
inline constexpr std::chrono::seconds default_ping_interval{4};

// A write that the server does not take for so long ends the connection, too.
inline constexpr std::chrono::milliseconds write_deadline{2000};

struct nats_target {
  std::string url;  // one, or several with commas: tried in this order
  nats_security security = {};
  std::chrono::seconds ping_interval = default_ping_interval;
  // For one attempt to connect and to log in.
  std::chrono::milliseconds timeout = std::chrono::seconds(2);
};

using nats_options = std::unique_ptr<natsOptions, void (*)(natsOptions*)>;

// `url` is one of the target's, or all of them. Throws std::runtime_error with one sentence that
// names a file or an address that cannot be used.
nats_options make_options(const nats_target& target, const std::string& url,
                          const std::string& name);

}  // namespace rosey::host
