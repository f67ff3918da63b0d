#include "host_stub/plugin_id.hpp"

#include <algorithm>
#include <iterator>

namespace rosey::host {

bool has_form_of_plugin_id(std::string_view text) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !text.empty() && text.size() <= 32 && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [is_letter](char c) {
           return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
         });
}

bool is_reserved_id(std::string_view text) {
  return std::find(std::begin(reserved_ids), std::end(reserved_ids), text) !=
         std::end(reserved_ids);
}

bool is_plugin_id(std::string_view text) {
  return has_form_of_plugin_id(text) && !is_reserved_id(text);
}

}  // namespace rosey::host
