/* adopt.c - `leadsync adopt`: the state directory belongs to this machine now. The daemon does not
 * run then: it refuses to. */
#include <stdio.h>

#include "base/error.h"
#include "command.h"
#include "conf/conf.h"
#include "daemon/conf_report.h"
#include "daemon/exit_codes.h"
#include "offline.h"
#include "prompt.h"
#include "vault/vault.h"

int command_adopt(const struct command_context *context)
{
	CLEANUP(conf_free) struct conf *conf = NULL;
	CLEANUP_FREE char *question = NULL;
	struct error err;
	bool changed;

	if (context->argc)
		return command_usage("adopt takes no argument");
	conf = conf_report_read(context->conf, stderr);
	if (!conf)
		return EXIT_NOT_OURS;
	question = mem_format("Does %s belong to this machine now, and does no other machine use a "
			      "copy of it?",
			      conf->daemon.state_dir);
	if (!context->yes && !prompt_yes(question)) {
		fputs("leadsync: nothing was changed; --yes needs no answer\n", stderr);
		return EXIT_FAILED;
	}
	if (!offline_become_owner(conf->daemon.state_dir, &err) ||
	    !vault_adopt(conf->daemon.state_dir, &changed, &err))
		return offline_fail(&err);
	printf(changed ? "%s belongs to this machine now; start the daemon\n"
		       : "%s belonged to this machine already\n",
	       conf->daemon.state_dir);
	return EXIT_DONE;
}
