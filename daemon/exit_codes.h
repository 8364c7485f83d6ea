/* exit_codes.h - what leadsyncd and leadsync end with: leadsyncd(8), leadsync(1). */
#pragma once

enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* the command, or the system under the daemon, failed: it was said why */
	EXIT_USAGE = 2,  /* the command line is wrong */
	EXIT_UNREACHABLE = 3,      /* leadsync: no daemon answers on the control socket */
	EXIT_ALREADY_RUNNING = 75, /* leadsyncd: another one holds this state directory or socket */
	EXIT_NOT_OURS = 78,        /* conf, key, ledger or org is wrong or not ours: mend first */
};
