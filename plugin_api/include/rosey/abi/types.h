/* The few types that every table and callback of the plugin contract is made of.

   Layouts are those of an LP64 system. docs/abi-changes.md says what may change and how. */
#ifndef ROSEY_ABI_TYPES_H
#define ROSEY_ABI_TYPES_H

#include <stddef.h>
#include <stdint.h>

/* The contract's version. The major number is part of the entry symbol's name: two majors never
   meet. A minor only appends fields and extensions (see rosey_header). */
#define ROSEY_ABI_MAJOR 1
#define ROSEY_ABI_MINOR 1

/* No exception crosses the boundary. */
#ifndef ROSEY_NOEXCEPT
#ifdef __cplusplus
#define ROSEY_NOEXCEPT noexcept
#else
#define ROSEY_NOEXCEPT
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* First member of every struct that crosses the boundary and may grow. `size` is what the side that
   made the struct knows of it, in bytes: the other side reads a field only if it lies inside
   `size`. `major` and `minor` are ROSEY_ABI_MAJOR and ROSEY_ABI_MINOR as that side was compiled;
   they are for people and refusals, and never tell whether a field is there. */
typedef struct rosey_header {
  uint32_t size;
  uint16_t major;
  uint16_t minor;
} rosey_header;

/* True if `field` of the struct `ptr` points at was there when the other side was compiled. For the
   fields of version 1.0 it is enough to ask once, for the last one. Never compare with sizeof: it
   grows with the header, and would refuse whoever was compiled earlier. */
#define ROSEY_HAS_FIELD(ptr, type, field) \
  ((ptr)->header.size >= offsetof(type, field) + sizeof((ptr)->field))

/* Outcome of a call. Values are stable; new ones are appended. Treat an unknown one as FAILED. */
typedef int32_t rosey_status;
enum {
  ROSEY_OK = 0,
  ROSEY_FAILED = 1,           /* the error text says why */
  ROSEY_INVALID_ARGUMENT = 2, /* the caller broke the contract */
  ROSEY_STOPPED = 3,          /* too late: the plugin is closing or closed */
  ROSEY_UNSUPPORTED = 4,      /* version or extension not available */
  ROSEY_REFUSED = 5,          /* understood, and not allowed */
  ROSEY_OUT_OF_MEMORY = 6
};

/* Text that is borrowed for the duration of one call: not terminated, UTF-8, never freed. `data`
   may be null if `size` is 0. */
typedef struct rosey_string {
  const char* data;
  size_t size;
} rosey_string;

/* Where a callee leaves one sentence about a failure. The caller owns it and has made it empty; the
   callee writes a terminated UTF-8 text into it, if it fails, and nothing else. A text that is too
   long is cut between characters; the host replaces what is no UTF-8, and names the status if the
   text is empty. Its size can never change: it has no header. */
#define ROSEY_ERROR_CAPACITY 512
typedef struct rosey_error {
  char text[ROSEY_ERROR_CAPACITY];
} rosey_error;

/* Work handed to an executor. May not throw. */
typedef void (*rosey_task_fn)(void* arg) ROSEY_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif /* ROSEY_ABI_TYPES_H */
