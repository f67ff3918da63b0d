/* What a plugin offers the host: one exported function, which returns one constant table. */
#ifndef ROSEY_ABI_PLUGIN_H
#define ROSEY_ABI_PLUGIN_H

#include "rosey/abi/host.h"
#include "rosey/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A call into the plugin that does not come back holds up that plugin alone. The host waits
     5 s  for create() and start() together
     5 s  for the messages of the queue groups, when the plugin is to go
    10 s  from request_stop() to stopped(); in a swap the new instance works after 3 s of these
     5 s  for destroy(), and 1 s more for the threads that it joins to be gone
   and then leaves the instance in quarantine (host.h). A task or message that runs for 2 s has the
   plugin listed as stuck until it returns. When the host itself ends, all of this has 3 s.

   The host may end without destroy(), and without request_stop() or stopped(): when it is killed,
   or when some plugin misses a deadline while it ends. Then no exit handler and no static
   destructor runs. What must be kept has to be in storage before that. */

/* Who may use a verb, least first. */
enum { ROSEY_ROLE_USER = 0, ROSEY_ROLE_MODERATOR = 1, ROSEY_ROLE_ADMIN = 2 };

/* A word that people type in a channel, and the subject on which the plugin answers it. */
typedef struct rosey_verb {
  rosey_header header;
  const char* name;      /* "add": lower case letters, digits and '-' */
  const char* subject;   /* "rosey.command.playlist.add"; no wildcards */
  const char* arguments; /* "<url>"; "" for none */
  const char* help;      /* one line */
  int32_t least_role;    /* ROSEY_ROLE_..., for the help text; the plugin itself refuses */
  uint32_t : 32;         /* the next field begins behind what version 1.0 calls its size */
} rosey_verb;

/* A running plugin, as the plugin itself sees it. */
typedef struct rosey_instance rosey_instance;

/* Strings are terminated UTF-8. They, arrays and the table itself are constant and static: valid
   while the library is loaded. No function may throw, and none may be null except get_ext. Those
   marked [plugin-thread] never overlap with each other or with a task or message of the same
   instance; two instances may live at once, each on a thread of its own. */
typedef struct rosey_plugin {
  rosey_header header;

  /* The host's minor version that this plugin cannot do without; an older host refuses it before
     create(). The plugin still asks ROSEY_HAS_FIELD for what is newer than this. */
  uint16_t needs_host_minor;
  uint16_t reserved_1[3]; /* zero */

  const char* id;      /* [a-z][a-z0-9-]{0,31}, the same in every version of the plugin */
  const char* version; /* for people: "1.4.0" */
  const char* build;   /* for people: compiler, date, commit; may be "" */

  const rosey_verb* const* verbs; /* array of verb_count pointers */
  uint32_t verb_count;
  uint32_t reserved_2; /* zero */

  /* [plugin-thread] Makes an instance, never null. `host` is valid until destroy() returns. Nothing
     should be subscribed, posted or started here: that is for start().
     ROSEY_OK, with the instance; any other status is a failure, `error` says why, and `*instance`
     is not looked at. After a failure no other function of the plugin is called for it: not
     start(), not request_stop(), not destroy(). What was posted is dropped and not run, no message
     arrives, and stopped() need not come. What create() has made it must free itself before it
     returns. */
  rosey_status (*create)(const rosey_host* host, rosey_instance** instance,
                         rosey_error* error) ROSEY_NOEXCEPT;

  /* [plugin-thread] Reads the configuration (a JSON object, checked, in UTF-8; borrowed),
     subscribes, starts working. Called once. Must not wait for anything: the host gives it a
     deadline. During a reload an older instance still runs beside this one. ROSEY_OK; any other
     status is a failure, and `error` says why. A start that failed is taken down like one that
     succeeded: what it posted is run, messages of its subscriptions without a queue group arrive
     (those with one are never opened), request_stop() is called, the host waits for stopped(), and
     destroy() follows. So free nothing that destroy() frees, and let request_stop() call stopped()
     whatever start() has come to; start() may also call it before it fails. */
  rosey_status (*start)(rosey_instance* instance, rosey_string config_json,
                        rosey_error* error) ROSEY_NOEXCEPT;

  /* [any-thread] Asks the instance to finish what it began and to call host->stopped(). Called
     after start() has returned, also when it failed, by a thread of the host; more than once in a
     reload. Never waits; asking again changes nothing. The host counts on stopped(), within 10 s.
   */
  void (*request_stop)(rosey_instance* instance) ROSEY_NOEXCEPT;

  /* [plugin-thread] Frees the instance and joins its threads. Called once for every instance that
     create() made, as the last call on its thread, when no task, message or callback of it is left.
     Not called after a failed create(), for an instance in quarantine, and when the process ends
     without it (above).
     The library is unmapped next: no thread, timer or exit handler of it may remain. The host looks
     for threads that are left, by the name that they inherit from the plugin-thread: the id and a
     number, "hello#3", of which Linux keeps 15 bytes, so that a long id is cut. It keeps the
     library if it finds one; it cannot see one that was given another name. */
  void (*destroy)(rosey_instance* instance) ROSEY_NOEXCEPT;

  /* [any-thread] An optional feature of the plugin by "name/revision", or null. Its table is valid
     until destroy(). Called between create() and destroy(); no host calls it yet. The function
     itself may be null. */
  const void* (*get_ext)(rosey_instance* instance, const char* id)ROSEY_NOEXCEPT;

  /* since 1.1: the newest migration that the plugin's tables must hold; 0, or a table that ends
     before this: it does not say. The host asks storage before create(), has it migrate where that
     is allowed, and refuses the plugin otherwise; in a reload the older instance runs on. */
  uint32_t needs_schema;
  uint32_t : 32; /* the next field begins behind what version 1.0 calls its size */
} rosey_plugin;

/* [any-thread] The one symbol that a plugin exports; its name carries the major version. Pure: no
   thread, no allocation, no global state; the same pointer every time. Called before the plugin has
   a thread, as the library's static constructors are: those must not do more either. */
#define ROSEY_PLUGIN_QUERY_SYMBOL "rosey_plugin_query_v1"
typedef const rosey_plugin* (*rosey_plugin_query_fn)(void)ROSEY_NOEXCEPT;

#if defined(_WIN32)
#define ROSEY_PLUGIN_EXPORT __declspec(dllexport)
#else
#define ROSEY_PLUGIN_EXPORT __attribute__((visibility("default")))
#endif

ROSEY_PLUGIN_EXPORT const rosey_plugin* rosey_plugin_query_v1(void) ROSEY_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif /* ROSEY_ABI_PLUGIN_H */
