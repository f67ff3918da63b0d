#include "host_stub/chat/command_router.hpp"

#include <fmt/format.h>
#include <nats/nats.h>

#include <algorithm>
#include <new>
#include <utility>

#include "host_stub/text.hpp"
#include "rosey/wire/utf8.hpp"

namespace rosey::host {
namespace {

// Bytes. What a plugin accepts, less what the request adds around a line.
constexpr std::size_t max_line = wire::max_payload / 2;

std::string declined(std::string_view text) {
  return fmt::format("❌ {}", text);
}

// Splits off the first word; the rest is trimmed.
std::pair<std::string_view, std::string_view> first_word(std::string_view text) {
  text = trimmed(text);
  const auto end = text.find_first_of(" \t");
  if (end == std::string_view::npos) return {text, {}};
  return {text.substr(0, end), trimmed(text.substr(end))};
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

std::string usage_line(const std::string& prefix, std::string_view word, const verb_entry& verb) {
  return fmt::format("{}{}{}{} - {}", prefix, word, verb.arguments.empty() ? "" : " ",
                     verb.arguments, verb.help);
}

constexpr std::string_view plugin_usage =
    "plugin list | load <name> | unload <name> | reload <name>";

}  // namespace

command_router::command_router(connection& bus, verb_source verbs, settings options)
    : bus_(bus), verbs_(std::move(verbs)), settings_(std::move(options)) {}

std::optional<command_router::command> command_router::parse(std::string_view line) const {
  const std::string_view text = trimmed(line);
  if (!text.starts_with(settings_.prefix)) return std::nullopt;
  const auto [typed, args] = first_word(text.substr(settings_.prefix.size()));
  // "! really", "!!!": somebody is talking, not commanding.
  if (typed.empty() || text[settings_.prefix.size()] != typed[0]) return std::nullopt;
  std::string word = lower(typed);
  if (word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") != std::string::npos) {
    return std::nullopt;
  }
  return command{std::move(word), args};
}

std::optional<std::string> command_router::answer(const chat_line& line) {
  const auto asked = parse(line.text);
  if (!asked) return std::nullopt;
  if (line.text.size() > max_line) {
    return declined(
        fmt::format("That line has {} bytes; a command may have {}", line.text.size(), max_line));
  }
  if (!wire::is_valid_utf8(line.text)) return declined("That line is not valid UTF-8");
  if (asked->word == "help") return help(line, lower(asked->args));
  if (asked->word == "plugin") return plugin_command(line, asked->args);
  return answer_verb(line, asked->word, std::string(asked->args));
}

std::string command_router::lane_of(const chat_line& line) const {
  const auto asked = parse(line.text);
  if (!asked || asked->word == "help") return {};
  if (asked->word == "plugin") {
    const std::string_view name = first_word(asked->args).second;
    return name.empty() ? std::string() : fmt::format("plugin {}", name);
  }
  const auto table = verbs_();
  const auto found = table->find(asked->word);
  return found == table->end() ? std::string() : found->second.plugin;
}

std::string command_router::answer_verb(const chat_line& line, std::string_view word,
                                        std::string args) {
  const auto table = verbs_();
  const auto found = table->find(word);
  if (found == table->end()) {
    return declined(
        fmt::format("Unknown command {0}{1}; {0}help lists what there is", settings_.prefix, word));
  }
  const verb_entry& verb = found->second;
  if (!verb.loaded) {
    return declined(
        fmt::format("The plugin '{0}' is not loaded; an admin can bring it back with "
                    "{1}plugin load {0}",
                    verb.plugin, settings_.prefix));
  }
  wire::command_request request{.channel = line.channel,
                                .user = line.user,
                                .args = std::move(args),
                                .id = new_id(),
                                .sender_role = line.role,
                                .attempt = 1};
  result<std::string> reply;
  const auto began = std::chrono::steady_clock::now();
  for (; request.attempt <= settings_.attempts; ++request.attempt) {
    reply = bus_.request(verb.subject, encode(request), settings_.attempt_timeout);
    if (reply || reply.error().code != "timeout") break;
    if (request.attempt < settings_.attempts && has_stuck_one(verb.plugin, began)) break;
  }
  if (!reply) {
    if (reply.error().code == "timeout") return no_answer(line, verb.plugin);
    return declined(reply.error().code == "no_responders"
                        ? fmt::format("The plugin '{}' cannot be reached: nobody listens on {}",
                                      verb.plugin, verb.subject)
                        : fmt::format("The plugin '{}' cannot be reached", verb.plugin));
  }
  const auto decoded = wire::decode_reply(std::string_view(*reply));
  if (!decoded) return declined(fmt::format("The plugin '{}' gave no valid answer", verb.plugin));
  return decoded->message;
}

// Whether an instance has been in a call since about when the command was sent: it may be this
// command's, which would then have the next instance stuck too.
bool command_router::has_stuck_one(const std::string& plugin,
                                   std::chrono::steady_clock::time_point began) {
  const auto plugins = request_plugin_list(bus_, settings_.attempt_timeout);
  const auto since = std::chrono::steady_clock::now() - began;
  return plugins && std::any_of(plugins->begin(), plugins->end(), [&](const listed_plugin& each) {
           return each.id == plugin && each.busy > settings_.attempt_timeout / 2 &&
                  each.busy <= since;
         });
}

// Of the instance that answers; of another one only if that is in a call, as it may have taken the
// command before it was replaced.
std::string command_router::what_is_wrong_with(const std::string& plugin) {
  const auto plugins = request_plugin_list(bus_, settings_.attempt_timeout);
  std::string in_a_call;
  std::string other;
  bool answers = false;
  for (const listed_plugin& each : plugins ? *plugins : std::vector<listed_plugin>()) {
    if (each.id != plugin) continue;
    if (each.busy > settings_.attempt_timeout / 2) {
      in_a_call = each.state;
    } else if (each.answers()) {
      answers = true;
    } else {
      other = each.state;
    }
  }
  if (!answers && in_a_call.empty()) in_a_call = other;
  if (in_a_call.empty()) return {};
  return (answers ? "; another instance of it is " : "; it is ") + in_a_call;
}

// An admin is also told why, as far as this host knows.
std::string command_router::no_answer(const chat_line& line, const std::string& plugin) {
  std::string text = fmt::format("The plugin '{}' did not answer in time", plugin);
  if (line.role == wire::role::admin) {
    text += what_is_wrong_with(plugin);
  }
  return declined(text);
}

std::string command_router::help(const chat_line& line, std::string_view topic) const {
  const auto table = verbs_();
  if (topic.starts_with(settings_.prefix)) topic.remove_prefix(settings_.prefix.size());
  if (!topic.empty() && topic != "plugin" && topic != "help") {
    const auto found = table->find(topic);
    if (found == table->end() || !found->second.loaded) {
      return declined(fmt::format("There is no command {}{}", settings_.prefix, topic));
    }
    return usage_line(settings_.prefix, found->first, found->second);
  }
  std::string text = "📖 **Commands**";
  for (const auto& [word, verb] : *table) {
    if (!verb.loaded || verb.least_role > line.role) continue;
    // A verb is listed once: by its short name, unless another plugin holds that.
    const auto holder = table->find(verb.name);
    const bool has_short_name = holder != table->end() && holder->second.plugin == verb.plugin;
    if (word != verb.name && has_short_name) continue;
    text += "\n" + usage_line(settings_.prefix, word, verb);
  }
  text += fmt::format("\n{}help [command] - This list, or one command", settings_.prefix);
  if (line.role == wire::role::admin) {
    text += fmt::format("\n{}{} - The host's plugins", settings_.prefix, plugin_usage);
  }
  return text;
}

std::string command_router::plugin_command(const chat_line& line, std::string_view args) {
  if (line.role != wire::role::admin) return declined("Admin only command");
  const auto [action, name] = first_word(args);
  if (action == "list" && name.empty()) return list_plugins();
  if ((action != "load" && action != "unload" && action != "reload") || name.empty()) {
    return declined(fmt::format("Usage: {}{}", settings_.prefix, plugin_usage));
  }
  const auto done = request_plugin_action(bus_, action, name, settings_.admin_timeout);
  return done ? fmt::format("🔌 {}", *done) : declined(done.error().message);
}

std::string command_router::list_plugins() {
  const auto plugins = request_plugin_list(bus_, settings_.admin_timeout);
  if (!plugins) return declined(plugins.error().message);
  if (plugins->empty()) return "🔌 No plugins are loaded";
  std::string text = "🔌 **Plugins**";
  for (const listed_plugin& plugin : *plugins) {
    const std::string version = plugin.version.empty() ? "" : " " + plugin.version;
    text += fmt::format("\n{}{} - {}", plugin.id, version, plugin.state);
  }
  return text;
}

// Unique among all routers: libnats' generator is seeded from the system's random source.
std::string command_router::new_id() {
  natsInbox* made = nullptr;
  if (natsInbox_Create(&made) != NATS_OK) throw std::bad_alloc();
  std::string id = std::string(made).substr(std::string_view("_INBOX.").size());
  natsInbox_Destroy(made);
  return id;
}

}  // namespace rosey::host
