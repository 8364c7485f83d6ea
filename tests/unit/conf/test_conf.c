/* What good confs are read as, and where from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "scratch.h"

#define ACCOUNT                                                                                    \
	"[account a]\nprovider = salesforce\nlogin_url = https://acme.my.salesforce.com/\n"        \
	"flow = client_credentials\nclient_id = 3MVG9.x\nclient_secret = vault\n"
#define STORE "[store s]\ndriver = sqlite\npath = /srv/x.db\n"
#define JOB   "[job j]\naccount = a\nobject = Contact\nstore = s\n"
#define GOOD  ACCOUNT STORE JOB "[fields j]\nEmail = ->\n"

static int make_folder(void **state)
{
	*state = scratch_new();
	return 0;
}

static int remove_folder(void **state)
{
	scratch_remove(*state);
	return 0;
}

/* Reads a.conf, in which nothing is wrong. */
static struct conf *read_good(const char *folder)
{
	struct conf_mistakes mistakes;
	struct conf *conf = scratch_read(folder, "a.conf", &mistakes);

	if (!conf)
		fail_msg("%s:%d: %s", mistakes.items->file, mistakes.items->line,
			 mistakes.items->text);
	conf_mistakes_done(&mistakes);
	return conf;
}

/* Reads a.conf, of which exactly `want` must be told. */
static void check_told(const char *folder, const char *want)
{
	struct conf_mistakes mistakes;
	struct conf *conf = scratch_read(folder, "a.conf", &mistakes);
	CLEANUP_FREE char *got = NULL;

	assert_null(conf);
	assert_int_equal(mistakes.count, 1);
	got = scratch_mistake(folder, mistakes.items);
	if (strncmp(got, want, strlen(want)) != 0)
		fail_msg("got %s, want %s", got, want);
	conf_mistakes_done(&mistakes);
}

/* NULL: not set. */
static void check_text(const char *what, const char *key, const char *got, const char *want)
{
	if (got && want && strcmp(got, want) == 0)
		return;
	if (got || want)
		fail_msg("%s, %s: got %s, want %s", what, key, got ? got : "nothing",
			 want ? want : "nothing");
}

static void defaults(void **state)
{
	const struct conf_account *account;
	const struct conf_job *job;
	CLEANUP(conf_free) struct conf *conf = NULL;

	scratch_text(*state, "a.conf", GOOD);
	conf = read_good(*state);
	assert_string_equal(conf->daemon.state_dir, "/var/lib/leadsyncd");
	assert_string_equal(conf->daemon.control, "/run/leadsync.sock");
	assert_string_equal(conf->daemon.seal_key, "credential:leadsyncd.key");
	assert_int_equal(conf->daemon.log_level, LOG_LEVEL_INFO);
	assert_false(conf->daemon.loopback_test);
	assert_null(conf->daemon.hook);

	assert_int_equal(conf->account_count, 1);
	account = &conf->accounts[0];
	assert_string_equal(account->name, "a");
	assert_int_equal(account->line, 1);
	assert_string_equal(account->file, conf->files[0]);
	assert_int_equal(account->provider, CONF_SALESFORCE);
	assert_int_equal(account->flow, CONF_FLOW_CLIENT_CREDENTIALS);
	assert_string_equal(account->login_url, "https://acme.my.salesforce.com");
	assert_string_equal(account->client_id, "3MVG9.x");
	assert_string_equal(account->client_secret, "vault");
	assert_null(account->redirect_uri);
	assert_null(account->username);
	assert_null(account->audience);
	assert_null(account->private_key);
	assert_string_equal(account->api_version, "66.0");
	assert_null(account->proxy);
	assert_null(account->ca_file);
	assert_int_equal(account->allow_host_count, 0);
	assert_int_equal(account->session_lifetime_s, 7200);
	assert_int_equal(account->parallel, 4);

	assert_int_equal(conf->store_count, 1);
	assert_int_equal(conf->stores[0].driver, CONF_SQLITE);
	assert_string_equal(conf->stores[0].path, "/srv/x.db");

	assert_int_equal(conf->job_count, 1);
	job = &conf->jobs[0];
	assert_string_equal(job->name, "j");
	assert_int_equal(job->line, 10);
	assert_ptr_equal(job->account, account);
	assert_ptr_equal(job->store, &conf->stores[0]);
	assert_string_equal(job->object, "Contact");
	assert_string_equal(job->table, "contact");
	assert_string_equal(job->key, "id");
	assert_int_equal(job->every_s, 300);
	assert_null(job->where);
	assert_int_equal(job->overlap_s, 600);
	assert_int_equal(job->on_remote_delete, CONF_DELETE_KEEP);
	assert_int_equal(job->on_local_delete, CONF_LOCAL_DELETE_KEEP);
	assert_null(job->match);
	assert_int_equal(job->match_count, 0);
	assert_null(job->external_id);
	assert_int_equal(job->create, CONF_CREATE_LOCAL);
	assert_false(job->allow_unsafe_create);
	assert_int_equal(job->conflict, CONF_CONFLICT_SALESFORCE);
	assert_int_equal(job->guard_s, 10);
	assert_int_equal(job->history_s, 30 * 86400);
	assert_int_equal(job->field_count, 1);
	assert_string_equal(job->fields[0].field, "Email");
	assert_string_equal(job->fields[0].column, "email");
	assert_int_equal(job->fields[0].direction, CONF_DOWN);
	assert_int_equal(job->fields[0].conflict, CONF_CONFLICT_SALESFORCE);
	assert_int_equal(job->fields[0].blank, CONF_BLANK_CLEAR);
	assert_int_equal(job->fields[0].line, 15);
}

