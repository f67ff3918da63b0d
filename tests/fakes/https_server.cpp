// Blocking sockets, a thread for each connection.
#include "fakes/https_server.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <stdexcept>
#include <utility>

namespace rosey::fakes {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

using key_ptr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using x509_ptr = std::unique_ptr<X509, decltype(&X509_free)>;

template <class Write>
std::string pem(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
  if (write(memory.get()) != 1) throw std::runtime_error("cannot write PEM");
  char* data = nullptr;
  const auto size = BIO_get_mem_data(memory.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

void extend(X509* certificate, int kind, const std::string& value) {
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()), &X509_EXTENSION_free);
  X509_add_ext(certificate, extension.get(), -1);
}

x509_ptr certify(EVP_PKEY* key, const std::string& name, X509* issuer, EVP_PKEY* issuer_key,
                 const std::vector<std::pair<int, std::string>>& extensions,
                 std::chrono::seconds valid = std::chrono::hours(24)) {
  static std::atomic<long> serial = 1;
  x509_ptr certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), valid.count());
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), issuer ? X509_get_subject_name(issuer) : subject);
  X509_set_pubkey(certificate.get(), key);
  for (const auto& [kind, value] : extensions) extend(certificate.get(), kind, value);
  if (X509_sign(certificate.get(), issuer_key, EVP_sha256()) == 0) {
    throw std::runtime_error("cannot sign");
  }
  return certificate;
}

}  // namespace

struct certificate_authority::parts {
  key_ptr key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
  x509_ptr certificate = certify(key.get(), "Test authority", nullptr, key.get(),
                                 {{NID_basic_constraints, "critical,CA:TRUE"},
                                  {NID_key_usage, "critical,keyCertSign,cRLSign"}});
};

certificate_authority::certificate_authority() : parts_(std::make_unique<parts>()) {}
certificate_authority::~certificate_authority() = default;

std::string certificate_authority::certificate() const {
  return pem([this](BIO* out) { return PEM_write_bio_X509(out, parts_->certificate.get()); });
}

certificate_authority::identity certificate_authority::issue(const std::string& host,
                                                             std::chrono::seconds valid) const {
  const key_ptr key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const x509_ptr certificate =
      certify(key.get(), host, parts_->certificate.get(), parts_->key.get(),
              {{NID_subject_alt_name, "DNS:" + host}}, valid);
  return {pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); }),
          pem([&](BIO* out) {
            return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

https_server::https_server(const certificate_authority::identity& who, handler answer_to)
    : answer_to_(std::move(answer_to)),
      tls_(asio::ssl::context::tls_server),
      acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      port_(acceptor_.local_endpoint().port()) {
  tls_.use_certificate(asio::buffer(who.certificate), asio::ssl::context::pem);
  tls_.use_private_key(asio::buffer(who.key), asio::ssl::context::pem);
  accepting_ = std::thread([this] { accept_all(); });
}

https_server::~https_server() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
  }
  changed_.notify_all();
  ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
  accepting_.join();
  for (std::thread& connection : connections_) connection.join();
}

std::string https_server::url(const std::string& path) const {
  return "https://localhost:" + std::to_string(port_) + path;
}

void https_server::release() {
  {
    const std::lock_guard lock(mutex_);
    released_ = true;
  }
  changed_.notify_all();
}

std::vector<std::string> https_server::targets() const {
  const std::lock_guard lock(mutex_);
  return targets_;
}

std::vector<std::string> https_server::tunnels() const {
  const std::lock_guard lock(mutex_);
  return tunnels_;
}

std::size_t https_server::most_at_once() const {
  const std::lock_guard lock(mutex_);
  return most_at_once_;
}

void https_server::accept_all() {
  for (;;) {
    boost::system::error_code failure;
    auto socket = std::make_shared<tcp::socket>(acceptor_.accept(failure));
    if (failure) return;
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    const int handle = socket->native_handle();
    open_.insert(handle);
    connections_.emplace_back([this, socket, handle] {
      // The handle is taken from the list before it is closed and may be another's.
      struct closed {
        https_server& server;
        int handle;
        std::shared_ptr<tcp::socket> socket;
        ~closed() {
          const std::lock_guard lock(server.mutex_);
          server.open_.erase(handle);
        }
      } const at_end{*this, handle, socket};
      try {
        serve(*socket);
      } catch (const std::exception&) {
        // The client has gone, or refuses our certificate.
      }
    });
  }
}

void https_server::serve(tcp::socket& socket) {
  char first = 0;
  if (::recv(socket.native_handle(), &first, 1, MSG_PEEK) != 1) return;
  if (first == 'C') {
    boost::beast::flat_buffer buffer;
    http::request_parser<http::empty_body> connect;
    http::read_header(socket, buffer, connect);
    {
      const std::lock_guard lock(mutex_);
      tunnels_.push_back(std::string(connect.get().target()) + " " +
                         std::string(connect.get()[http::field::proxy_authorization]));
    }
    asio::write(socket, asio::buffer(std::string("HTTP/1.1 200 Connected\r\n\r\n")));
  }
  asio::ssl::stream<tcp::socket&> stream(socket, tls_);
  stream.handshake(asio::ssl::stream_base::server);
  boost::beast::flat_buffer buffer;
  http::request<http::string_body> request;
  http::read(stream, buffer, request);
  const std::string target(request.target());
  answer told;
  {
    std::unique_lock lock(mutex_);
    targets_.push_back(target);
    most_at_once_ = std::max(most_at_once_, ++busy_);
    lock.unlock();
    told = answer_to_(target);
    lock.lock();
    if (told.held) changed_.wait(lock, [this] { return released_ || stopping_; });
    --busy_;
  }
  http::response<http::string_body> response(static_cast<http::status>(told.status), 11);
  response.set(http::field::content_type, told.type);
  if (!told.location.empty()) response.set(http::field::location, told.location);
  response.body() = told.body;
  response.prepare_payload();
  http::write(stream, response);
}

}  // namespace rosey::fakes
