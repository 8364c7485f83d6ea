/* leadsyncd.c - the daemon's main(): options, conf, loop, stop. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "conf/conf.h"
#include "daemon.h"
#include "daemon/conf_report.h"
#include "daemon/exit_codes.h"
#include "loop/loop.h"
#include "process.h"
#include "service.h"

struct options {
	const char *conf;
	enum { DO_RUN, DO_CHECK, DO_VERSION, DO_HELP, DO_REFUSE } action;
};

static const char help[] =
	"Usage: leadsyncd [--conf FILE] [--check | --foreground]\n"
	"Keeps people in a SQL database equal to Leads and Contacts in Salesforce.\n"
	"\n"
	"  -c, --conf FILE   the conf file (default " LEADSYNC_CONF ")\n"
	"      --check       read the conf, print every mistake, and end: 0 good, 78 not\n"
	"      --foreground  accepted; it always runs in the foreground\n"
	"      --version     print the version\n"
	"  -h, --help        print this\n"
	"\n"
	"Exit codes: 0 stopped; 1 the system failed it; 2 wrong command line; 75 another one is\n"
	"running; 78 conf, key, ledger or org needs mending.\n"
	"See leadsyncd(8), leadsyncd.conf(5), leadsync(1).\n";

static struct options read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "conf", required_argument, NULL, 'c' }, { "check", no_argument, NULL, 'k' },
		{ "foreground", no_argument, NULL, 'f' }, { "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },       { 0 },
	};
	struct options out = { .conf = LEADSYNC_CONF, .action = DO_RUN };
	int option;

	while ((option = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
		switch (option) {
		case 'c': out.conf = optarg; break;
		case 'k': out.action = DO_CHECK; break;
		case 'f': break;
		case 'v': out.action = DO_VERSION; break;
		case 'h': out.action = DO_HELP; break;
		default: out.action = DO_REFUSE; return out;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "leadsyncd: unexpected '%s'; see leadsyncd --help\n", argv[optind]);
		out.action = DO_REFUSE;
	}
	return out;
}

static void stop(void *arg)
{
	struct daemon **daemon = arg;

	log_notice("stopping");
	/* Stopping takes a page's commit, or a token's answer; who cannot wait may signal again. */
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	service_stopping();
	if (*daemon)
		daemon_stop(*daemon);
}

static int refuse(const struct error *err)
{
	bool running = strcmp(err->code, "already-running") == 0;

	log_error("not_started", LOG_STR("code", err->code), LOG_STR("text", err->text));
	if (running)
		return EXIT_ALREADY_RUNNING;
	return err->kind == ERROR_STATE || err->kind == ERROR_HUMAN ? EXIT_NOT_OURS : EXIT_FAILED;
}

static int run(const struct conf *conf)
{
	CLEANUP(loop_free) struct loop *loop = loop_new();
	CLEANUP(daemon_free) struct daemon *daemon = NULL;
	struct loop_signal *on_term = loop_signal(loop, SIGTERM, stop, &daemon);
	struct loop_signal *on_int = loop_signal(loop, SIGINT, stop, &daemon);
	struct error err;
	int code;

	daemon = daemon_new(loop, conf, &err);

	if (!daemon) {
		code = refuse(&err);
	} else {
		struct service *service = service_new(loop);

		log_notice("started", LOG_STR("version", LEADSYNC_VERSION),
			   LOG_INT("accounts", (int64_t)conf->account_count),
			   LOG_INT("jobs", (int64_t)conf->job_count));
		if (conf->daemon.loopback_test)
			log_warning("loopback_test",
				    LOG_STR("text",
					    "plain http to loopback is admitted: a test set-up"));
		service_ready("Running");
		loop_run(loop);
		code = daemon_exit_code(daemon);
		service_free(service);
	}
	loop_signal_cancel(on_term);
	loop_signal_cancel(on_int);
	daemon_free(TAKE(daemon));
	if (code == 0)
		log_notice("stopped");
	return code;
}

int main(int argc, char **argv)
{
	struct options options;
	CLEANUP(conf_free) struct conf *conf = NULL;

	process_harden(argv);
	options = read_options(argc, argv);
	switch (options.action) {
	case DO_REFUSE: return EXIT_USAGE;
	case DO_HELP: fputs(help, stdout); return EXIT_DONE;
	case DO_VERSION: puts("leadsyncd " LEADSYNC_VERSION); return EXIT_DONE;
	case DO_CHECK:
	case DO_RUN: break;
	}
	conf = conf_report_read(options.conf, stderr);
	if (!conf)
		return EXIT_NOT_OURS;
	if (options.action == DO_CHECK) {
		conf_report_summary(conf, stdout);
		return EXIT_DONE;
	}
	log_open("leadsyncd", conf->daemon.log_level);
	return run(conf);
}
