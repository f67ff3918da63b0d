#include "host_stub/plugins/admin_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "rosey/wire/decode.hpp"
#include "rosey/wire/subjects.hpp"

namespace rosey::host {
namespace {

namespace json = boost::json;
constexpr std::size_t max_reply = 1024 * 1024;

result<json::object> ask(connection& bus, std::string_view subject, const json::object& request,
                         std::chrono::milliseconds timeout) {
  const auto reply = bus.request(subject, json::serialize(request), timeout);
  if (!reply) {
    if (reply.error().code == "no_responders") {
      return error{reply.error().code, "No host that runs plugins is connected to this NATS"};
    }
    return error{reply.error().code, "The host did not answer: " + reply.error().message};
  }
  auto object = wire::parse_object(*reply, max_reply);
  if (!object) return object;
  wire::field_reader in(*object);
  if (in.boolean_or("success", false)) return object;
  return error{in.text_or("code", "failed"), in.text_or("error", "The host gave no reason")};
}

}  // namespace

result<std::string> request_plugin_action(connection& bus, std::string_view action,
                                          std::string_view name,
                                          std::chrono::milliseconds timeout) {
  const auto reply = ask(bus, wire::subjects::admin_plugin(action), {{"name", name}}, timeout);
  if (!reply) return reply.error();
  wire::field_reader in(*reply);
  std::string message = in.text("message");
  if (in.failed()) return in.failure();
  return message;
}

result<std::vector<listed_plugin>> request_plugin_list(connection& bus,
                                                       std::chrono::milliseconds timeout) {
  const auto reply = ask(bus, wire::subjects::admin_plugin_list, {}, timeout);
  if (!reply) return reply.error();
  std::vector<listed_plugin> listed;
  const json::value* plugins = reply->if_contains("plugins");
  if (!plugins || !plugins->is_array()) return error{"bad_reply", "The host's answer has no list"};
  for (const json::value& plugin : plugins->get_array()) {
    if (!plugin.is_object()) continue;
    wire::field_reader in(plugin.get_object());
    listed_plugin entry{.id = in.text("id"),
                        .version = in.text("version"),
                        .phase = in.text_or("phase", ""),
                        .state = in.text("state"),
                        .file = in.text_or("file", ""),
                        .busy = std::chrono::milliseconds(in.integer_or("busy_ms", 0)),
                        .verbs = {}};
    if (const json::value* verbs = in.find("verbs"); verbs && verbs->is_array()) {
      for (const json::value& verb : verbs->get_array()) {
        if (verb.is_string()) entry.verbs.emplace_back(verb.get_string());
      }
    }
    if (in.failed()) return in.failure();
    listed.push_back(std::move(entry));
  }
  return listed;
}

}  // namespace rosey::host
