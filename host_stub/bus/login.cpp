// libnats says "No server available" to most of what can go wrong: so that is looked at once more.
#include "host_stub/bus/login.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "host_stub/address.hpp"

namespace rosey::host {
namespace {

using steady = std::chrono::steady_clock;

struct host_and_port {
  std::string host;
  std::string port = "4222";
};

host_and_port parts_of(const std::string& url) {
  std::string rest = url;
  if (const auto scheme = rest.find("://"); scheme != std::string::npos) rest.erase(0, scheme + 3);
  if (const auto at = rest.rfind('@'); at != std::string::npos) rest.erase(0, at + 1);
  rest.erase(std::min(rest.find('/'), rest.size()));
  host_and_port found;
  const auto bracket = rest.rfind(']');
  const auto colon = rest.find(':', bracket == std::string::npos ? 0 : bracket);
  found.host = rest.substr(0, colon);
  if (colon != std::string::npos) found.port = rest.substr(colon + 1);
  if (found.host.starts_with('[')) found.host = found.host.substr(1, bracket - 1);
  return found;
}

// Why no connection can be made to this address; none if one can.
std::optional<std::string> connect_fault(const addrinfo& address, std::chrono::milliseconds most) {
  const int socket =
      ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol);
  if (socket < 0) return std::strerror(errno);
  int failure = ::connect(socket, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (failure == EINPROGRESS) {
    pollfd writable{socket, POLLOUT, 0};
    failure = ETIMEDOUT;
    if (::poll(&writable, 1, static_cast<int>(most.count())) == 1) {
      socklen_t size = sizeof failure;
      ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size);
    }
  }
  ::close(socket);
  if (failure == 0) return std::nullopt;
  if (failure == ECONNREFUSED) return "nobody listens there (connection refused)";
  if (failure == ETIMEDOUT) return "the host does not answer";
  return std::strerror(failure);
}

// Why the host cannot be reached; none if it can.
std::optional<std::string> network_fault(const std::string& url, std::chrono::milliseconds most) {
  const host_and_port at = parts_of(url);
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failure = ::getaddrinfo(at.host.c_str(), at.port.c_str(), &wanted, &found)) {
    return fmt::format("the host '{}' is unknown ({})", at.host, ::gai_strerror(failure));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, &::freeaddrinfo);
  std::optional<std::string> last;
  for (const addrinfo* each = found; each; each = each->ai_next) {
    last = connect_fault(*each, most);
    if (!last) return std::nullopt;
  }
  return last;
}

// libnats' text begins with its own source file and line.
std::string libnats_error(natsStatus status) {
  natsStatus last = NATS_OK;
  const char* text = nats_GetLastError(&last);
  if (!text || last != status) return natsStatus_GetText(status);
  std::string_view whole = text;
  if (whole.starts_with('(')) {
    const auto end = whole.find("): ");
    if (end != std::string_view::npos) whole.remove_prefix(end + 3);
  }
  return std::string(whole);
}

// From "SSL handshake error: 10:certificate has expired:depth=0:cert=/CN=a:issuer=/CN=b".
std::string tls_fault(std::string_view text) {
  const auto part = [text](std::string_view begin, std::string_view end) {
    const auto found = text.find(begin);
    if (found == std::string_view::npos) return std::string();
    const auto from = found + begin.size();
    return std::string(text.substr(from, text.find(end, from) - from));
  };
  const std::string subject = part(":cert=", ":issuer=");
  if (subject.empty()) return fmt::format("TLS: {}", text);
  const std::string numbered = part("SSL handshake error: ", ":depth=");
  return fmt::format(
      "TLS: the server's certificate '{}', issued by '{}', is not accepted: {}; nats.ca_file names "
      "whom to trust",
      subject, part(":issuer=", "\n"), numbered.substr(numbered.find(':') + 1));
}

login_outcome failed_outcome(natsStatus status, const std::string& url, const nats_target& target) {
  const auto because = [&](login_failure kind, const std::string& why) {
    return login_outcome{false, kind,
                         fmt::format("cannot reach NATS at {}: {}", printable_address(url), why)};
  };
  const std::string text = libnats_error(status);
  switch (status) {
    case NATS_CONNECTION_AUTH_FAILED:
      return because(
          login_failure::refused,
          fmt::format("the login was refused ({}); check user, password, token or key", text));
    case NATS_SSL_ERROR:
      return because(login_failure::refused, tls_fault(text));
    case NATS_SECURE_CONNECTION_WANTED:
      return because(login_failure::refused, "the server offers no TLS; use nats://, or enable it");
    case NATS_SECURE_CONNECTION_REQUIRED:
      return because(login_failure::refused, "the server wants TLS; use tls://");
    default:
      break;
  }
  // With TLS 1.3 a server looks at our certificate only after the handshake.
  const bool encrypted = url.starts_with("tls://") || !target.security.ca_file.empty();
  if (encrypted && text.starts_with("Expected 'PONG'")) {
    return because(login_failure::refused,
                   target.security.certificate_file.empty()
                       ? "the server wants a certificate of ours; nats.certificate_file names it"
                       : "the server does not accept the certificate in nats.certificate_file");
  }
  if (auto fault = network_fault(url, target.timeout)) {
    return because(login_failure::unreachable, *fault);
  }
  if (status == NATS_TIMEOUT) {
    return because(login_failure::unreachable,
                   "it takes connections, and does not speak NATS within " +
                       fmt::format("{} ms", target.timeout.count()));
  }
  // A file of credentials that holds none.
  const bool is_ours = status == NATS_NOT_FOUND || status == NATS_ERR;
  return because(is_ours ? login_failure::refused : login_failure::unreachable, text);
}

login_outcome try_one(const nats_target& target, const std::string& url, const std::string& name) {
  const nats_options options = make_options(target, url, name);
  natsOptions_SetAllowReconnect(options.get(), false);
  natsConnection* made = nullptr;
  const natsStatus status = natsConnection_Connect(&made, options.get());
  const std::unique_ptr<natsConnection, void (*)(natsConnection*)> owned(made,
                                                                         &natsConnection_Destroy);
  if (status == NATS_OK) return {true, {}, {}};
  return failed_outcome(status, url, target);
}

}  // namespace

login_outcome try_login(const nats_target& target, const std::string& name) {
  login_outcome all;
  for (const std::string& url : split_addresses(target.url)) {
    const login_outcome one = try_one(target, url, name);
    if (one.succeeded) return one;
    if (one.kind == login_failure::refused) all.kind = one.kind;
    if (!all.reason.empty()) all.reason += "; ";
    all.reason += one.reason;
  }
  if (all.reason.empty()) static_cast<void>(make_options(target, target.url, name));  // says why
  return all;
}

result<void> wait_for_login(const nats_target& target, const std::string& name,
                            std::chrono::milliseconds patience,
                            const std::function<void(const std::string&)>& say,
                            const std::function<bool(std::chrono::milliseconds)>& give_up) {
  const auto deadline = steady::now() + patience;
  for (bool first = true;; first = false) {
    login_outcome tried = try_login(target, name);
    if (tried.succeeded) return {};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady::now());
    if (tried.kind == login_failure::refused || left.count() <= 0) {
      return error{"unavailable", std::move(tried.reason)};
    }
    if (first)
      say(fmt::format("{}; waiting for it, up to {} s", tried.reason,
                      std::chrono::ceil<std::chrono::seconds>(left).count()));
    if (give_up(std::min(left, std::chrono::milliseconds(500)))) {
      return error{"interrupted", std::move(tried.reason)};
    }
  }
}

}  // namespace rosey::host
