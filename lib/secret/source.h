/* source.h - where secrets are read from, byte for byte; secret.h's readers cut the last newline.
 *
 * Only for this room: a key file may be 32 raw bytes, the last of which may look like a newline. */
#pragma once

#include <sys/types.h>

struct error;
struct secret;

struct secret *source_read_fd(int fd, const char *name, struct error *err);
/* Of root, of this user, or of `owner`. */
struct secret *source_read_file(const char *path, uid_t owner, struct error *err);
struct secret *source_read_credential(const char *name, struct error *err);

/* Where the credential would be; free() it. NULL if there is no such place. */
char *source_credential_path(const char *name, struct error *err);
