/* conversation.h - what the files of the control socket share: one client, one request, its answer.
 *
 * A verb's function ends the conversation at once, or leaves something under way that will.
 * Whatever is under way is cancelled when the client goes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "loop/lines.h"

struct account;
struct conversation;
struct daemon;
struct error;
struct job;
struct json_object;
struct secret;
struct store_listing;

/* Asks for one listing of the job the conversation is at. */
typedef void listing_fn(struct conversation *in, struct job *job, const struct store_listing *what);

struct conversation {
	LIST_ENTRY(conversation) entry;
	struct daemon *daemon; /* borrowed */
	struct lines_client *client;
	struct lines_peer peer;
	struct secret *payload;     /* that came with the request, or NULL; owned */
	struct json_object *answer; /* being put together */
	struct json_object *items;  /* the answer's list; borrowed */
	size_t next;                /* job asked next */
	size_t limit;               /* runs and listings of the ledger: of each job */
	bool all;                   /* listings: also what is done with */
	bool more;                  /* likewise: there is more of it than was asked for */
	listing_fn *list;           /* likewise */
	unsigned tries;             /* login-confirm, disconnect: so far */
	struct account *account;    /* it is about, as the next; borrowed, NULL if about none */
	struct job *job;
	char *login; /* the id of the login it is about; owned */
	char *about; /* record or row and field that an order names, as text; owned */

	/* What is under way; NULL if nothing is. */
	void *under_way;
	void (*cancel)(void *under_way);
};

/* A verb's function. */
typedef void verb_fn(struct conversation *in, struct json_object *request);

verb_fn verb_status, verb_account, verb_runs;           /* control_status.c */
verb_fn verb_run, verb_pause, verb_resume, verb_fields; /* control_job.c */
verb_fn verb_errors, verb_conflicts, verb_backlog;      /* control_ledger.c */
verb_fn verb_retry, verb_ignore, verb_resolve, verb_detach;
verb_fn verb_login, verb_login_paste, verb_login_confirm; /* control_login.c */
verb_fn verb_login_cancel, verb_disconnect;
verb_fn verb_secret_set, verb_secret_list, verb_secret_delete,
	verb_key_rotate; /* control_vault.c */

/* `handle` is under way from now on, or (NULL) nothing is any more. */
void conversation_wait(struct conversation *in, void *handle, void (*cancel)(void *handle));

/* One line more comes after it. */
void conversation_send(struct conversation *in, struct json_object *line); /* borrowed */

/* The last line; the conversation is gone. They take `answer`. */
void conversation_end(struct conversation *in, struct json_object *answer); /* "done":true */
void conversation_fail(struct conversation *in, const struct error *err);

/* `answer` with the error in it. */
void conversation_fail_with(struct conversation *in, struct json_object *answer,
			    const struct error *err);

const char *request_text(struct json_object *request, const char *name); /* NULL if absent */
bool request_flag(struct json_object *request, const char *name);        /* false if absent */
size_t request_limit(struct json_object *request, size_t otherwise);     /* 1 to 1000 */

/* The conversation is about the job or account that the request names. ERROR_HUMAN code no-such-job
 * or no-such-account. */
bool conversation_about_job(struct conversation *in, struct json_object *request,
			    struct error *err);
bool conversation_about_account(struct conversation *in, struct json_object *request,
				struct error *err);
