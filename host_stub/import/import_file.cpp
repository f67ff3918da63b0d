// Telling the formats apart, and splitting them into entries.
#include "host_stub/import/import_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <string_view>
#include <utility>

#include "host_stub/text.hpp"
#include "host_stub/text_file.hpp"
#include "rosey/wire/decode.hpp"
#include "rosey/wire/utf8.hpp"

namespace rosey::host {
namespace {

namespace json = boost::json;

// Bytes as JSON. Some entries have to fit into a message of wire::max_payload.
constexpr std::size_t longest_entry = 16 * 1024;

// Of one file. A queue is as long as people are patient; this bounds what a mistake costs.
constexpr std::size_t most_entries_of_file = 200'000;

error refusal(std::string sentence) {
  return {codes::bad_request, std::move(sentence)};
}

error too_many() {
  return refusal(fmt::format("it has more than {} entries; split it", most_entries_of_file));
}

result<json::value> parse_json(std::string_view text) {
  json::stream_parser parser;
  boost::system::error_code failure;
  const std::size_t read = parser.write_some(text.data(), text.size(), failure);
  if (!failure && !trimmed(text.substr(read)).empty()) failure = json::error::extra_data;
  if (!failure) parser.finish(failure);
  if (!failure) return parser.release();
  const auto lines =
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(read), '\n');
  return refusal(fmt::format("line {}: not valid JSON: {}", lines + 1, failure.message()));
}

result<import_list> read_list(const std::string& channel, const json::value& value) {
  if (!value.is_array()) return refusal(fmt::format("what '{}' has is not a list", channel));
  return import_list{channel, value.get_array(), {}};
}

std::string names_in(const json::object& lists) {
  constexpr std::size_t most_named = 20;
  std::string names;
  std::size_t named = 0;
  for (const auto& each : lists) {
    if (named++ == most_named) return names + ", …";
    names += (names.empty() ? "" : ", ") + std::string(each.key());
  }
  return names;
}

result<std::vector<import_list>> read_json(std::string_view text, const std::string& channel) {
  const auto value = parse_json(text);
  if (!value) return value.error();
  std::vector<import_list> lists;
  if (value->is_array()) {
    lists.push_back({channel, value->get_array(), {}});
    return lists;
  }
  for (const auto& each : value->get_object()) {
    if (!channel.empty() && each.key() != channel) continue;
    auto list = read_list(each.key(), each.value());
    if (!list) return list.error();
    lists.push_back(std::move(*list));
  }
  if (!lists.empty() || value->get_object().empty()) return lists;
  return refusal(
      fmt::format("there is no channel '{}'; it holds {}", channel, names_in(value->get_object())));
}

result<std::vector<import_list>> read_text(std::string_view text, const std::string& channel) {
  import_list list{channel, {}, {}};
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    if (!wire::is_valid_utf8(line)) return refusal(fmt::format("line {}: not valid UTF-8", number));
    if (list.entries.size() == most_entries_of_file) return too_many();
    list.entries.push_back(json::object{{"url", line}});
    list.lines.push_back(number);
  }
  return std::vector<import_list>{std::move(list)};
}

result<std::vector<import_list>> read_any(std::string_view text, const std::string& channel) {
  const std::string_view content = trimmed(text);
  const bool is_json = content.starts_with('[') || content.starts_with('{');
  return is_json ? read_json(text, channel) : read_text(text, channel);
}

result<void> check(const import_list& list) {
  if (list.channel.empty()) {
    return refusal("it does not say for which channel it is; name one with --channel");
  }
  if (list.channel.size() > wire::max_name || wire::has_control_characters(list.channel)) {
    return refusal("a channel's name has at most 256 bytes and no control characters");
  }
  if (list.entries.size() > most_entries_of_file) return too_many();
  for (std::size_t index = 0; index < list.entries.size(); ++index) {
    if (json::serialize(list.entries[index]).size() <= longest_entry) continue;
    return refusal(fmt::format("{}: it is longer than {} bytes", list.place(index), longest_entry));
  }
  return {};
}

}  // namespace

std::string import_list::place(std::size_t index) const {
  if (index < lines.size()) return fmt::format("line {}", lines[index]);
  return fmt::format("entry {} of {}", index + 1, channel);
}

result<std::vector<import_list>> read_import_file(const std::filesystem::path& file,
                                                  const std::string& channel) {
  const auto text = read_text_file(file);
  if (!text) {
    return refusal(fmt::format("{}: cannot be read: {}", file.string(), text.error().message));
  }
  auto lists = read_any(*text, channel);
  if (!lists) return refusal(fmt::format("{}: {}", file.string(), lists.error().message));
  for (const import_list& list : *lists) {
    const auto checked = check(list);
    if (!checked) return refusal(fmt::format("{}: {}", file.string(), checked.error().message));
  }
  return lists;
}

}  // namespace rosey::host
