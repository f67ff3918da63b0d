// Sites that are wrong, hostile, slow or not who they say, and the way to them.
#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <optional>

#include "playlist_plugin/metadata/http_client.hpp"
#include "playlist_plugin/metadata/https_address.hpp"
#include "unit/playlist/metadata_site.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using hostile_site_test = metadata_test;

bool tells_a_failure(const std::string& line) {
  return line.find("no metadata of") != std::string::npos;
}

TEST_F(hostile_site_test, follows_a_redirect) {
  tell = [](const std::string& target) {
    if (target.starts_with("/moved")) return song(60);
    return answer{.status = 302, .location = "/moved?x=1"};
  };
  here.start(settings());
  EXPECT_THAT(here.say("ann", "add", vimeo).message, EndsWith(": A song"));
}

TEST_F(hostile_site_test, has_titles_that_fit_into_a_line) {
  std::string long_title = "\x1b[31mTwo\n\nlines\t\xE2\x80\xAE and ";
  for (int each = 0; each < 200; ++each) long_title += "é";
  tell = [&](const std::string&) { return song(60, long_title); };
  here.start(settings());
  const auto added = here.say("ann", "add", vimeo);
  const std::string title(added.data.at("item").at("title").as_string());
  EXPECT_THAT(title, ::testing::StartsWith("[31mTwo lines and éé"));
  EXPECT_THAT(title, EndsWith("é…"));
  EXPECT_LE(title.size(), 2 * 120u);
  EXPECT_EQ(title.find_first_of("\x1b\n\t"), std::string::npos);
}

struct nonsense {
  const char* name;
  answer told;
  const char* logged;
};

class nonsense_test : public metadata_test, public ::testing::WithParamInterface<nonsense> {};

TEST_P(nonsense_test, leaves_the_placeholder_and_nothing_else) {
  tell = [](const std::string&) { return GetParam().told; };
  here.start(settings());
  EXPECT_EQ(here.say("ann", "add", vimeo).message, "📺 Added to queue (#1): [vi] 123456789");
  EXPECT_THAT(here.log(), Contains(HasSubstr(GetParam().logged)));
  EXPECT_THAT(here.say("ann", "queue").message, HasSubstr("[vi] 123456789 [??:??]"));
}

TEST_P(nonsense_test, is_held_against_its_link_alone) {
  tell = [](const std::string& target) {
    const bool bad = target.find("123456789") != std::string::npos || target == "/again";
    return bad ? GetParam().told : song(60);
  };
  json::object config = settings();
  config["require_duration"] = true;
  here.start(config);
  EXPECT_EQ(here.say("ann", "add", vimeo).code, "quota_duration");
  EXPECT_EQ(here.say("bob", "add", "https://vimeo.com/222222222").message,
            "📺 Added to queue (#1): A song");
  EXPECT_EQ(here.say("ann", "add", vimeo).code, "quota_duration");
  EXPECT_THAT(here.say("bob", "add", "https://vimeo.com/333333333").message, EndsWith(": A song"));
}

INSTANTIATE_TEST_SUITE_P(
    sites, nonsense_test,
    ::testing::Values(
        nonsense{"too_much", {.body = std::string(2 * 1024 * 1024, ' ')}, "body limit exceeded"},
        nonsense{"circles", {.status = 302, .location = "/again"}, "too many redirects"},
        nonsense{"elsewhere", {.status = 302, .location = "http://localhost/"}, "not an https"},
        nonsense{
            "to_nobody", {.status = 302, .location = "https://localhost:1/"}, "no metadata of"},
        nonsense{"out_of_order", {.status = 503}, "the site answers 503"},
        nonsense{"missing", {.status = 404}, "the site answers 404"},
        nonsense{"html", {.body = "<html>", .type = "text/html"}, "the answer is not JSON"},
        nonsense{"no_json", {.body = "{\"title\":"}, "the answer is not JSON"},
        nonsense{"a_list", {.body = "[1]"}, "not a JSON object"},
        nonsense{"no_title", {.body = R"({"title": 7, "duration": "x"})"}, "has no title"},
        nonsense{"only_controls", {.body = R"({"title": "\n\t\u0000 "})"}, "has no title"},
        nonsense{"only_blanks", {.body = R"({"title": "\u00a0\u200b\ufeff"})"}, "has no title"}),
    [](const auto& info) { return info.param.name; });

