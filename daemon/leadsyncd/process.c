#include "process.h"

#include <fnmatch.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Freed memory is overwritten and not kept in per-thread caches, so that no token survives in it.
 */
#define WIPE_FREED "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0"

extern char **environ;

/* Patterns of fnmatch(3). */
static const char *const kept_variables[] = {
	"NOTIFY_SOCKET=*", "WATCHDOG_*=*",   "LISTEN_*=*",      "*_DIRECTORY=*", "JOURNAL_STREAM=*",
	"INVOCATION_ID=*", "LANG=*",         "LC_*=*",          "TZ=*",          "GLIBC_TUNABLES=*",
#ifdef __SANITIZE_ADDRESS__
	"ASAN_OPTIONS=*",  "LSAN_OPTIONS=*", "UBSAN_OPTIONS=*",
#endif
};

static bool is_kept(const char *variable)
{
	for (size_t i = 0; i < sizeof(kept_variables) / sizeof(kept_variables[0]); i++)
		if (fnmatch(kept_variables[i], variable, 0) == 0)
			return true;
	return false;
}

static void cut_environment(void)
{
	char **to = environ;

	for (char **from = environ; *from; from++)
		if (is_kept(*from))
			*to++ = *from;
	*to = NULL;
}

void process_harden(char **argv)
{
	const char *tunables;

	cut_environment();
	tunables = getenv("GLIBC_TUNABLES");
	if (!tunables || !strstr(tunables, "perturb")) {
		setenv("GLIBC_TUNABLES", WIPE_FREED, 1);
		/* Goes on without if /proc is not there: a weaker daemon beats none. */
		execv("/proc/self/exe", argv);
	}
	umask(0077);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* Executed through /proc it would be called "exe" by ps and pgrep. */
	prctl(PR_SET_NAME, "leadsyncd", 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
}
