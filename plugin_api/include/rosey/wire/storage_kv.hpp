// Values by key, which may expire: what is asked on db.kv.<plugin>.<operation>, and the answers.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rosey/wire/storage_decode.hpp"

namespace rosey::wire::db {

struct kv_get_request {
  std::string key;
};

struct kv_get_reply {
  bool exists = false;  // an expired entry does not exist
  json::value value = nullptr;
  std::int64_t revision = 0;  // 0 when there is no entry
};

struct kv_set_request {
  std::string key;
  json::value value = nullptr;
  std::optional<std::int64_t> ttl_seconds = {};  // none: stays until deleted
  std::optional<std::int64_t> if_revision = {};  // CONFLICT if it is another; 0: must not exist
};

// Every set gives a new revision; one that a key once had never comes back to it.
struct kv_set_reply {
  std::int64_t revision = 0;
};

struct kv_delete_request {
  std::string key;
  std::optional<std::int64_t> if_revision = {};
};

struct kv_delete_reply {
  bool deleted = false;  // false: there was none
};

struct kv_list_request {
  std::string prefix = {};
  std::string after = {};  // continues behind this key
  std::int64_t limit = 100;
};

struct kv_entry {
  std::string key;
  json::value value = nullptr;
  std::int64_t revision = 0;
};

struct kv_list_reply {
  std::vector<kv_entry> entries;  // by key, in the order of their bytes
  bool truncated = false;         // by the limit or by size: there are more behind the last one
};

inline constexpr std::int64_t max_kv_list = 1000;
inline constexpr std::int64_t max_ttl_seconds = 10LL * 366 * 24 * 3600;

inline json::object to_json(const kv_get_request& request) {
  return {{"key", request.key}};
}

inline json::object to_json(const kv_set_request& request) {
  json::object object{{"key", request.key}, {"value", request.value}};
  if (request.ttl_seconds) object["ttl_seconds"] = *request.ttl_seconds;
  if (request.if_revision) object["if_revision"] = *request.if_revision;
  return object;
}

inline json::object to_json(const kv_delete_request& request) {
  json::object object{{"key", request.key}};
  if (request.if_revision) object["if_revision"] = *request.if_revision;
  return object;
}

inline json::object to_json(const kv_list_request& request) {
  json::object object{{"prefix", request.prefix}, {"limit", request.limit}};
  if (!request.after.empty()) object["after"] = request.after;
  return object;
}

// 1 to max_name bytes, any text but U+0000.
inline std::string read_key(reader& in) {
  std::string key = in.name("key");
  if (key.find('\0') != std::string::npos) in.fail("'key' must not contain U+0000");
  return key;
}

inline result<kv_get_request> decode_kv_get(json::object object) {
  reader in(object);
  kv_get_request request{read_key(in)};
  if (in.failed()) return in.failure();
  return request;
}

inline result<kv_set_request> decode_kv_set(json::object object) {
  reader in(object);
  kv_set_request request;
  request.key = read_key(in);
  request.value = in.value("value");
  request.ttl_seconds = in.optional_integer("ttl_seconds", 1);
  request.if_revision = in.optional_integer("if_revision", 0);
  if (request.ttl_seconds && *request.ttl_seconds > max_ttl_seconds) {
    in.fail("'ttl_seconds' must be at most " + std::to_string(max_ttl_seconds));
  }
  if (in.failed()) return in.failure();
  return request;
}

inline result<kv_delete_request> decode_kv_delete(json::object object) {
  reader in(object);
  kv_delete_request request;
  request.key = read_key(in);
  request.if_revision = in.optional_integer("if_revision", 0);
  if (in.failed()) return in.failure();
  return request;
}

inline result<kv_list_request> decode_kv_list(json::object object) {
  reader in(object);
  kv_list_request request;
  request.prefix = in.text_or("prefix", "");
  request.after = in.text_or("after", "");
  request.limit = in.optional_integer("limit", 1).value_or(request.limit);
  if (request.limit > max_kv_list) {
    in.fail("'limit' must be at most " + std::to_string(max_kv_list));
  }
  if ((request.prefix + request.after).find('\0') != std::string::npos) {
    in.fail("'prefix' and 'after' must not contain U+0000");
  }
  if (in.failed()) return in.failure();
  return request;
}

}  // namespace rosey::wire::db
