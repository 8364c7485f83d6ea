/* offline.h - the vault in the command's own hands, for when no daemon runs. */
#pragma once
#include <stdbool.h>

struct command_context;
struct conf;
struct error;
struct keyring;
struct vault;

struct offline {
	struct conf *conf;
	struct keyring *keyring;
	struct vault *vault;
};

/* Acts as the owner of the state directory from then on, so that root leaves nothing behind that
 * the daemon cannot write. Answers an exit code, what is wrong printed; offline_close() in any
 * case. */
int offline_open(struct offline *in, const struct command_context *context);
void offline_close(struct offline *in);

/* Acts as the owner of `state_dir`, where root runs the command and another owns it. */
bool offline_become_owner(const char *state_dir, struct error *err);

/* A file that the daemon reads itself, made by root, becomes the daemon's: it could not read it. */
void offline_hand_over(const char *path, const char *state_dir);

/* Prints it on stderr; EXIT_FAILED, or EXIT_NOT_OURS for what is not ours. */
int offline_fail(const struct error *err);
