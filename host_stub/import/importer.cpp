// The requester's side of service.playlist.import.
#include "host_stub/import/importer.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <spdlog/spdlog.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <utility>

#include "rosey/wire/decode.hpp"
#include "rosey/wire/printable.hpp"

namespace rosey::host {
namespace {

namespace json = boost::json;

constexpr char subject[] = "service.playlist.import";
constexpr std::size_t most_entries = 500;       // that the playlist takes at once
constexpr std::size_t most_bytes = 48 * 1024;   // of entries, in a message of wire::max_payload
constexpr std::chrono::minutes patience{5};     // the last step of a long import takes its time
constexpr std::size_t longest_reply = 1 << 20;  // bytes

// Part of a list that fits into a message.
struct piece {
  std::size_t index;
  json::array entries;
};

std::vector<piece> pieces_of(const import_list& list) {
  std::vector<piece> pieces;
  std::size_t bytes = 0;
  for (std::size_t index = 0; index < list.entries.size(); ++index) {
    const std::size_t size = json::serialize(list.entries[index]).size() + 1;
    const bool full = !pieces.empty() &&
                      (pieces.back().entries.size() == most_entries || bytes + size > most_bytes);
    if (pieces.empty() || full) {
      pieces.push_back({index, {}});
      bytes = 0;
    }
    pieces.back().entries.push_back(list.entries[index]);
    bytes += size;
  }
  return pieces;
}

// Tells a list from every other: SHA-256, in hexadecimal.
std::string content_id(const import_list& list) {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> digest(EVP_MD_CTX_new(),
                                                                  &EVP_MD_CTX_free);
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  const auto add = [&digest](const std::string& text) {
    return EVP_DigestUpdate(digest.get(), text.data(), text.size()) == 1;
  };
  bool done = digest && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1;
  for (const json::value& entry : list.entries) done = done && add("\n" + json::serialize(entry));
  if (!done || EVP_DigestFinal_ex(digest.get(), bytes.data(), &size) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

[[noreturn]] void give_up(const std::string& sentence) {
  throw std::runtime_error(sentence);
}

}  // namespace

json::object importer::ask(const json::object& request) {
  const auto answer = bus_.request(subject, json::serialize(request), patience);
  if (!answer && answer.error().code == "no_responders") {
    give_up("no playlist plugin answers; is it in the plugins folder, and loaded?");
  }
  if (!answer) give_up(answer.error().message);
  auto reply = wire::parse_object(*answer, longest_reply);
  if (!reply) give_up("the playlist's answer cannot be read: " + reply.error().message);
  wire::field_reader in(*reply);
  if (!in.boolean_or("success", false)) {
    give_up("the playlist refuses: " + wire::escaped(in.text_or("error", "it does not say why")));
  }
  return std::move(*reply);
}

void importer::check(const import_list& list) {
  std::string refused;
  for (piece& part : pieces_of(list)) {
    json::object request{{"step", "check"}, {"user", settings_.user}};
    const std::size_t count = part.entries.size();
    request["entries"] = std::move(part.entries);
    const json::object reply = ask(request);
    for (const json::value& each : reply.at("refused").as_array()) {
      wire::field_reader in(each.as_object());
      const auto index = static_cast<std::size_t>(in.integer("index", 0));
      refused += fmt::format("{}{}: {}", refused.empty() ? "" : "\n",
                             list.place(part.index + index), wire::escaped(in.text("error")));
    }
    if (!refused.empty()) give_up(refused);
    settings_.on_progress(count);
  }
}

import_outcome importer::import(const import_list& list) {
  import_outcome outcome;
  if (list.entries.empty()) return outcome;
  json::object job{{"channel", list.channel},
                   {"content", content_id(list)},
                   {"count", list.entries.size()},
                   {"again", settings_.again}};
  const auto was_earlier = [&outcome](const json::object& reply) {
    const json::value* earlier = reply.if_contains("earlier");
    if (earlier) outcome.earlier_at = earlier->as_object().at("at").as_string();
    return earlier != nullptr;
  };
  json::object request = job;
  request["step"] = "begin";
  const json::object begun = ask(request);
  if (was_earlier(begun)) return outcome;
  write(list, begun);
  job["step"] = "commit";
  job["import"] = begun.at("import");
  if (!was_earlier(ask(job))) outcome.imported = list.entries.size();
  return outcome;
}

// What was written is read back before anybody can see it.
void importer::write(const import_list& list, const json::object& begun) {
  const std::int64_t number = begun.at("number").as_int64();
  std::vector<json::value> written;
  std::vector<piece> pieces = pieces_of(list);
  for (const piece& part : pieces) {
    json::object request{{"step", "stage"},
                         {"import", begun.at("import")},
                         {"number", number + static_cast<std::int64_t>(part.index)},
                         {"index", part.index},
                         {"user", settings_.user}};
    request["entries"] = part.entries;
    written.push_back(ask(request).at("items"));
    spdlog::debug("import: {}: {} of {} written", list.channel, part.index + part.entries.size(),
                  list.entries.size());
    settings_.on_progress(part.entries.size());
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const json::object request{{"step", "read"},
                               {"import", begun.at("import")},
                               {"index", pieces[i].index},
                               {"count", pieces[i].entries.size()}};
    if (ask(request).at("items") != written[i]) {
      give_up(
          fmt::format("{}: what was written from there on is not what is read back; nothing of "
                      "it was imported",
                      list.place(pieces[i].index)));
    }
    settings_.on_progress(pieces[i].entries.size());
  }
}

}  // namespace rosey::host
