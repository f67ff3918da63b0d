// What is shown of an address, and what libnats is given.
#include "host_stub/address.hpp"

#include <gmock/gmock.h>

#include <utility>

namespace rosey::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Address, IsShownWhereItHoldsNoSecret) {
  for (const char* address :
       {"", "nats://127.0.0.1:4222", "nats://[::1]:4222", "127.0.0.1:4222", "tls://nats.example",
        "nats://a:1,nats://b:2", "postgresql://h:5432/db?sslmode=require",
        "postgresql://h1:1,h2:2/db", "postgres://", "postgresql://?host=/run/postgresql&port=5432",
        "host=h port=5432 dbname=db user=ann", "sqlite:data/rosey.db", "sqlite:/home/a@b/x.db",
        "sqlite:///home/a@b/x?y.db", "data/rosey.db"}) {
    EXPECT_EQ(printable_address(address), address);
    EXPECT_FALSE(holds_secret(address)) << address;
  }
}

TEST(Address, IsShownWithoutUserPasswordOrToken) {
  const std::pair<const char*, const char*> cases[] = {
      {"nats://s3cret@127.0.0.1:4222", "nats://127.0.0.1:4222"},
      {"s3cret@127.0.0.1:4222", "127.0.0.1:4222"},
      {"tls://ann:s3cret@h", "tls://h"},
      {"nats://ann:s3cret%40x@h:1", "nats://h:1"},
      {"nats://ann:x@s3cret@h:1", "nats://h:1"},
      {"nats://ann:x/s3cret@h:1", "nats://h:1"},
      {"nats://ann:x@y/s3cret@h:1", "nats://h:1"},
      {"nats://ann:x?s3cret@h:1", "nats://h:1"},
      {"nats://ann:x?a=s3cret@h:1", "nats://h:1"},
      {"nats://ann:x?/s3cret@h:1", "nats://h:1"},
      {"nats://ann:s3cret,x@h:1", "nats://h:1"},
      {"nats://ann:#s3cret@h:1", "nats://h:1"},
      {"nats://s3cret=@h:1", "nats://h:1"},
      {"s3cret==@h:1", "h:1"},
      {"nats://ann:s3cret@a:1,nats://s3cret@b:2", "nats://a:1,nats://b:2"},
      {"nats://ann:s3cret@a:1, tls://s3cret@b:2", "nats://a:1,tls://b:2"},
      {"nats://a:1,ann:s3cret@b:2", "nats://b:2"},
      {"nats://ann:s3cret@", "nats://"},
      {"postgresql://ann:s3cret@h/db", "postgresql://h/db"},
      {"postgres://ann:x@s3cret@h:5/db", "postgres://h:5/db"},
      {"postgresql://ann:x/s3cret@h/db", "postgresql://h/db"},
      {"postgresql://ann:s3cret@h1,h2:2/db?sslmode=require",
       "postgresql://h1,h2:2/db?sslmode=require"},
      {"postgresql://h/db?user=ann&password=s3cret&port=5",
       "postgresql://h/db?user=ann&password=***&port=5"},
      {"postgresql:///db?pass%77ord=s3cret", "postgresql:///db?pass%77ord=***"},
      {"postgresql:///db?sslpassword=s3c@ret/s3cret", "postgresql:///db?sslpassword=***"},
      {"host=h password=s3cret dbname=db", "host=h password=*** dbname=db"},
      {"password = 'x\\' s3cret' host = h", "password=*** host=h"},
      {"host=h password=x\\ s3cret port=5", "host=h password=*** port=5"},
      {"host=h password=x s3cret", "host=h password=*** ***"},
      {"host=h dbname=postgresql://ann:s3cret@h/db", "host=h dbname=postgresql://h/db"},
      {"host=h PASSWORD=s3cret", "host=h PASSWORD=***"},
      {"oracle:ann/s3cret@h", "h"},
  };
  for (const auto& [address, shown] : cases) {
    EXPECT_EQ(printable_address(address), shown) << address;
    EXPECT_TRUE(holds_secret(address)) << address;
  }
  EXPECT_EQ(printable_address("postgresql://ann@h/db"), "postgresql://h/db");
  EXPECT_FALSE(holds_secret("postgresql://ann@h/db"));
}

// Wherever the secret stands, and whatever else is wrong.
TEST(Address, NeverShowsALoginWithStrangeCharacters) {
  for (const char* scheme : {"", "nats://", "tls://", "postgresql://"}) {
    for (const char c : std::string_view("@/?#:;,=&%'\" \\\n\t[]")) {
      for (const char* before : {"ann:", "ann:x", ""}) {
        for (const char* behind : {"@h", "@h:1/db", "@h:1/db?sslmode=require"}) {
          const std::string address =
              std::string(scheme) + before + c + "s3cret" + c + "s3cret" + behind;
          EXPECT_THAT(printable_address(address), Not(HasSubstr("s3cret"))) << address;
        }
      }
    }
  }
}

TEST(Address, ListIsSplitAtCommas) {
  EXPECT_THAT(split_addresses("nats://a:1"), ElementsAre("nats://a:1"));
  EXPECT_THAT(split_addresses(" nats://t@a:1 , b:2,,"), ElementsAre("nats://t@a:1", "b:2"));
  EXPECT_THAT(split_addresses(" , "), IsEmpty());
}

TEST(Address, LoginIsDecodedForLibnats) {
  EXPECT_EQ(with_plain_login("nats://h:1"), "nats://h:1");
  EXPECT_EQ(with_plain_login("nats://ann%40x:p%40s%2fs%2C@h%41:1"), "nats://ann@x:p@s/s,@h%41:1");
  EXPECT_EQ(with_plain_login("to%2540k@h"), "to%40k@h");
  EXPECT_EQ(with_plain_login("nats://100%@h"), "nats://100%@h");
  EXPECT_EQ(with_plain_login("nats://%zz%4@h"), "nats://%zz%4@h");
  EXPECT_EQ(with_plain_login("nats://a@b%41@h"), "nats://a@bA@h");
}

}  // namespace
}  // namespace rosey::host