static void every_key(void **state)
{
	const struct conf_account *account;
	const struct conf_job *job;
	CLEANUP(conf_free) struct conf *conf = NULL;

	scratch_text(*state, "a.conf",
		     "; the [daemon] may stand last\n"
		     "[account prod-1]\n"
		     "  provider=salesforce  \n"
		     "\tlogin_url = HTTP://127.0.0.1:8080\n"
		     "flow = client_credentials\n"
		     "client_id = a=b;c#d\n"
		     "client_secret = file:/etc/leadsyncd/secret file\n"
		     "api_version = 31.0\n"
		     "proxy = http://[::1]:3128/\n"
		     "ca_file = /etc/ca.pem\n"
		     "allow_host = a.example b.example:8443\n"
		     "allow_host = 10.0.0.5\n"
		     "session_lifetime = 900s\n"
		     "parallel = 25\n" STORE "[job  big_one ]\n"
		     "account = prod-1\n"
		     "object = ns__Thing__c\n"
		     "store = s\n"
		     "table = Things\n"
		     "key = sf_id\n"
		     "every = 7d\n"
		     "where = (Group.Name = 'it\\'s (limit 5)' AND Order__c > 1) OR \\\n"
		     "    # not now\n"
		     "    A__c IN (SELECT B__c FROM C__c LIMIT 5)\n"
		     "overlap = 0s\n"
		     "on_remote_delete = mark\n"
		     "match = Email, Phone LastName,Birthdate\n"
		     "external_id = ns__Key__c\n"
		     "create = both\n"
		     "allow_unsafe_create = yes\n"
		     "conflict = newest\n"
		     "guard = 0s\n"
		     "history = 1h\n"
		     "on_local_delete = delete\n"
		     "[fields big_one]\n"
		     "Id = -> sf_id\n"
		     "Owner.Email=->owner\n"
		     "* = <->\n"
		     "[daemon]\n"
		     "state_dir = /tmp/state\n"
		     "control = /tmp/sock\n"
		     "seal_key = file:/etc/leadsyncd/key\n"
		     "log_level = debug\n"
		     "hook = /usr/local/sbin/hook\n"
		     "loopback_test = yes");
	conf = read_good(*state);
	assert_string_equal(conf->daemon.state_dir, "/tmp/state");
	assert_string_equal(conf->daemon.control, "/tmp/sock");
	assert_string_equal(conf->daemon.seal_key, "file:/etc/leadsyncd/key");
	assert_int_equal(conf->daemon.log_level, LOG_LEVEL_DEBUG);
	assert_true(conf->daemon.loopback_test);
	assert_string_equal(conf->daemon.hook, "/usr/local/sbin/hook");

	account = &conf->accounts[0];
	assert_string_equal(account->name, "prod-1");
	assert_string_equal(account->login_url, "http://127.0.0.1:8080");
	assert_string_equal(account->client_id, "a=b;c#d");
	assert_string_equal(account->client_secret, "file:/etc/leadsyncd/secret file");
	assert_string_equal(account->api_version, "31.0");
	assert_string_equal(account->proxy, "http://[::1]:3128");
	assert_string_equal(account->ca_file, "/etc/ca.pem");
	assert_int_equal(account->allow_host_count, 3);
	assert_string_equal(account->allow_hosts[0], "a.example");
	assert_string_equal(account->allow_hosts[1], "b.example:8443");
	assert_string_equal(account->allow_hosts[2], "10.0.0.5");
	assert_int_equal(account->session_lifetime_s, 900);
	assert_int_equal(account->parallel, 25);

	job = &conf->jobs[0];
	assert_string_equal(job->name, "big_one");
	assert_string_equal(job->table, "Things");
	assert_string_equal(job->key, "sf_id");
	assert_int_equal(job->every_s, 7 * 86400);
	assert_string_equal(job->where,
			    "(Group.Name = 'it\\'s (limit 5)' AND Order__c > 1) OR A__c IN "
			    "(SELECT B__c FROM C__c LIMIT 5)");
	assert_int_equal(job->overlap_s, 0);
	assert_int_equal(job->on_remote_delete, CONF_DELETE_MARK);
	assert_int_equal(job->match_count, 4);
	assert_string_equal(job->match[0], "Email");
	assert_string_equal(job->match[1], "Phone");
	assert_string_equal(job->match[2], "LastName");
	assert_string_equal(job->match[3], "Birthdate");
	assert_string_equal(job->external_id, "ns__Key__c");
	assert_int_equal(job->create, CONF_CREATE_BOTH);
	assert_true(job->allow_unsafe_create);
	assert_int_equal(job->conflict, CONF_CONFLICT_NEWEST);
	assert_int_equal(job->guard_s, 0);
	assert_int_equal(job->history_s, 3600);
	assert_int_equal(job->on_local_delete, CONF_LOCAL_DELETE_RECORD);
	assert_int_equal(job->field_count, 3);
	assert_string_equal(job->fields[0].column, "sf_id");
	assert_string_equal(job->fields[1].field, "Owner.Email");
	assert_string_equal(job->fields[1].column, "owner");
	assert_string_equal(job->fields[2].field, "*");
	assert_null(job->fields[2].column);
	assert_int_equal(job->fields[2].direction, CONF_BOTH);
	assert_int_equal(job->fields[2].conflict, CONF_CONFLICT_NEWEST);
}

