// A world with a site on this machine that tells, late or not, what a test wants it to.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "fakes/https_server.hpp"
#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {

using fakes::certificate_authority;
using fakes::https_server;
using answer = https_server::answer;

inline constexpr char vimeo[] = "https://vimeo.com/123456789";

inline answer song(std::int64_t duration = 0, const std::string& title = "A song") {
  boost::json::object body{{"title", title},
                           {"author_name", "The band"},
                           {"thumbnail_url", "https://img.example/1.jpg"}};
  if (duration > 0) body["duration"] = duration;
  return {.body = boost::json::serialize(body)};
}

// An answer that the site keeps until it is released.
inline answer late(answer told) {
  told.held = true;
  return told;
}

class metadata_test : public ::testing::Test {
 protected:
  metadata_test() { std::ofstream(folder.path() / "ca.pem") << authority.certificate(); }

  boost::json::object settings(boost::json::object more = {}) {
    boost::json::object endpoints;
    for (const char* type : {"yt", "vi", "sc", "dm"}) {
      endpoints[type] = site.url("/" + std::string(type));
    }
    endpoints["youtube_api"] = site.url("/api");
    boost::json::object metadata{{"ca_file", (folder.path() / "ca.pem").string()},
                                 {"endpoints", endpoints},
                                 {"timeout_ms", 20'000}};
    for (const auto& [key, value] : more) metadata[key] = value;
    return {{"metadata", metadata}, {"rate_limit_count", 100}, {"max_items_per_user", 20}};
  }

  void tell_late(const answer& told) {
    tell = [told](const std::string&) { return late(told); };
  }

  std::shared_ptr<said> begin_add(const std::string& user, const std::string& url) {
    wire::command_request request;
    request.channel = "#lobby";
    request.user = user;
    request.args = url;
    return here.begin("rosey.command.playlist.add", wire::encode(request));
  }
  std::string message_of(const std::shared_ptr<said>& command) {
    return wire::decode_reply(std::string_view(here.finish(command)))->message;
  }
  // Adds while the site is silent, until the person is answered with what there is.
  std::string add_without_patience(const std::string& user, const std::string& url) {
    const std::size_t before = site.targets().size();
    const auto command = begin_add(user, url);
    here.until([&] { return site.targets().size() > before; });
    here.pass(2);
    return message_of(command);
  }
  bool has_event(const std::string& name) {
    const auto names = here.event_names();
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  std::function<answer(const std::string&)> tell = [](const std::string&) { return song(225); };
  rosey::tests::temporary_directory folder;
  certificate_authority authority;
  https_server site{authority.issue("localhost"),
                    [this](const std::string& target) { return tell(target); }};
  world here;
};

}  // namespace rosey::playlist::testing
