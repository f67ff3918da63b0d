/* A plugin in plain C, on the bare contract: "!echo <text>" says the text again. */
#include <nats/nats.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rosey/abi/plugin.h"

#define SUBJECT "rosey.command.echo.echo"

struct rosey_instance {
  const rosey_host* host;
};

/* The end of the JSON string whose first byte after the quote is `at`, or null if it is none. */
static const char* string_end(const char* at, const char* end) {
  for (; at < end && *at != '"'; ++at) {
    if ((unsigned char)*at < ' ') return NULL;
    if (*at != '\\') continue;
    if (++at == end || !*at || !strchr("\"\\/bfnrtu", *at)) return NULL;
    if (*at != 'u') continue;
    if (end - at < 5) return NULL;
    for (int digit = 0; digit < 4; ++digit) {
      if (!*++at || !strchr("0123456789abcdefABCDEF", *at)) return NULL;
    }
  }
  return at < end ? at : NULL;
}

/* A text field of a JSON object, between its quotes and still escaped, so that it can go into
   another JSON text as it is. `data` is null if there is no such field. */
static rosey_string text_field(rosey_string json, const char* name) {
  const rosey_string none = {NULL, 0};
  const char* const end = json.data + json.size;
  int depth = 0;
  bool is_key = false, is_wanted = false;
  for (const char* at = json.data; at < end; ++at) {
    if (*at == '"') {
      const char* const text = at + 1;
      if (!(at = string_end(text, end))) return none;
      const size_t size = (size_t)(at - text);
      if (is_wanted) return (rosey_string){text, size};
      is_wanted = is_key && size == strlen(name) && memcmp(text, name, size) == 0;
      is_key = false;
    } else if (*at == '{' || *at == '[') {
      is_key = ++depth == 1;
      is_wanted = false;
    } else if (*at == '}' || *at == ']') {
      --depth;
    } else if (*at == ',') {
      is_key = depth == 1;
      is_wanted = false;
    }
  }
  return none;
}

/* Sends `format` with the text in the place of its "%.*s". */
static void answer(const rosey_host* host, rosey_string subject, const char* format,
                   rosey_string text) {
  /* One allocation for both: libnats wants the subject terminated. */
  const size_t room = strlen(format) + text.size + 1;
  char* const buffer = malloc(room + subject.size + 1);
  if (!buffer) return; /* the host answers for us when its deadline is over */
  const int size = snprintf(buffer, room, format, (int)text.size, text.data);
  char* const to = buffer + room;
  memcpy(to, subject.data, subject.size);
  to[subject.size] = '\0';
  const natsStatus sent = natsConnection_Publish(host->nats, to, buffer, size);
  if (sent != NATS_OK) {
    const char* const why = natsStatus_GetText(sent);
    host->log(host->self, ROSEY_LOG_ERROR, why, strlen(why));
  }
  free(buffer);
}

/* A failure as the host wants it: `why` holds nothing that JSON would escape. */
#define FAILURE(code, why)                                                                     \
  "{\"success\": false, \"code\": \"" code "\", \"error\": \"" why "\", \"message\": \"❌ " why \
  "%.*s\"}"

static void on_echo(void* arg, const rosey_message* message) {
  const rosey_host* const host = ((rosey_instance*)arg)->host;
  if (message->reply.size == 0) return;
  const rosey_string text = text_field(message->payload, "args");
  if (!text.data) {
    answer(host, message->reply, FAILURE("bad_request", "'args' must be a text"),
           (rosey_string){"", 0});
  } else if (text.size == 0) {
    answer(host, message->reply, FAILURE("usage", "Usage: !echo <text>"), text);
  } else {
    answer(host, message->reply, "{\"success\": true, \"message\": \"%.*s\"}", text);
  }
}

static rosey_status create(const rosey_host* host, rosey_instance** made, rosey_error* error) {
  /* get_ext is the last field of version 1.0, and nothing newer is used here. */
  if (host->header.major != ROSEY_ABI_MAJOR || !ROSEY_HAS_FIELD(host, rosey_host, get_ext)) {
    snprintf(error->text, sizeof error->text, "echo needs a host of contract version %d, not %d",
             ROSEY_ABI_MAJOR, host->header.major);
    return ROSEY_UNSUPPORTED;
  }
  if (host->nats_anchor != (const void*)(size_t)&nats_GetVersion) {
    snprintf(error->text, sizeof error->text, "echo is linked with a libnats of its own");
    return ROSEY_UNSUPPORTED;
  }
  rosey_instance* const self = malloc(sizeof *self);
  if (!self) return ROSEY_OUT_OF_MEMORY;
  self->host = host;
  *made = self;
  return ROSEY_OK;
}

static rosey_status start(rosey_instance* self, rosey_string config_json, rosey_error* error) {
  (void)config_json; /* nothing can be configured */
  const rosey_string subject = {SUBJECT, strlen(SUBJECT)};
  const rosey_string queue_group = {"echo", 4};
  uint64_t id;
  return self->host->subscribe(self->host->self, subject, queue_group, on_echo, self, &id, error);
}

static void request_stop(rosey_instance* self) {
  /* Nothing is under way: each command was answered before its handler returned. */
  self->host->stopped(self->host->self, ROSEY_OK);
}

static void destroy(rosey_instance* self) {
  free(self);
}

static const rosey_verb echo = {{sizeof(rosey_verb), ROSEY_ABI_MAJOR, ROSEY_ABI_MINOR},
                                .name = "echo",
                                .subject = SUBJECT,
                                .arguments = "<text>",
                                .help = "Says it again",
                                .least_role = ROSEY_ROLE_USER};
static const rosey_verb* const verbs[] = {&echo};

static const rosey_plugin plugin = {{sizeof(rosey_plugin), ROSEY_ABI_MAJOR, ROSEY_ABI_MINOR},
                                    .needs_host_minor = 0,
                                    .id = "echo",
                                    .version = "1.0.0",
                                    .build = __VERSION__,
                                    .verbs = verbs,
                                    .verb_count = sizeof verbs / sizeof *verbs,
                                    .create = create,
                                    .start = start,
                                    .request_stop = request_stop,
                                    .destroy = destroy};

const rosey_plugin* rosey_plugin_query_v1(void) {
  return &plugin;
}