/* A field's line in a job whose conflict is manual; the [fields] stands first. */
static void each_line_of_a_field(void **state)
{
	static const struct {
		const char *line, *column;
		enum conf_direction direction;
		enum conf_conflict conflict;
		enum conf_blank blank;
	} rows[] = {
		{ "Email = -> mail", "mail", CONF_DOWN, CONF_CONFLICT_MANUAL, CONF_BLANK_CLEAR },
		{ "Email = <- mail", "mail", CONF_UP, CONF_CONFLICT_MANUAL, CONF_BLANK_CLEAR },
		{ "Email = <-> mail", "mail", CONF_BOTH, CONF_CONFLICT_MANUAL, CONF_BLANK_CLEAR },
		{ "Email=<->mail", "mail", CONF_BOTH, CONF_CONFLICT_MANUAL, CONF_BLANK_CLEAR },
		{ "LastName = <-", "last_name", CONF_UP, CONF_CONFLICT_MANUAL, CONF_BLANK_CLEAR },
		{ "LastName = <->", "last_name", CONF_BOTH, CONF_CONFLICT_MANUAL,
		  CONF_BLANK_CLEAR },
		{ "Email = <-> mail, conflict=salesforce", "mail", CONF_BOTH,
		  CONF_CONFLICT_SALESFORCE, CONF_BLANK_CLEAR },
		{ "Email = <-> mail,conflict = local", "mail", CONF_BOTH, CONF_CONFLICT_LOCAL,
		  CONF_BLANK_CLEAR },
		{ "Email = <-> mail , conflict=\tnewest , blank =keep ", "mail", CONF_BOTH,
		  CONF_CONFLICT_NEWEST, CONF_BLANK_KEEP },
		{ "Email = <-> mail, \\\n  blank=fill, \\\n  conflict=nonblank", "mail", CONF_BOTH,
		  CONF_CONFLICT_NONBLANK, CONF_BLANK_FILL },
		{ "LastName = <->, conflict=manual", "last_name", CONF_BOTH, CONF_CONFLICT_MANUAL,
		  CONF_BLANK_CLEAR },
		{ "LastName = ->,blank=keep", "last_name", CONF_DOWN, CONF_CONFLICT_MANUAL,
		  CONF_BLANK_KEEP },
		{ "Score__c = <- score, blank=fill", "score", CONF_UP, CONF_CONFLICT_MANUAL,
		  CONF_BLANK_FILL },
		{ "Score__c = <-, blank=clear", "score", CONF_UP, CONF_CONFLICT_MANUAL,
		  CONF_BLANK_CLEAR },
		{ "Owner.Email = -> , blank=fill", "owner_email", CONF_DOWN, CONF_CONFLICT_MANUAL,
		  CONF_BLANK_FILL },
		{ "* = ->, blank=keep", NULL, CONF_DOWN, CONF_CONFLICT_MANUAL, CONF_BLANK_KEEP },
		{ "* = <-", NULL, CONF_UP, CONF_CONFLICT_MANUAL, CONF_BLANK_CLEAR },
		{ "* = <->", NULL, CONF_BOTH, CONF_CONFLICT_MANUAL, CONF_BLANK_CLEAR },
		{ "* = <->, conflict=newest, blank=keep", NULL, CONF_BOTH, CONF_CONFLICT_NEWEST,
		  CONF_BLANK_KEEP },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(conf_free) struct conf *conf = NULL;
		CLEANUP_FREE char *text = mem_format("[fields j]\n%s\n" ACCOUNT STORE JOB
						     "conflict = manual\ncreate = none\n",
						     rows[i].line);
		const struct conf_field *got;

		scratch_text(*state, "a.conf", text);
		conf = read_good(*state);
		got = &conf->jobs[0].fields[0];
		check_text(rows[i].line, "column", got->column, rows[i].column);
		if (got->direction != rows[i].direction || got->conflict != rows[i].conflict ||
		    got->blank != rows[i].blank)
			fail_msg("%s: direction %d, conflict %d, blank %d", rows[i].line,
				 got->direction, got->conflict, got->blank);
	}
}