TEST_F(hostile_site_test, is_not_believed_from_somebody_else) {
  const certificate_authority stranger;
  https_server other_host(authority.issue("example.com"),
                          [](const std::string&) { return song(60); });
  https_server other_authority(stranger.issue("localhost"),
                               [](const std::string&) { return song(60); });
  for (const https_server* impostor : {&other_host, &other_authority}) {
    here.log().clear();
    const json::object endpoints{{"vi", impostor->url("/vi")}};
    instance& playlist = here.start(settings({{"endpoints", endpoints}}));
    EXPECT_THAT(here.say("ann", "add", vimeo).message, EndsWith("[vi] 123456789"));
    EXPECT_THAT(here.log(), Contains(HasSubstr("certificate")));
    here.stop(playlist);
    EXPECT_THAT(impostor->targets(), IsEmpty()) << "nothing is told to an impostor";
  }
}

TEST_F(hostile_site_test, of_sites_that_are_not_there_is_missed_and_no_more) {
  const json::object endpoints{{"vi", "https://localhost:1/vi"}};
  here.start(settings({{"endpoints", endpoints}}));
  EXPECT_THAT(here.say("ann", "add", vimeo).message, EndsWith("[vi] 123456789"));
  here.say("bob", "add", "https://vimeo.com/222222222");
  EXPECT_EQ(std::count_if(here.log().begin(), here.log().end(), tells_a_failure), 1)
      << "the site is given a pause";
}

TEST_F(hostile_site_test, that_hangs_leaves_room_for_the_others) {
  tell = [](const std::string& target) {
    answer told = song(60);
    told.held = target.starts_with("/vi");
    return told;
  };
  here.start(settings({{"max_fetches", 2}}));
  std::vector<std::shared_ptr<said>> adds;
  for (const char* number : {"111111111", "222222222", "333333333"}) {
    adds.push_back(begin_add("ann", "https://vimeo.com/" + std::string(number)));
  }
  here.until([&] { return !site.targets().empty(); });
  here.settle();
  EXPECT_THAT(here.say("bob", "add", "https://soundcloud.com/band/song").message,
              EndsWith(": A song"));
  here.pass(2);
  site.release();
  for (const auto& add : adds) message_of(add);
}

TEST(https_address, has_a_host_that_fits_into_a_request) {
  for (const char* wrong :
       {"https://evil%0d%0aX-Injected%3A%20yes/z", "https://a%20b/", "https:///x",
        "http://example.org/", "https://me@example.org/", "https://a:0/"}) {
    EXPECT_FALSE(parse_https_address(wrong)) << wrong;
  }
  EXPECT_EQ(authority_of(*parse_https_address("https://Video-1.example_2.org/x")),
            "Video-1.example_2.org:443");
  EXPECT_EQ(authority_of(*parse_https_address("https://[2001:db8::1]:8443/x")),
            "[2001:db8::1]:8443");
}

TEST_F(hostile_site_test, goes_through_the_proxy_of_the_environment) {
  boost::asio::io_context io;
  const std::string proxy = "http://me:secret@127.0.0.1:" + std::to_string(site.port());
  http_client::settings options;
  options.ca_file = (folder.path() / "ca.pem").string();
  const auto get = [&](const char* exceptions) {
    options.proxies = proxy_settings([&](const char* name) -> const char* {
      if (std::string_view(name) == "HTTPS_PROXY") return proxy.c_str();
      return std::string_view(name) == "NO_PROXY" ? exceptions : nullptr;
    });
    http_client client(io.get_executor(), options);
    std::optional<result<std::string>> outcome;
    boost::asio::co_spawn(io, client.get_json(site.url("/x")),
                          [&outcome](std::exception_ptr failure, result<std::string> got) {
                            EXPECT_FALSE(failure);
                            outcome = std::move(got);
                          });
    io.restart();
    io.run();
    return outcome && outcome->has_value();
  };
  EXPECT_TRUE(get(nullptr));
  EXPECT_THAT(site.tunnels(),
              ElementsAre("localhost:" + std::to_string(site.port()) + " Basic bWU6c2VjcmV0"));
  EXPECT_TRUE(get("localhost"));
  EXPECT_THAT(site.tunnels(), SizeIs(1)) << "localhost is an exception now";
}

TEST_F(hostile_site_test, gives_a_hanging_site_up) {
  tell = [](const std::string&) { return answer{.held = true}; };
  boost::asio::io_context io;
  http_client::settings options;
  options.ca_file = (folder.path() / "ca.pem").string();
  options.timeout = std::chrono::milliseconds(100);
  http_client client(io.get_executor(), options);
  std::string failure;
  boost::asio::co_spawn(io, client.get_json(site.url("/x")),
                        [&failure](std::exception_ptr, const result<std::string>& got) {
                          failure = got ? "none" : got.error().message;
                        });
  io.run();
  EXPECT_THAT(failure, ::testing::AnyOf(HasSubstr("timed out"), HasSubstr("timeout")));
}

}  // namespace
}  // namespace rosey::playlist::testing
