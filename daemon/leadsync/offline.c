#include "offline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "command.h"
#include "conf/conf.h"
#include "daemon/conf_report.h"
#include "daemon/exit_codes.h"
#include "secret/keyring.h"
#include "secret/secret.h"
#include "vault/vault.h"

int offline_fail(const struct error *err)
{
	fprintf(stderr, "leadsync: %s (%s)\n", err->text, err->code);
	return err->kind == ERROR_STATE ? EXIT_NOT_OURS : EXIT_FAILED;
}

bool offline_become_owner(const char *state_dir, struct error *err)
{
	struct stat st;

	if (geteuid() != 0 || stat(state_dir, &st) != 0 || st.st_uid == 0)
		return true;
	if (setegid(st.st_gid) == 0 && seteuid(st.st_uid) == 0)
		return true;
	return error_set(err, ERROR_HUMAN, "owner", "cannot act as the owner of %s", state_dir);
}

void offline_hand_over(const char *path, const char *state_dir)
{
	struct stat st;

	if (geteuid() == 0 && stat(state_dir, &st) == 0 && st.st_uid != 0 &&
	    lchown(path, st.st_uid, st.st_gid) != 0)
		fprintf(stderr, "leadsync: %s: cannot be handed over to user %u: %s\n", path,
			st.st_uid, strerror(errno));
}

int offline_open(struct offline *in, const struct command_context *context)
{
	struct error err;
	bool locked;

	*in = (struct offline){ .conf = conf_report_read(context->conf, stderr) };
	if (!in->conf)
		return EXIT_NOT_OURS;
	/* The key may be root's alone: it is read first. */
	if (!secret_start(&locked, &err) ||
	    !(in->keyring =
		      keyring_load(in->conf->daemon.seal_key, in->conf->daemon.state_dir, &err)) ||
	    !offline_become_owner(in->conf->daemon.state_dir, &err) ||
	    !(in->vault = vault_open(in->conf->daemon.state_dir, in->keyring, &err)))
		return offline_fail(&err);
	return EXIT_DONE;
}

void offline_close(struct offline *in)
{
	vault_close(in->vault);
	keyring_free(in->keyring);
	conf_free(in->conf);
}
