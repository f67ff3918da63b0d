// The examples on a page: fenced blocks whose opening line says what to do with them, such as
// ```json request db.kv.demo.get
#pragma once

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rosey::tests {

struct doc_block {
  std::string language;            // "json"
  std::string kind;                // "request"
  std::string subject;             // "" where there is none
  std::vector<std::string> words;  // what else stands on the opening line
  std::string text;
  std::size_t line = 0;  // of the opening line, from 1
};

// Blocks without a kind are left out. Throws std::runtime_error if there is no such page, or a
// block does not end.
inline std::vector<doc_block> doc_blocks(const std::filesystem::path& page) {
  std::ifstream in(page);
  if (!in) throw std::runtime_error("cannot read " + page.string());
  std::vector<doc_block> blocks;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (!line.starts_with("```")) continue;
    std::istringstream words(line.substr(3));
    doc_block block;
    block.line = number;
    words >> block.language >> block.kind >> block.subject;
    for (std::string word; words >> word;) block.words.push_back(word);
    do {
      ++number;
      if (!std::getline(in, line)) throw std::runtime_error(page.string() + ": a block is open");
      if (line != "```") block.text += line + "\n";
    } while (line != "```");
    if (!block.kind.empty()) blocks.push_back(std::move(block));
  }
  return blocks;
}

inline constexpr std::string_view varying = "…";

// JSON in which … stands for values that vary, bare or within a string.
inline boost::json::value parse_example(const std::string& text) {
  std::string quoted;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = std::string_view(text).substr(i);
    if (!in_string && rest.starts_with(varying)) {
      quoted += "\"" + std::string(varying) + "\"";
      i += varying.size() - 1;
      continue;
    }
    if (text[i] == '\\' && in_string) quoted += text[i++];
    if (text[i] == '"') in_string = !in_string;
    quoted += text[i];
  }
  return boost::json::parse(quoted);
}

// Whether `real` is all that is shown, and nothing else.
inline bool is_example_of(const boost::json::value& shown, const boost::json::value& real) {
  if (const auto* text = shown.if_string()) {
    const std::string_view view = *text;
    const std::size_t at = view.find(varying);
    if (view == varying) return true;
    if (at == std::string_view::npos) return shown == real;
    if (!real.is_string()) return false;
    const std::string_view told = real.get_string();
    return told.size() >= view.size() - varying.size() && told.starts_with(view.substr(0, at)) &&
           told.ends_with(view.substr(at + varying.size()));
  }
  if (shown.is_object() && real.is_object()) {
    const auto& left = shown.get_object();
    const auto& right = real.get_object();
    return left.size() == right.size() &&
           std::all_of(left.begin(), left.end(), [&](const auto& field) {
             const auto* found = right.if_contains(field.key());
             return found && is_example_of(field.value(), *found);
           });
  }
  if (shown.is_array() && real.is_array()) {
    const auto& left = shown.get_array();
    const auto& right = real.get_array();
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(), is_example_of);
  }
  return shown == real && shown.kind() == real.kind();
}

}  // namespace rosey::tests
