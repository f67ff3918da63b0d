/* The layout of every struct, and the value of every constant, that plugins out there were compiled
   with. Nothing runs: it compiles, or the contract is broken. Compiled as C11 and as C++20. */
#include <stddef.h>

#include "rosey/abi/host.h"
#include "rosey/abi/plugin.h"
#include "rosey/abi/publisher.h"
#include "rosey/abi/types.h"

#ifdef __cplusplus
#define CHECK(condition, what) static_assert(condition, what)
#else
#define CHECK(condition, what) _Static_assert(condition, what)
#endif

#define BROKEN                                                                          \
  " is not what released plugins were compiled with: append behind the last field, or " \
  "begin a new major version; see docs/abi-changes.md"
#define SIZE(type, size) CHECK(sizeof(type) == (size), "the size of " #type BROKEN)
#define GROWN(type, size)                                                          \
  CHECK(sizeof(type) == (size), "the size of " #type                               \
                                " has changed: add a line for the field that you " \
                                "appended, and nothing else; see docs/abi-changes.md")
#define FIELD(type, field, offset, size)                                              \
  CHECK(offsetof(type, field) == (offset), "the offset of " #type "." #field BROKEN); \
  CHECK(sizeof(((type*)0)->field) == (size), "the size of " #type "." #field BROKEN)
#define VALUE(name, value) CHECK((name) == (value), "the value of " #name BROKEN)

CHECK(sizeof(void*) == 8 && sizeof(size_t) == 8 && sizeof(int) == 4,
      "the offsets below are those of an LP64 system");

/* SIZE: of a struct without a header; it can never change.
   GROWN: of one with a header, and the minor version in which it got this size. */

FIELD(rosey_header, size, 0, 4);
FIELD(rosey_header, major, 4, 2);
FIELD(rosey_header, minor, 6, 2);
SIZE(rosey_header, 8);

FIELD(rosey_string, data, 0, 8);
FIELD(rosey_string, size, 8, 8);
SIZE(rosey_string, 16);

FIELD(rosey_error, text, 0, 512);
SIZE(rosey_error, 512);

FIELD(rosey_message, header, 0, 8);
FIELD(rosey_message, subject, 8, 16);
FIELD(rosey_message, reply, 24, 16);
FIELD(rosey_message, payload, 40, 16);
FIELD(rosey_message, flags, 56, 4);
GROWN(rosey_message, 64); /* 1.0 */

FIELD(rosey_host, header, 0, 8);
FIELD(rosey_host, self, 8, 8);
FIELD(rosey_host, nats, 16, 8);
FIELD(rosey_host, nats_version, 24, 8);
FIELD(rosey_host, nats_anchor, 32, 8);
FIELD(rosey_host, post, 40, 8);
FIELD(rosey_host, subscribe, 48, 8);
FIELD(rosey_host, unsubscribe, 56, 8);
FIELD(rosey_host, stopped, 64, 8);
FIELD(rosey_host, log, 72, 8);
FIELD(rosey_host, get_ext, 80, 8);
GROWN(rosey_host, 88); /* 1.0 */

FIELD(rosey_publisher, header, 0, 8);
FIELD(rosey_publisher, publish, 8, 8);
FIELD(rosey_publisher, max_payload, 16, 8);
GROWN(rosey_publisher, 24); /* 1.1 */

FIELD(rosey_verb, header, 0, 8);
FIELD(rosey_verb, name, 8, 8);
FIELD(rosey_verb, subject, 16, 8);
FIELD(rosey_verb, arguments, 24, 8);
FIELD(rosey_verb, help, 32, 8);
FIELD(rosey_verb, least_role, 40, 4);
GROWN(rosey_verb, 48); /* 1.0 */

FIELD(rosey_plugin, header, 0, 8);
FIELD(rosey_plugin, needs_host_minor, 8, 2);
FIELD(rosey_plugin, reserved_1, 10, 6);
FIELD(rosey_plugin, id, 16, 8);
FIELD(rosey_plugin, version, 24, 8);
FIELD(rosey_plugin, build, 32, 8);
FIELD(rosey_plugin, verbs, 40, 8);
FIELD(rosey_plugin, verb_count, 48, 4);
FIELD(rosey_plugin, reserved_2, 52, 4);
FIELD(rosey_plugin, create, 56, 8);
FIELD(rosey_plugin, start, 64, 8);
FIELD(rosey_plugin, request_stop, 72, 8);
FIELD(rosey_plugin, destroy, 80, 8);
FIELD(rosey_plugin, get_ext, 88, 8);
FIELD(rosey_plugin, needs_schema, 96, 4);
GROWN(rosey_plugin, 104); /* 1.1 */

CHECK(sizeof(rosey_status) == 4 && (rosey_status)-1 < 0, "rosey_status" BROKEN);
VALUE(ROSEY_OK, 0);
VALUE(ROSEY_FAILED, 1);
VALUE(ROSEY_INVALID_ARGUMENT, 2);
VALUE(ROSEY_STOPPED, 3);
VALUE(ROSEY_UNSUPPORTED, 4);
VALUE(ROSEY_REFUSED, 5);
VALUE(ROSEY_OUT_OF_MEMORY, 6);

VALUE(ROSEY_MESSAGE_NO_RESPONDERS, 1);

VALUE(ROSEY_LOG_DEBUG, 0);
VALUE(ROSEY_LOG_INFO, 1);
VALUE(ROSEY_LOG_WARNING, 2);
VALUE(ROSEY_LOG_ERROR, 3);

VALUE(ROSEY_ROLE_USER, 0);
VALUE(ROSEY_ROLE_MODERATOR, 1);
VALUE(ROSEY_ROLE_ADMIN, 2);

VALUE(ROSEY_ERROR_CAPACITY, 512);
VALUE(ROSEY_ABI_MAJOR, 1);
CHECK(sizeof(ROSEY_PLUGIN_QUERY_SYMBOL) == 22, "the entry symbol's name" BROKEN);

/* The functions' types: another one is not assigned without a warning, which is an error here. */
rosey_status rosey_layout_test(const rosey_host* host, const rosey_plugin* plugin);
rosey_status rosey_layout_test(const rosey_host* host, const rosey_plugin* plugin) {
  rosey_status (*const post)(void*, void (*)(void*) ROSEY_NOEXCEPT, void (*)(void*) ROSEY_NOEXCEPT,
                             void*) = host->post;
  rosey_status (*const subscribe)(void*, rosey_string, rosey_string,
                                  void (*)(void*, const rosey_message*) ROSEY_NOEXCEPT, void*,
                                  uint64_t*, rosey_error*) = host->subscribe;
  rosey_status (*const unsubscribe)(void*, uint64_t, void (*)(void*) ROSEY_NOEXCEPT, void*) =
      host->unsubscribe;
  void (*const stopped)(void*, int32_t) = host->stopped;
  void (*const log)(void*, int32_t, const char*, size_t) = host->log;
  const void* (*const host_ext)(void*, const char*) = host->get_ext;
  int32_t (*const create)(const rosey_host*, rosey_instance**, rosey_error*) = plugin->create;
  int32_t (*const start)(rosey_instance*, rosey_string, rosey_error*) = plugin->start;
  void (*const request_stop)(rosey_instance*) = plugin->request_stop;
  void (*const destroy)(rosey_instance*) = plugin->destroy;
  const void* (*const plugin_ext)(rosey_instance*, const char*) = plugin->get_ext;
  const rosey_plugin* (*const query)(void) = &rosey_plugin_query_v1;
  return (void)query, post && subscribe && unsubscribe && stopped && log && host_ext && create &&
                          start && request_stop && destroy && plugin_ext;
}
