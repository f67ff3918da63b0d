// Every NATS subject that host, plugins and storage service speak on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rosey::wire::subjects {

// Requests to the host that runs plugins.
inline constexpr char admin_plugin_list[] = "rosey.admin.plugin.list";
inline constexpr char admin_plugin_load[] = "rosey.admin.plugin.load";
inline constexpr char admin_plugin_unload[] = "rosey.admin.plugin.unload";
inline constexpr char admin_plugin_reload[] = "rosey.admin.plugin.reload";

inline std::string admin_plugin(std::string_view action) {
  return "rosey.admin.plugin." + std::string(action);
}

// A plugin speaking unasked: {"channel","message"}.
inline constexpr char chat_send[] = "rosey.chat.send";

// Chat connectors tell who is there: wire::user_presence.
inline constexpr char chat_users[] = "rosey.chat.users";

// Storage requests of one plugin; `plugin` is its id.
inline std::string row(std::string_view plugin, std::string_view operation) {
  return "db.row." + std::string(plugin) + "." + std::string(operation);
}
inline std::string kv(std::string_view plugin, std::string_view operation) {
  return "db.kv." + std::string(plugin) + "." + std::string(operation);
}
inline std::string batch(std::string_view plugin) {
  return "db.batch." + std::string(plugin);
}
inline std::string migrate(std::string_view plugin, std::string_view action) {
  return "db.migrate." + std::string(plugin) + "." + std::string(action);
}

// What the storage service listens on, and its queue group.
inline constexpr const char* storage_all[] = {"db.row.*.*", "db.kv.*.*", "db.batch.*",
                                              "db.migrate.*.*"};
inline constexpr char storage_queue_group[] = "storage";

// The second copy of a request, for which no answer came: on "db.again.row.<plugin>.<operation>"
// and so on. The queue group deals a request to one service, and NATS may go on for minutes dealing
// to one whose connection is dead. The copy goes to all of them, and the first answer counts.
inline constexpr char storage_again[] = "db.again.>";
inline constexpr std::string_view storage_prefix = "db.";
inline constexpr std::string_view storage_again_prefix = "db.again.";

inline std::string again(std::string_view storage_request) {
  return std::string(storage_again_prefix) +
         std::string(storage_request.substr(storage_prefix.size()));
}

// How a storage service does. Each one that is asked answers, so collect replies for a while.
inline constexpr char monitoring_storage[] = "rosey.monitoring.storage";

// Bytes. NATS closes a connection that sends it a line of more than 4096.
inline constexpr std::size_t max_subject = 1024;

// Tokens between dots, none of them empty or a wildcard, without blanks and control characters.
inline bool is_publishable(std::string_view subject) {
  if (subject.size() > max_subject) return false;
  for (;;) {
    const std::string_view token = subject.substr(0, subject.find('.'));
    if (token.empty() || token == "*" || token == ">") return false;
    for (const char c : token) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte <= ' ' || byte == 0x7f) return false;
    }
    if (token.size() == subject.size()) return true;
    subject.remove_prefix(token.size() + 1);
  }
}

}  // namespace rosey::wire::subjects
