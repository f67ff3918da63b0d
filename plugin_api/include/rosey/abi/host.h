/* What the host offers a plugin: a table of functions, valid from create() to the end of destroy().

   Threads are stated on each function:
     [plugin-thread]  the one thread on which the host runs this plugin's tasks and messages, one
                      after the other; each instance has one of its own
     [any-thread]     any thread, several at once, at any time before destroy() returns

   No function of the host waits for plugin code. Pointers are not null unless it says so. Each
   function says which statuses it returns; treat any other one as ROSEY_FAILED.

   Text that a plugin gives is UTF-8. What names something (an id, a verb, a subject, a queue group)
   is refused otherwise. Of what is only said (an error's text, a version, a help text, a log line)
   the host replaces bytes that are no UTF-8 by U+FFFD, and escapes control characters. Payloads are
   bytes, and nobody looks at them.

   An instance that missed a deadline (plugin.h) is in quarantine until the process ends: its
   library stays mapped, this table stays valid, destroy() is never called. Its subscriptions have
   ended, and subscribe() returns ROSEY_STOPPED; messages and tasks that were queued may still run
   when its thread comes back. post() goes on as before if the deadline was that of start() or
   stopped(); after destroy() has begun it returns ROSEY_STOPPED. log() and publishing work.
   stopped() comes too late, and changes nothing. */
#ifndef ROSEY_ABI_HOST_H
#define ROSEY_ABI_HOST_H

#include "rosey/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct __natsConnection; /* natsConnection of <nats/nats.h> */

/* A message from NATS. Everything in it is borrowed: copy what must outlive the callback. Subject,
   reply and payload are bytes that any client of NATS may have sent: they need not be UTF-8, and
   nothing terminates them. */
typedef struct rosey_message {
  rosey_header header;
  rosey_string subject;
  rosey_string reply; /* size 0: the sender expects no answer */
  rosey_string payload;
  uint32_t flags; /* ROSEY_MESSAGE_...; unknown ones are ignored */
  uint32_t : 32;  /* the next field begins behind what version 1.0 calls its size */
} rosey_message;

/* Not a message from a peer: the server says that nobody listens where the request went. */
#define ROSEY_MESSAGE_NO_RESPONDERS 1u

/* [plugin-thread] `message` is valid during the call. */
typedef void (*rosey_message_fn)(void* arg, const rosey_message* message) ROSEY_NOEXCEPT;

/* Levels of log(). */
enum { ROSEY_LOG_DEBUG = 0, ROSEY_LOG_INFO = 1, ROSEY_LOG_WARNING = 2, ROSEY_LOG_ERROR = 3 };

