/* conf.h - the conf file as typed structs.
 *
 * One table (conf/keys.c) declares every key: section, name, kind, default, bounds, help. The
 * reader, the defaults, `leadsync check` and the test that holds conf/leadsyncd.conf to the table
 * all walk it. Reading goes on after a mistake: all of them are reported, each with file, line and
 * what was expected. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/mem.h"

enum conf_provider { CONF_SALESFORCE };
enum conf_driver { CONF_SQLITE };
enum conf_flow { CONF_FLOW_WEB, CONF_FLOW_JWT, CONF_FLOW_CLIENT_CREDENTIALS };
enum conf_direction { CONF_DOWN, CONF_UP, CONF_BOTH };
enum conf_conflict {
	CONF_CONFLICT_SALESFORCE,
	CONF_CONFLICT_LOCAL,
	CONF_CONFLICT_NEWEST,
	CONF_CONFLICT_NONBLANK,
	CONF_CONFLICT_MANUAL
};
enum conf_blank { CONF_BLANK_CLEAR, CONF_BLANK_KEEP, CONF_BLANK_FILL };
enum conf_create { CONF_CREATE_NONE, CONF_CREATE_LOCAL, CONF_CREATE_SALESFORCE, CONF_CREATE_BOTH };
enum conf_on_remote_delete { CONF_DELETE_KEEP, CONF_DELETE_MARK, CONF_DELETE_ROW };
enum conf_on_local_delete { CONF_LOCAL_DELETE_KEEP, CONF_LOCAL_DELETE_RECORD };

struct conf_daemon {
	char *state_dir; /* /var/lib/leadsyncd */
	char *control;   /* /run/leadsync.sock */
	char *seal_key;  /* credential:leadsyncd.key; or file:PATH */
	enum log_level log_level;
	bool loopback_test;
	char *hook; /* the program told of state transitions; NULL: none */
};

struct conf_account {
	char *name;
	int line; /* of its section's header, as everywhere here */
	const char *file;
	enum conf_provider provider;
	char *login_url; /* "https://host" or "https://host:port", without a slash at its end */
	enum conf_flow flow;
	char *client_id;
	char *client_secret;   /* "vault" (by the account's name), "vault:NAME",
				  "credential:NAME" or "file:PATH"; NULL for jwt, and for a web
				  app without one (public client) */
	char *redirect_uri;    /* web, else NULL; no other account has it */
	char *username;        /* jwt, else NULL */
	char *audience;        /* jwt, where it is not the login_url; NULL if not set */
	char *private_key;     /* jwt, as client_secret; else NULL */
	char *api_version;     /* "66.0" */
	char *proxy, *ca_file; /* NULL if not set */
	char **allow_hosts;    /* "host" or "host:port" */
	size_t allow_host_count;
	int64_t session_lifetime_s;
	unsigned parallel;
};

struct conf_store {
	char *name;
	int line;
	const char *file;
	enum conf_driver driver;
	char *path; /* SQLite */
};

struct conf_field {
	char *field;  /* "Email", "Owner.Email", "*" */
	char *column; /* NULL for "*" */
	enum conf_direction direction;
	enum conf_conflict conflict; /* of what goes both ways */
	enum conf_blank blank;
	int line;
	const char *file;
};

struct conf_job {
	char *name;
	int line;
	const char *file;
	char *account_name;
	char *store_name;
	const struct conf_account *account;
	const struct conf_store *store;
	char *object;
	char *table;
	char *key;
	char **match; /* fields by which an unlinked pair is recognised; NULL: none */
	size_t match_count;
	char *external_id; /* NULL if not set */
	enum conf_create create;
	bool allow_unsafe_create;
	enum conf_conflict conflict; /* of the fields that say nothing else */
	int64_t every_s;
	char *where; /* NULL if not set */
	int64_t overlap_s;
	int64_t guard_s;
	int64_t history_s;
	enum conf_on_remote_delete on_remote_delete;
	enum conf_on_local_delete on_local_delete;
	struct conf_field *fields;
	size_t field_count;
};

struct conf {
	struct conf_daemon daemon;
	struct conf_account *accounts;
	size_t account_count;
	struct conf_store *stores;
	size_t store_count;
	struct conf_job *jobs;
	size_t job_count;
	char **files; /* read, in order */
	size_t file_count;
};

/* One mistake: a line of its own for the operator, "FILE:LINE: what is wrong; what was expected".
 */
struct conf_mistake {
	char *file;
	int line; /* 0: the file as a whole */
	char *text;
};

struct conf_mistakes {
	struct conf_mistake *items;
	size_t count;
};
void conf_mistakes_done(struct conf_mistakes *in);

/* Reads `path` and the .conf files of conf.d beside it. NULL if there is any mistake, all of them
 * then in `ret_mistakes`, by file and line. */
struct conf *conf_read(const char *path, struct conf_mistakes *ret_mistakes);
void conf_free(struct conf *in);
CLEANUP_DEFINE(struct conf, conf_free)

/* Every key with its default, bounds and help, as a commented sample, line by line. */
void conf_print_keys(void (*line)(const char *text, void *arg), void *arg);
