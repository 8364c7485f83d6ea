#include <stdio.h>

#include "command.h"
#include "conf/conf.h"
#include "daemon/conf_report.h"
#include "daemon/exit_codes.h"

int command_check(const struct command_context *context)
{
	CLEANUP(conf_free) struct conf *conf = NULL;

	if (context->argc)
		return command_usage("check takes no argument");
	conf = conf_report_read(context->conf, stderr);
	if (!conf)
		return EXIT_NOT_OURS;
	conf_report_summary(conf, stdout);
	return EXIT_DONE;
}
