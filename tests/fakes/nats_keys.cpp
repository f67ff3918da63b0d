#include "fakes/nats_keys.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <stdexcept>

namespace rosey::tests {
namespace {

constexpr char base32_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr char base64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Without padding. `width` bits make a digit.
std::string in_digits(std::string_view bytes, unsigned width, const char* digits) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned held = 0;
  const std::uint32_t mask = (1U << width) - 1;
  for (const unsigned char byte : bytes) {
    bits = (bits << 8) | byte;
    for (held += 8; held >= width; held -= width) text += digits[(bits >> (held - width)) & mask];
  }
  if (held > 0) text += digits[(bits << (width - held)) & mask];
  return text;
}

std::string base64url(std::string_view bytes) {
  return in_digits(bytes, 6, base64url_digits);
}

// CRC-16/XMODEM.
std::uint16_t checksum(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (const unsigned char byte : bytes) {
    sum ^= static_cast<std::uint32_t>(byte) << 8;
    for (int bit = 0; bit < 8; ++bit) sum = (sum & 0x8000U) ? (sum << 1) ^ 0x1021U : sum << 1;
    sum &= 0xffffU;
  }
  return static_cast<std::uint16_t>(sum);
}

std::string encoded(std::string bytes) {
  const std::uint16_t sum = checksum(bytes);
  bytes += static_cast<char>(sum & 0xff);
  bytes += static_cast<char>(sum >> 8);
  return in_digits(bytes, 5, base32_digits);
}

template <class Read>
std::string raw(const EVP_PKEY* key, Read read) {
  std::array<unsigned char, 32> bytes{};
  std::size_t size = bytes.size();
  if (read(key, bytes.data(), &size) != 1) throw std::runtime_error("no raw key");
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

}  // namespace

nats_key::nats_key(purpose what_for)
    : purpose_(what_for), key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free) {
  if (!key_) throw std::runtime_error("no Ed25519 key");
}

std::string nats_key::public_key() const {
  return encoded(static_cast<char>(purpose_) + raw(key_.get(), &EVP_PKEY_get_raw_public_key));
}

std::string nats_key::seed() const {
  constexpr unsigned is_seed = 18 << 3;
  const auto what_for = static_cast<unsigned>(purpose_);
  std::string bytes{static_cast<char>(is_seed | (what_for >> 5)),
                    static_cast<char>((what_for & 31) << 3)};
  return encoded(bytes + raw(key_.get(), &EVP_PKEY_get_raw_private_key));
}

std::string nats_key::token(const nats_key& subject, std::string_view nats) const {
  const std::string claims = fmt::format(
      R"({{"jti":"{0}","iat":1700000000,"iss":"{1}","name":"test","sub":"{0}","nats":{2}}})",
      subject.public_key(), public_key(), nats);
  const std::string signed_part =
      base64url(R"({"typ":"JWT","alg":"ed25519-nkey"})") + "." + base64url(claims);
  return signed_part + "." + base64url(sign(signed_part));
}

std::string nats_key::sign(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   &EVP_MD_CTX_free);
  std::array<unsigned char, 64> signature{};
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size,
                     reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1) {
    throw std::runtime_error("cannot sign");
  }
  return {reinterpret_cast<const char*>(signature.data()), size};
}

}  // namespace rosey::tests
