/* What the host offers a plugin: a table of functions, valid from create() to the end of destroy().

   Threads are stated on each function:
     [plugin-thread]  the one thread on which the host runs this plugin's tasks and messages
     [any-thread]     any thread, at any time before destroy() returns */
#ifndef ROSEY_ABI_HOST_H
#define ROSEY_ABI_HOST_H

#include "rosey/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct __natsConnection; /* natsConnection of <nats/nats.h> */

/* A message from NATS. Everything in it is borrowed: copy what must outlive the callback. */
typedef struct rosey_message {
  rosey_header header;
  rosey_string subject;
  rosey_string reply; /* size 0: the sender expects no answer */
  rosey_string payload;
  uint32_t flags; /* ROSEY_MESSAGE_... */
} rosey_message;

/* Not a message from a peer: the server says that nobody listens where the request went. */
#define ROSEY_MESSAGE_NO_RESPONDERS 1u

/* [plugin-thread] */
typedef void (*rosey_message_fn)(void* arg, const rosey_message* message) ROSEY_NOEXCEPT;

/* Levels of log(). */
enum { ROSEY_LOG_DEBUG = 0, ROSEY_LOG_INFO = 1, ROSEY_LOG_WARNING = 2, ROSEY_LOG_ERROR = 3 };

typedef struct rosey_host {
  rosey_header header;

  /* First argument of every function below. Opaque. */
  void* self;

  /* The host's connection. A plugin publishes on it directly, from any thread. It never installs a
     callback on it, closes, drains or destroys it: the host must see every entry into plugin code,
     so subscriptions are made with subscribe(). */
  struct __natsConnection* nats;

  /* Version of the host's libnats, and the address of its nats_GetVersion. A plugin whose own
     nats_GetVersion lies elsewhere carries a second copy of libnats, and must refuse to start:
     the connection above means nothing to it. */
  const char* nats_version;
  const void* nats_anchor;

  /* [any-thread] Runs run(arg) later on the plugin-thread, in the order of the posts; never inside
     this call. If the plugin closes first, drop(arg) is called instead, on the plugin-thread: it
     frees what arg owns and starts nothing. One of the two is called, once, if and only if the
     result is ROSEY_OK. ROSEY_STOPPED after the host has closed the executor. */
  rosey_status (*post)(void* self, rosey_task_fn run, rosey_task_fn drop, void* arg) ROSEY_NOEXCEPT;

  /* [any-thread] Subscribes to a subject, which may hold wildcards but must begin with a literal
     token. Messages arrive on the plugin-thread. `queue_group` may be empty.

     A subscription with a queue group is how work comes in: when the plugin is to go, the host
     drains those first, delivers what had arrived, and only then calls request_stop(). One
     without a group (events, replies to requests) stays open until the plugin is stopped. */
  rosey_status (*subscribe)(void* self, rosey_string subject, rosey_string queue_group,
                            rosey_message_fn on_message, void* arg, uint64_t* id,
                            rosey_error* error) ROSEY_NOEXCEPT;

  /* [any-thread] Ends a subscription. When nothing of it can arrive any more, done(arg) is called
     on the plugin-thread, exactly once if the result is ROSEY_OK, also when the plugin closes
     meanwhile. `done` may be null. */
  rosey_status (*unsubscribe)(void* self, uint64_t id, rosey_task_fn done,
                              void* arg) ROSEY_NOEXCEPT;

  /* [any-thread] The plugin's answer to request_stop(): it has finished its work and will start
     nothing more. Called once; later calls are ignored. */
  void (*stopped)(void* self, rosey_status status) ROSEY_NOEXCEPT;

  /* [any-thread] Writes a line to the host's log, under the plugin's name. */
  void (*log)(void* self, int32_t level, const char* text, size_t size) ROSEY_NOEXCEPT;

  /* [any-thread] An optional feature by "name/revision", or null. The table is valid as long as
     this one. */
  const void* (*get_ext)(void* self, const char* id)ROSEY_NOEXCEPT;
} rosey_host;

#ifdef __cplusplus
}
#endif

#endif /* ROSEY_ABI_HOST_H */
