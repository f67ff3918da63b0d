// Keys and tokens of NATS' decentralised security: an operator, an account and a user, made anew
// for each test.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

namespace rosey::tests {

// An Ed25519 key in the form of https://github.com/nats-io/nkeys: base 32 of what it is for, the
// bytes, and their CRC-16.
class nats_key {
 public:
  enum class purpose : unsigned char { account = 0, operator_ = 14 << 3, user = 20 << 3 };

  explicit nats_key(purpose what_for);

  std::string public_key() const;
  std::string seed() const;
  // A JWT (https://docs.nats.io, "JWTs"): `nats` is what it grants `subject`, as JSON.
  std::string token(const nats_key& subject, std::string_view nats) const;

 private:
  std::string sign(std::string_view text) const;

  const purpose purpose_;
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
};

}  // namespace rosey::tests
