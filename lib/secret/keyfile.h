/* keyfile.h - the file that holds the keys: where it may lie, what may stand in it.
 *
 * Only for this room. */
#pragma once
#include <stdbool.h>

struct error;
struct secret;

#define KEYFILE_KEY_SIZE 32
#define KEYFILE_MOST     4

/* One to four keys one behind the other, the active first. Arguments as keyring_load(). */
struct secret *keyfile_read(const char *source, const char *state_dir, struct error *err);

/* As keyring_make_file(). */
bool keyfile_make(const char *path, const char *state_dir, struct error *err);

/* As keyring_add_to_file(). */
bool keyfile_add(const char *path, const char *state_dir, struct error *err);
