// A chat command on its way from the router to a plugin, and the answer.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "rosey/wire/decode.hpp"
#include "rosey/wire/printable.hpp"
#include "rosey/wire/result.hpp"

namespace rosey::wire {

enum class role { user, moderator, admin };  // least first

inline std::string_view to_string(role value) {
  switch (value) {
    case role::user:
      return "user";
    case role::moderator:
      return "moderator";
    case role::admin:
      return "admin";
  }
  return "user";
}

inline std::optional<role> role_from(std::string_view text) {
  for (const role value : {role::user, role::moderator, role::admin}) {
    if (text == to_string(value)) return value;
  }
  return std::nullopt;
}

// Request on rosey.command.<plugin>.<verb>. The first three fields suffice.
struct command_request {
  std::string channel;
  std::string user;
  std::string args;
  std::string id;  // "" when the sender gave none; a command with one is applied once
  role sender_role = role::user;
  std::int64_t attempt = 1;  // 2 and up: the sender had no answer to the earlier ones
};

inline result<command_request> decode_command(std::string_view payload) {
  auto object = parse_object(payload);
  if (!object) return object.error();
  field_reader in(*object);
  command_request request;
  request.channel = in.name("channel");
  request.user = in.name("user");
  request.args = in.text_or("args", "");
  request.id = in.text_or("id", "");
  request.attempt = in.integer_or("attempt", 1, 1, 1000);
  const std::string role_text = in.text_or("role", "user");
  if (const auto role = role_from(role_text)) {
    request.sender_role = *role;
  } else {
    in.fail("'role' must be \"user\", \"moderator\" or \"admin\"");
  }
  if (request.id.size() > max_name) {
    in.fail("'id' is longer than " + std::to_string(max_name) + " bytes");
  }
  if (in.failed()) return in.failure();
  return request;
}

inline std::string encode(const command_request& request) {
  json::object object{{"channel", request.channel},
                      {"user", request.user},
                      {"args", request.args},
                      {"role", to_string(request.sender_role)}};
  if (!request.id.empty()) {
    object["id"] = request.id;
    object["attempt"] = request.attempt;
  }
  return json::serialize(object);
}

// Reply to a command: `message` is what the channel shows.
struct command_reply {
  bool success = false;
  std::string message;
  std::string error;  // only of a failure: the message without its "❌ "
  std::string code;   // only of a failure
  json::object data;  // may be empty; of a failure, the numbers behind it
};

// What would steer a terminal, break the line of an error, or is no text, does not leave.
inline json::object to_json(const command_reply& reply) {
  json::object object{{"success", reply.success}};
  if (!reply.success) {
    object["error"] = escaped(reply.error);
    object["code"] = reply.code;
  }
  object["message"] = printable_lines(reply.message);
  if (!reply.data.empty()) object["data"] = reply.data;
  return object;
}

inline command_reply succeeded(std::string message, json::object data = {}) {
  return {.success = true,
          .message = std::move(message),
          .error = {},
          .code = {},
          .data = std::move(data)};
}

inline command_reply failed(const error& failure) {
  return {.success = false,
          .message = "❌ " + failure.message,
          .error = failure.message,
          .code = failure.code,
          .data = {}};
}

// The texts come fit to be shown.
inline result<command_reply> decode_reply(const json::object& object) {
  field_reader in(object);
  command_reply reply;
  if (!in.find("success")) in.fail("'success' is missing");
  reply.success = in.boolean_or("success", false);
  reply.message = printable_lines(in.text("message"));
  reply.error = escaped(in.text_or("error", ""));
  reply.code = in.text_or("code", "");
  if (const auto* data = object.if_contains("data"); data && data->is_object()) {
    reply.data = data->get_object();
  }
  if (in.failed()) return in.failure();
  return reply;
}

// Replies of plugins are small, but a plugin is free to send more than it accepts.
inline result<command_reply> decode_reply(std::string_view payload) {
  auto object = parse_object(payload, 1024 * 1024);
  if (!object) return object.error();
  return decode_reply(*object);
}

}  // namespace rosey::wire
