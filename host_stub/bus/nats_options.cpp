// Each setting, with a sentence for the one that libnats refuses.
#include "host_stub/bus/nats_options.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <charconv>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include "host_stub/address.hpp"

namespace rosey::host {
namespace {

// libnats frees messages on a thread of its own and wakes it for nearly every one. Threads inherit
// their policy from the one that makes them, and with this one it does not push aside the thread
// that has just let go of a message, and will of the next.
void open_library() {
  std::thread([] {
    const sched_param none{};
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
    nats_Open(-1);
  }).join();
}

void fail_bad_url(const std::string& url) {
  throw std::runtime_error(fmt::format(
      "'{}' is not a NATS URL; one looks like nats://127.0.0.1:4222", printable_address(url)));
}

bool is_port(std::string_view text) {
  int port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failure == std::errc() && end == text.data() + text.size() && port > 0 && port < 65536;
}

// libnats takes nearly everything, and then finds no server.
void check_url(const std::string& url) {
  std::string_view rest = url;
  if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) {
    const std::string_view name = rest.substr(0, scheme);
    if (name != "nats" && name != "tls") fail_bad_url(url);
    rest.remove_prefix(scheme + 3);
  }
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto bracket = rest.rfind(']');
  const auto colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (rest.substr(0, colon).empty()) fail_bad_url(url);
  if (colon != std::string_view::npos && !is_port(rest.substr(colon + 1))) fail_bad_url(url);
}

void set_urls(natsOptions* options, const std::string& list) {
  std::vector<std::string> urls = split_addresses(list);
  if (urls.empty()) fail_bad_url(list);
  std::vector<const char*> pointers;
  bool secure = false;
  for (std::string& each : urls) {
    check_url(each);
    secure = secure || each.starts_with("tls://");
    each = with_plain_login(each);
    pointers.push_back(each.c_str());
  }
  const int count = static_cast<int>(pointers.size());
  if (natsOptions_SetServers(options, pointers.data(), count) != NATS_OK) fail_bad_url(list);
  natsOptions_SetNoRandomize(options, true);
  if (secure && natsOptions_SetSecure(options, true) != NATS_OK) {
    throw std::runtime_error("this libnats knows no TLS");
  }
}

// What OpenSSL says is behind the last colon, and for people.
std::string last_error() {
  natsStatus status = NATS_OK;
  const char* text = nats_GetLastError(&status);
  const std::string_view whole = text ? text : natsStatus_GetText(status);
  const auto colon = whole.rfind(": ");
  return std::string(colon == std::string_view::npos ? whole : whole.substr(colon + 2));
}

void check(natsStatus status, const std::filesystem::path& file, std::string_view what) {
  if (status == NATS_OK) return;
  throw std::runtime_error(
      fmt::format("cannot use {} '{}': {}", what, file.string(), last_error()));
}

void readable(const std::filesystem::path& file, std::string_view what) {
  std::error_code unknown;
  if (std::filesystem::is_regular_file(file, unknown)) return;
  throw std::runtime_error(fmt::format("cannot use {} '{}': {}", what, file.string(),
                                       unknown ? unknown.message() : "it is no file"));
}

void set_security(natsOptions* options, const nats_security& chosen) {
  if (!chosen.ca_file.empty()) {
    readable(chosen.ca_file, "nats.ca_file");
    check(natsOptions_LoadCATrustedCertificates(options, chosen.ca_file.c_str()), chosen.ca_file,
          "nats.ca_file");
    natsOptions_SetSecure(options, true);
  }
  if (chosen.certificate_file.empty() != chosen.key_file.empty()) {
    throw std::runtime_error("nats.certificate_file and nats.key_file go together");
  }
  if (!chosen.certificate_file.empty()) {
    readable(chosen.certificate_file, "nats.certificate_file");
    readable(chosen.key_file, "nats.key_file");
    check(natsOptions_LoadCertificatesChain(options, chosen.certificate_file.c_str(),
                                            chosen.key_file.c_str()),
          chosen.certificate_file, "nats.certificate_file");
    natsOptions_SetSecure(options, true);
  }
  if (!chosen.credentials_file.empty()) {
    readable(chosen.credentials_file, "nats.credentials_file");
    check(
        natsOptions_SetUserCredentialsFromFiles(options, chosen.credentials_file.c_str(), nullptr),
        chosen.credentials_file, "nats.credentials_file");
  }
  if (chosen.nkey.empty() != chosen.nkey_seed_file.empty()) {
    throw std::runtime_error("nats.nkey and nats.nkey_seed_file go together");
  }
  if (!chosen.nkey.empty()) {
    readable(chosen.nkey_seed_file, "nats.nkey_seed_file");
    check(natsOptions_SetNKeyFromSeed(options, chosen.nkey.c_str(), chosen.nkey_seed_file.c_str()),
          chosen.nkey_seed_file, "nats.nkey_seed_file");
  }
}

}  // namespace

nats_options make_options(const nats_target& target, const std::string& url,
                          const std::string& name) {
  static std::once_flag opened;
  std::call_once(opened, open_library);
  natsOptions* made = nullptr;
  if (natsOptions_Create(&made) != NATS_OK) throw std::bad_alloc();
  nats_options options(made, &natsOptions_Destroy);
  set_urls(made, url);
  set_security(made, target.security);
  natsOptions_SetName(made, name.c_str());
  natsOptions_SetTimeout(made, std::max<std::int64_t>(target.timeout.count(), 1));
  const std::chrono::milliseconds ping = target.ping_interval;
  natsOptions_SetPingInterval(made, ping.count());
  natsOptions_SetMaxPingsOut(made, unanswered_pings);
  natsOptions_SetWriteDeadline(made, write_deadline.count());
  return options;
}

}  // namespace rosey::host
