#include "host_stub/plugins/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <set>

#include "host_stub/plugin_id.hpp"
#include "rosey/wire/subjects.hpp"
#include "rosey/wire/utf8.hpp"

namespace rosey::host {
namespace {

// What the command router answers itself: nobody would ever reach a plugin's.
constexpr std::string_view host_verbs[] = {"help", "plugin"};

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 32 && text.front() != '-' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

std::string problem_with_verb(const rosey_verb* verb, std::string_view plugin) {
  if (!verb || !ROSEY_HAS_FIELD(verb, rosey_verb, least_role)) return "a verb's table is too short";
  if (!verb->name || !is_word(verb->name)) {
    return "a verb's name must be made of lower case letters, digits and '-'";
  }
  if (std::find(std::begin(host_verbs), std::end(host_verbs), verb->name) != std::end(host_verbs)) {
    return fmt::format("it claims the verb '{}', which is the host's own", verb->name);
  }
  const std::string prefix = fmt::format("rosey.command.{}.", plugin);
  if (!verb->subject || !std::string_view(verb->subject).starts_with(prefix)) {
    return fmt::format("the subject of verb '{}' must begin with {}", verb->name, prefix);
  }
  if (!wire::subjects::is_publishable(verb->subject) || !wire::is_valid_utf8(verb->subject)) {
    return fmt::format(
        "the subject of verb '{}' must be one without wildcards, blanks, empty tokens and bytes "
        "that are no UTF-8",
        verb->name);
  }
  if (!verb->arguments || !verb->help) {
    return fmt::format("verb '{}' has no help text", verb->name);
  }
  if (verb->least_role < ROSEY_ROLE_USER || verb->least_role > ROSEY_ROLE_ADMIN) {
    return fmt::format("verb '{}' names an unknown role ({})", verb->name, verb->least_role);
  }
  return {};
}

}  // namespace

std::string problem_with(const rosey_plugin* plugin) {
  if (!plugin) return "its table is null";
  if (plugin->header.major != ROSEY_ABI_MAJOR) {
    return fmt::format("it speaks contract version {}, this host {}", plugin->header.major,
                       ROSEY_ABI_MAJOR);
  }
  // get_ext is the last field of version 1.0: sizeof would grow with our header, and refuse plugins
  // that were compiled against an earlier one.
  if (!ROSEY_HAS_FIELD(plugin, rosey_plugin, get_ext)) {
    return fmt::format("its table has {} bytes, version {}.0 of the contract has {}",
                       plugin->header.size, ROSEY_ABI_MAJOR,
                       offsetof(rosey_plugin, get_ext) + sizeof(plugin->get_ext));
  }
  if (plugin->needs_host_minor > ROSEY_ABI_MINOR) {
    return fmt::format("it needs a host of contract version {}.{}, this one has {}.{}",
                       ROSEY_ABI_MAJOR, plugin->needs_host_minor, ROSEY_ABI_MAJOR, ROSEY_ABI_MINOR);
  }
  if (!plugin->id || !has_form_of_plugin_id(plugin->id)) {
    return "its id must be a lower case letter followed by up to 31 lower case letters, digits or "
           "'-'";
  }
  if (is_reserved_id(plugin->id)) {
    return fmt::format("its id must not be '{}': reserved are {}", plugin->id,
                       fmt::join(reserved_ids, ", "));
  }
  if (!plugin->version || !plugin->build) return "its version or build text is null";
  if (!plugin->create || !plugin->start || !plugin->request_stop || !plugin->destroy) {
    return "a function of its table is null";
  }
  if (std::any_of(std::begin(plugin->reserved_1), std::end(plugin->reserved_1),
                  [](std::uint16_t value) { return value != 0; }) ||
      plugin->reserved_2 != 0) {
    return "a reserved field of its table is not zero";
  }
  if (plugin->verb_count > 0 && !plugin->verbs) return "its list of verbs is null";
  std::set<std::string_view> names;
  for (std::uint32_t index = 0; index < plugin->verb_count; ++index) {
    const rosey_verb* verb = plugin->verbs[index];
    if (std::string problem = problem_with_verb(verb, plugin->id); !problem.empty()) {
      return problem;
    }
    if (!names.insert(verb->name).second) {
      return fmt::format("it lists the verb '{}' twice", verb->name);
    }
  }
  return {};
}

}  // namespace rosey::host