/* What a job and its [fields] may say of how pairs come to be. */
static void each_way_to_make_pairs(void **state)
{
	static const struct {
		const char *job, *fields;
		enum conf_create create;
	} rows[] = {
		{ "", "Email = ->", CONF_CREATE_LOCAL },
		{ "create = none", "Email = <-", CONF_CREATE_NONE },
		{ "create = none\nmatch = email", "Email = ->", CONF_CREATE_NONE },
		{ "create = local", "Email = <->", CONF_CREATE_LOCAL },
		{ "create = local", "Email = <-\n* = ->", CONF_CREATE_LOCAL },
		{ "match = Email Phone", "Id = ->\n* = ->", CONF_CREATE_LOCAL },
		{ "match = Email", "Email = <-\nId = ->", CONF_CREATE_LOCAL },
		{ "external_id = Key__c", "Id = ->", CONF_CREATE_LOCAL },
		{ "create = salesforce\nexternal_id = Key__c", "Email = <-",
		  CONF_CREATE_SALESFORCE },
		{ "external_id = Key__c\ncreate = both", "* = <->", CONF_CREATE_BOTH },
		{ "external_id = Key__c\ncreate = both", "Email = <-\nId = ->", CONF_CREATE_BOTH },
		{ "allow_unsafe_create = yes\ncreate = both", "Email = <->", CONF_CREATE_BOTH },
		{ "create = salesforce\nallow_unsafe_create = yes", "* = <-",
		  CONF_CREATE_SALESFORCE },
		{ "on_remote_delete = mark", "* = <->", CONF_CREATE_LOCAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(conf_free) struct conf *conf = NULL;
		CLEANUP_FREE char *text = mem_format(ACCOUNT STORE JOB "%s\n[fields j]\n%s\n",
						     rows[i].job, rows[i].fields);

		scratch_text(*state, "a.conf", text);
		conf = read_good(*state);
		if (conf->jobs[0].create != rows[i].create)
			fail_msg("%s: create %d", rows[i].job, conf->jobs[0].create);
	}
}

static void two_objects_in_a_table(void **state)
{
	CLEANUP(conf_free) struct conf *conf = NULL;

	scratch_text(*state, "a.conf",
		     GOOD "[job k]\naccount = a\nstore = s\nobject = Lead\ntable = Contact\n"
			  "[fields k]\n* = ->\n");
	conf = read_good(*state);
	assert_int_equal(conf->job_count, 2);
	assert_string_equal(conf->jobs[1].table, "Contact");
}

/* An account's `lines` behind those that every flow has. */
static struct conf *read_account(const char *folder, const char *lines)
{
	CLEANUP_FREE char *text = mem_format("[account a]\nprovider = salesforce\nclient_id = x\n"
					     "%s\n" STORE JOB "[fields j]\nId = ->\n",
					     lines);

	scratch_text(folder, "a.conf", text);
	return read_good(folder);
}

static void each_flow_has_its_keys(void **state)
{
	static const struct {
		const char *lines;
		enum conf_flow flow;
		const char *login_url, *client_secret, *redirect_uri, *username, *audience,
			*private_key;
	} rows[] = {
		{ "flow = web\nlogin_url = https://login.salesforce.com", CONF_FLOW_WEB,
		  "https://login.salesforce.com", NULL, "http://localhost:8717/callback", NULL,
		  NULL, NULL },
		{ "flow = web\nlogin_url = https://test.salesforce.com/\n"
		  "client_secret = vault:app\nredirect_uri = http://[::1]:1024/a/b",
		  CONF_FLOW_WEB, "https://test.salesforce.com", "vault:app",
		  "http://[::1]:1024/a/b", NULL, NULL, NULL },
		{ "redirect_uri = https://login.salesforce.com/services/oauth2/success\n"
		  "login_url = https://acme.my.salesforce.com\nflow = web",
		  CONF_FLOW_WEB, "https://acme.my.salesforce.com", NULL,
		  "https://login.salesforce.com/services/oauth2/success", NULL, NULL, NULL },
		{ "redirect_uri = http://127.0.0.1:65535/\n"
		  "login_url = https://acme.my.salesforce.com\nflow = web",
		  CONF_FLOW_WEB, "https://acme.my.salesforce.com", NULL, "http://127.0.0.1:65535/",
		  NULL, NULL, NULL },
		{ "flow = jwt\nlogin_url = https://login.salesforce.com\nprivate_key = vault\n"
		  "username = sync@acme.example",
		  CONF_FLOW_JWT, "https://login.salesforce.com", NULL, NULL, "sync@acme.example",
		  NULL, "vault" },
		{ "login_url = https://test.salesforce.com\nusername = a+b@acme.example.uat\n"
		  "private_key = file:/etc/leadsyncd/key.pem\nflow = jwt\n"
		  "audience = https://ACME.my.site.com/customers/",
		  CONF_FLOW_JWT, "https://test.salesforce.com", NULL, NULL, "a+b@acme.example.uat",
		  "https://acme.my.site.com/customers", "file:/etc/leadsyncd/key.pem" },
		{ "login_url = https://acme.my.salesforce.com\nclient_secret = credential:app\n"
		  "flow = client_credentials",
		  CONF_FLOW_CLIENT_CREDENTIALS, "https://acme.my.salesforce.com", "credential:app",
		  NULL, NULL, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(conf_free) struct conf *conf = read_account(*state, rows[i].lines);
		const struct conf_account *got = &conf->accounts[0];

		assert_int_equal(got->flow, rows[i].flow);
		check_text(rows[i].lines, "login_url", got->login_url, rows[i].login_url);
		check_text(rows[i].lines, "client_secret", got->client_secret,
			   rows[i].client_secret);
		check_text(rows[i].lines, "redirect_uri", got->redirect_uri, rows[i].redirect_uri);
		check_text(rows[i].lines, "username", got->username, rows[i].username);
		check_text(rows[i].lines, "audience", got->audience, rows[i].audience);
		check_text(rows[i].lines, "private_key", got->private_key, rows[i].private_key);
	}
}

static void redirects_of_their_own(void **state)
{
	static const char *const good[] = {
		"http://localhost:8717/callback/b",
		"http://localhost:8718/callback",
		"https://localhost:8717/callback",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CLEANUP_FREE char *lines = mem_format(
			"flow = web\nlogin_url = https://login.salesforce.com\n[account b]\n"
			"provider = salesforce\nclient_id = x\nflow = web\n"
			"login_url = https://login.salesforce.com\nredirect_uri = %s",
			good[i]);

		conf_free(read_account(*state, lines));
	}
}

static void hosts_that_may_be_spoken_to(void **state)
{
	static const struct {
		const char *login_url, *allow_host, *want;
	} rows[] = {
		{ "https://acme.my.salesforce.com:443", "x.example",
		  "https://acme.my.salesforce.com:443" },
		{ "https://ACME--uat.sandbox.my.salesforce.com", "x.example",
		  "https://acme--uat.sandbox.my.salesforce.com" },
		{ "https://acme.my.salesforce.mil", "Acme.my.salesforce.mil",
		  "https://acme.my.salesforce.mil" },
		{ "https://localhost:8443/", "localhost localhost:8443", "https://localhost:8443" },
		{ "https://[::1]:8443", "[::1]:8443", "https://[::1]:8443" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(conf_free) struct conf *conf = NULL;
		CLEANUP_FREE char *text = mem_format(
			"[account a]\nprovider = salesforce\nlogin_url = %s\n"
			"flow = client_credentials\nclient_id = x\nclient_secret = vault:a.b\n"
			"allow_host = %s\n" STORE JOB "[fields j]\nId = ->\n",
			rows[i].login_url, rows[i].allow_host);

		scratch_text(*state, "a.conf", text);
		conf = read_good(*state);
		assert_string_equal(conf->accounts[0].login_url, rows[i].want);
	}
}

static void several_files_in_name_order(void **state)
{
	CLEANUP(conf_free) struct conf *conf = NULL;

	scratch_text(*state, "a.conf", ACCOUNT);
	scratch_text(*state, "conf.d/20-job.conf", JOB "[fields j]\nEmail = ->\n");
	scratch_text(*state, "conf.d/10-store.conf", STORE);
	scratch_text(*state, "conf.d/9-job.conf",
		     "[job k]\naccount = a\nstore = s\nobject = Lead\n[fields k]\n* = ->\n");
	scratch_text(*state, "conf.d/.hidden.conf", "wrong");
	scratch_text(*state, "conf.d/20-job.conf.old", "wrong");
	conf = read_good(*state);
	assert_int_equal(conf->file_count, 4);
	assert_string_equal(strrchr(conf->files[0], '/'), "/a.conf");
	assert_string_equal(strrchr(conf->files[1], '/'), "/10-store.conf");
	assert_string_equal(strrchr(conf->files[2], '/'), "/20-job.conf");
	assert_string_equal(strrchr(conf->files[3], '/'), "/9-job.conf");
	assert_int_equal(conf->job_count, 2);
	assert_string_equal(conf->jobs[0].name, "j");
	assert_ptr_equal(conf->jobs[0].file, conf->files[2]);
	assert_string_equal(conf->jobs[1].name, "k");
}

static void mistakes_of_several_files_in_order(void **state)
{
	static const char *const want[] = {
		"a.conf:16: unknown section [zoo]",
		"conf.d/a.conf:1: stands before the first [section] of its file",
		"conf.d/a.conf:3: unknown key `x` in [daemon]",
		"conf.d/b.conf:1: [account a] stands twice; first at ",
		"conf.d/b.conf:2: flow: expected web, jwt or client_credentials, not `soap`",
	};
	struct conf_mistakes mistakes;

	scratch_text(*state, "a.conf", GOOD "[zoo]\n");
	scratch_text(*state, "conf.d/b.conf",
		     "[account a]\nflow = soap\nprovider = salesforce\nclient_id = x\n"
		     "client_secret = vault\nlogin_url = https://a.my.salesforce.com\n");
	scratch_text(*state, "conf.d/a.conf", "x = 1\n[daemon]\nx = 1\n");
	assert_null(scratch_read(*state, "a.conf", &mistakes));
	assert_int_equal(mistakes.count, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < mistakes.count; i++) {
		CLEANUP_FREE char *got = scratch_mistake(*state, &mistakes.items[i]);

		if (strncmp(got, want[i], strlen(want[i])) != 0)
			fail_msg("got %s, want %s", got, want[i]);
	}
	conf_mistakes_done(&mistakes);
}

static void what_an_unreadable_file_may_hold_is_not_missed(void **state)
{
	scratch_text(*state, "a.conf", ACCOUNT STORE JOB);
	scratch_text(*state, "conf.d/fields.conf", "[fields j]\nEmail = -> caf\xe9\n");
	check_told(*state, "conf.d/fields.conf:2: is not valid UTF-8");
}

static void bytes_that_are_no_text(void **state)
{
	static const char nul[] = GOOD "x\0y\n";
	static const char utf8[] = GOOD "# caf\xe9\n";
	CLEANUP_FREE char *crlf = mem_zeroed(2 * sizeof(GOOD), 1);
	CLEANUP_FREE char *large = mem_zeroed(1024 * 1024 + 1, 1);
	CLEANUP_FREE char *line = mem_format(GOOD "%020000d = ->\n", 1);
	CLEANUP_FREE char *key = mem_format(GOOD "%0201d = ->\n", 1);
	CLEANUP_FREE char *name = mem_format(GOOD "[daemon %065d]\n", 1);
	size_t len = 0;

	scratch_write(*state, "a.conf", nul, sizeof(nul) - 1);
	check_told(*state, "a.conf:16: holds a NUL byte; the file must be UTF-8 text");
	scratch_write(*state, "a.conf", utf8, sizeof(utf8) - 1);
	check_told(*state, "a.conf:16: is not valid UTF-8; save the file as UTF-8");
	scratch_text(*state, "a.conf", "\xef\xbb\xbf" GOOD);
	check_told(*state,
		   "a.conf:1: begins with a byte order mark; save the file as UTF-8 without");
	for (const char *from = GOOD; *from; from++) {
		if (*from == '\n')
			crlf[len++] = '\r';
		crlf[len++] = *from;
	}
	scratch_text(*state, "a.conf", crlf);
	check_told(*state, "a.conf:1: ends in CR LF; save the file with plain line ends");
	scratch_text(*state, "a.conf", line);
	check_told(*state, "a.conf:16: is longer than 16384 bytes");
	scratch_text(*state, "a.conf", key);
	check_told(*state, "a.conf:16: has a key longer than 200 bytes");
	scratch_text(*state, "a.conf", name);
	check_told(*state, "a.conf:16: a section's name is longer than 64 bytes");
	memset(large, '#', 1024 * 1024 + 1);
	scratch_write(*state, "a.conf", large, 1024 * 1024 + 1);
	check_told(*state, "a.conf:0: is larger than 1 MiB");
	memcpy(large, GOOD, strlen(GOOD));
	scratch_write(*state, "a.conf", large, 1024 * 1024);
	conf_free(read_good(*state));
}

static void files_that_others_could_have_written(void **state)
{
	CLEANUP_FREE char *path = mem_format("%s/a.conf", (char *)*state);
	CLEANUP_FREE char *link_path = mem_format("%s/b.conf", (char *)*state);
	CLEANUP_FREE char *folder = mem_format("%s/conf.d", (char *)*state);

	check_told(*state, "a.conf:0: cannot be read: No such file");
	scratch_text(*state, "a.conf", GOOD);
	assert_int_equal(chmod(path, 0664), 0);
	check_told(*state, "a.conf:0: can be written by its group or by everybody (mode 0664)");
	assert_int_equal(chmod(path, 0602), 0);
	check_told(*state, "a.conf:0: can be written by its group or by everybody (mode 0602)");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(chmod(folder, 0777), 0);
	check_told(*state, "conf.d:0: can be written by its group or by everybody (mode 0777)");
	assert_int_equal(chmod(folder, 0755), 0);
	conf_free(read_good(*state));
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 12345, 0), 0);
		check_told(*state, "a.conf:0: belongs to user 12345");
	}
	/* A link is as good as what it leads to. */
	assert_int_equal(rename(path, link_path), 0);
	assert_int_equal(chown(link_path, geteuid(), getegid()), 0);
	assert_int_equal(symlink("b.conf", path), 0);
	conf_free(read_good(*state));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	check_told(*state, "a.conf:0: is not a regular file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	check_told(*state, "a.conf:0: is not a regular file");
}

static void limits_of_what_can_be_many(void **state)
{
	CLEANUP_FREE char *text = mem_zeroed(512 * 1024, 1);
	size_t used = (size_t)sprintf(text, "%s", GOOD);

	for (int i = 1; i < 1000; i++)
		used += (size_t)sprintf(text + used, "F%d = ->\n", i);
	scratch_text(*state, "a.conf", text);
	conf_free(read_good(*state));
	sprintf(text + used, "F1000 = ->\n");
	scratch_text(*state, "a.conf", text);
	check_told(*state, "a.conf:1015: more than 1000 fields");

	used = (size_t)sprintf(text, "%s", GOOD);
	for (int i = 4; i < 1000; i++)
		used += (size_t)sprintf(text + used,
					"[store s%d]\ndriver = sqlite\npath = /srv/%d.db\n", i, i);
	scratch_text(*state, "a.conf", text);
	conf_free(read_good(*state));
	sprintf(text + used, "[store t]\n");
	scratch_text(*state, "a.conf", text);
	check_told(*state, "a.conf:3004: more than 1000 sections");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
		TEST(defaults),
		TEST(every_key),
		TEST(each_line_of_a_field),
		TEST(each_way_to_make_pairs),
		TEST(two_objects_in_a_table),
		TEST(each_flow_has_its_keys),
		TEST(redirects_of_their_own),
		TEST(hosts_that_may_be_spoken_to),
		TEST(several_files_in_name_order),
		TEST(mistakes_of_several_files_in_order),
		TEST(what_an_unreadable_file_may_hold_is_not_missed),
		TEST(bytes_that_are_no_text),
		TEST(files_that_others_could_have_written),
		TEST(limits_of_what_can_be_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
