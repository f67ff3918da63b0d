#include "host_stub/plugins/admin.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>
#include <utility>

#include "rosey/wire/decode.hpp"
#include "rosey/wire/printable.hpp"
#include "rosey/wire/subjects.hpp"

namespace rosey::host {
namespace {

namespace json = boost::json;
namespace subjects = wire::subjects;

std::string failure(const error& why) {
  return json::serialize(
      json::object{{"success", false}, {"error", wire::escaped(why.message)}, {"code", why.code}});
}

json::object to_json(const plugin_status& plugin) {
  json::array verbs;
  for (const std::string& verb : plugin.verbs) verbs.emplace_back(verb);
  json::object entry{{"id", wire::escaped(plugin.id)},
                     {"version", wire::escaped(plugin.version)},
                     {"build", wire::escaped(plugin.build)},
                     {"phase", to_string(plugin.phase)},
                     {"state", wire::escaped(plugin.state)},
                     {"file", wire::escaped(plugin.file.string())},
                     {"verbs", std::move(verbs)}};
  if (plugin.busy) entry["busy_ms"] = plugin.busy->count();
  return entry;
}

}  // namespace

plugin_admin::plugin_admin(connection& bus, plugin_manager& plugins)
    : bus_(bus), plugins_(plugins) {
  listen(subjects::admin_plugin_list, [this](inbound_message message) {
    if (!message.reply().empty()) static_cast<void>(bus_.publish(message.reply(), answer_list()));
  });
  for (const char* subject : {subjects::admin_plugin_load, subjects::admin_plugin_unload,
                              subjects::admin_plugin_reload}) {
    listen(subject, [this](inbound_message message) {
      take({std::string(message.subject()), std::string(message.reply()),
            std::string(message.payload())});
    });
  }
}

void plugin_admin::stop() {
  for (subscription& open : subscriptions_) open.end();
  work_.drop();
}

plugin_admin::~plugin_admin() {
  stop();
  for (const subscription& open : subscriptions_) open.finished().wait();
}

void plugin_admin::listen(const char* subject, subscription::message_handler handler) {
  auto opened = bus_.subscribe(subject, "", std::move(handler));
  if (!opened) throw std::runtime_error(opened.error().message);
  subscriptions_.push_back(std::move(*opened));
}

void plugin_admin::take(const request& order) {
  const auto reply = [this, to = order.reply](const std::string& text) {
    if (!to.empty()) static_cast<void>(bus_.publish(to, text));
  };
  const auto object = wire::parse_object(order.payload);
  if (!object) return reply(failure(object.error()));
  wire::field_reader in(*object);
  const std::string name = in.name("name");
  if (in.failed()) return reply(failure(in.failure()));
  const bool taken = work_.post(plugins_.id_of(name), [this, reply, subject = order.subject, name] {
    reply(answer(subject, name));
  });
  if (!taken) {
    reply(failure({"busy", fmt::format("Too many requests wait for the plugin '{}'", name)}));
  }
}

std::string plugin_admin::answer(std::string_view subject, const std::string& name) {
  result<std::string> done;
  if (subject == subjects::admin_plugin_load) {
    done = plugins_.load(name);
  } else if (subject == subjects::admin_plugin_unload) {
    done = plugins_.unload(name);
  } else {
    done = plugins_.reload(name);
  }
  if (!done) return failure(done.error());
  return json::serialize(json::object{{"success", true}, {"message", wire::escaped(*done)}});
}

std::string plugin_admin::answer_list() const {
  json::array listed;
  for (const plugin_status& plugin : plugins_.list()) listed.emplace_back(to_json(plugin));
  return json::serialize(json::object{{"success", true}, {"plugins", std::move(listed)}});
}

}  // namespace rosey::host