typedef struct rosey_host {
  rosey_header header;

  /* First argument of every function below. Opaque. */
  void* self;

  /* The host's connection. A plugin may publish on it directly, from any thread, until destroy()
     returns; but that waits while libnats connects anew, and while the server does not read, so on
     the plugin-thread the extension in rosey/abi/publisher.h is better. It never installs a
     callback on it, closes, drains or destroys it: the host must see every entry into plugin code,
     so subscriptions are made with subscribe(). What waits for an answer or a flush must not be
     called on the plugin-thread: the plugin would hear nothing meanwhile. */
  struct __natsConnection* nats;

  /* Version of the host's libnats, and the address of its nats_GetVersion. A plugin whose own
     nats_GetVersion lies elsewhere carries a second copy of libnats, and must refuse to start:
     the connection above means nothing to it. */
  const char* nats_version;
  const void* nats_anchor;

  /* [any-thread] Runs run(arg) later on the plugin-thread, in the order of the posts, and of the
     messages between them; never inside this call. The queue has no limit. If the host closes the
     executor first (after stopped()), or create() fails, drop(arg) is called instead, on the
     plugin-thread, before destroy(): it frees what arg owns and starts nothing. One of the two is
     called, once, if and only if the result is ROSEY_OK; neither if the process ends first.
     ROSEY_INVALID_ARGUMENT: run or drop is null.
     ROSEY_STOPPED: the host has closed the executor; always so in destroy().
     ROSEY_OUT_OF_MEMORY. */
  rosey_status (*post)(void* self, rosey_task_fn run, rosey_task_fn drop, void* arg) ROSEY_NOEXCEPT;

  /* [any-thread] Subscribes to a subject, which may hold wildcards but must begin with a literal
     token. Messages arrive on the plugin-thread, so not before the call returns if it is made
     there. `queue_group` may be empty. `arg` must be valid until `done` of unsubscribe() has been
     called, or else until destroy(). `error` may be null.
     ROSEY_INVALID_ARGUMENT: on_message or id is null.
     ROSEY_REFUSED: this subject or queue group is not allowed to this plugin; each is UTF-8 of at
     most 512 bytes without blanks.
     ROSEY_STOPPED: the plugin is to go, or has gone into quarantine.
     ROSEY_FAILED: libnats could not subscribe. With a queue group, in start(), that is only found
     when start() has succeeded, and then the host counts the start as failed.
     ROSEY_OUT_OF_MEMORY.
     For all but ROSEY_OK `error` has a sentence.

     A plugin listens to what is said to everybody, and to what is asked of itself. It is not in
     line for what others are asked: it would take their requests, or answer them a second time. So
     ROSEY_REFUSED, with a sentence, is the answer to a subject that is, or by a wildcard covers,
     rosey.command.ID or service.ID of another plugin, rosey.admin, rosey.monitoring, db, or the
     inbox of somebody else; and to a queue group that is neither the plugin's id nor begins with it
     and a dot. The subject of each verb must be subscribed to when start() returns.

     A subscription with a queue group is how work comes in. One that is made before start() has
     returned has its id at once, but is opened on the server only when start() has succeeded: a
     plugin that cannot start takes no work from the instance that it was to replace. When the
     plugin is to go, the host drains those first, and calls request_stop() when on_message has
     returned for all that had arrived; what on_message was not called for within a deadline goes
     back to the subject, for another member of the group. None can be made from then on.

     One without a group (events, replies to requests) opens at once, and stays open until the
     plugin has stopped: on_message is called for what had arrived by then, and so after stopped()
     as well, but never after destroy() has begun.

     When 10,000 messages wait for the plugin, one that expects an answer is given it by the host,
     {"success": false, "code": "busy", ...}; others are dropped. */
  rosey_status (*subscribe)(void* self, rosey_string subject, rosey_string queue_group,
                            rosey_message_fn on_message, void* arg, uint64_t* id,
                            rosey_error* error) ROSEY_NOEXCEPT;

  /* [any-thread] Ends a subscription. When nothing of it can arrive any more, done(arg) is called
     on the plugin-thread, exactly once if the result is ROSEY_OK, also when the plugin closes
     meanwhile, and when create() fails. `done` may be null.
     ROSEY_INVALID_ARGUMENT: there is no such subscription, or it has ended already (as those with a
     queue group have once the plugin is to go, and all of them in destroy()).
     ROSEY_OUT_OF_MEMORY. */
  rosey_status (*unsubscribe)(void* self, uint64_t id, rosey_task_fn done,
                              void* arg) ROSEY_NOEXCEPT;

  /* [any-thread] The plugin's answer to request_stop(), in it or any time later: it has finished
     its work and will start nothing more. It must come within 10 s of each request_stop(), also of
     one after a failed start(). What is still in the plugin-thread's queue then may run or be
     dropped, and messages may still come (see subscribe).
     Called before request_stop() it is an answer in advance: nothing changes for the moment, the
     plugin goes on and gets its messages; request_stop() is called all the same when it is to go,
     and then the host does not wait.
     `status` is for the log, which has a warning if it is not ROSEY_OK. Called once; later calls
     are ignored. */
  void (*stopped)(void* self, rosey_status status) ROSEY_NOEXCEPT;

  /* [any-thread] Writes a line to the host's log, under the plugin's name. `text` is UTF-8 of
     `size` bytes, without a final newline; borrowed. It stays one line, whatever it holds; what is
     longer than 16 KiB is cut. An unknown level counts as ROSEY_LOG_INFO. */
  void (*log)(void* self, int32_t level, const char* text, size_t size) ROSEY_NOEXCEPT;

  /* [any-thread] An optional feature by "name/revision", or null. The table is valid as long as
     this one. There is ROSEY_EXT_PUBLISHER. */
  const void* (*get_ext)(void* self, const char* id)ROSEY_NOEXCEPT;
} rosey_host;

#ifdef __cplusplus
}
#endif

#endif /* ROSEY_ABI_HOST_H */
