/* An extension of the host: publishing that never waits. Ask for it with
   host->get_ext(host->self, ROSEY_EXT_PUBLISHER); a host of before 1.1 has none, and there a plugin
   publishes on host->nats itself. */
#ifndef ROSEY_ABI_PUBLISHER_H
#define ROSEY_ABI_PUBLISHER_H

#include "rosey/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ROSEY_EXT_PUBLISHER "rosey.publisher/1"

/* Every `self` is that of rosey_host. */
typedef struct rosey_publisher {
  rosey_header header;

  /* [any-thread] Sends a message, in the order of the calls. Does not block: natsConnection_Publish
     waits while libnats connects anew, and while the server does not read. While NATS is away the
     message waits, and leaves when NATS is back. `reply` may be empty. All is copied. Do not mix it
     with host->nats where the order matters.
     ROSEY_OK: it will be sent, unless the connection is lost first.
     ROSEY_INVALID_ARGUMENT: `subject` or `reply` is no subject to publish on.
     ROSEY_REFUSED: it is larger than max_payload.
     ROSEY_FAILED: NATS is away or slow, and 64 MiB wait to be sent.
     ROSEY_OUT_OF_MEMORY.
     `error`, which may be null, says the same in a sentence. The payload is bytes. */
  rosey_status (*publish)(void* self, rosey_string subject, rosey_string reply,
                          rosey_string payload, rosey_error* error) ROSEY_NOEXCEPT;

  /* [any-thread] Bytes that the server carries in one message. It may change when NATS is reached
     anew. Does not block. */
  uint64_t (*max_payload)(void* self) ROSEY_NOEXCEPT;
} rosey_publisher;

#ifdef __cplusplus
}
#endif

#endif /* ROSEY_ABI_PUBLISHER_H */
