/* test_keeper_scene.h - a keeper with a real vault, a scripted token endpoint and clocks that the
 * test moves: days in a second. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "auth/grant.h"
#include "auth/keeper.h"
#include "base/error.h"
#include "loop/loop.h"
#include "secret/keyring.h"
#include "secret/secret.h"
#include "vault/vault.h"

#define MINUTE_MS ((int64_t)60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define ORG_A     "00D000000000001EAA"
#define ORG_B     "00D000000000002EAA"
#define ACME      "https://acme.my.salesforce.com"

/* The endpoint: takes a request as it comes, and answers on the next turn as `say` has it. */
struct script {
	enum {
		GIVE,
		GIVE_ROTATED, /* with a new refresh token */
		FAIL,         /* with `err` */
		HANG,         /* is never heard of again */
		LOSE,         /* worked, and the answer is lost */
		LOSE_SAID,    /* with `err`, and what became of the refresh token is not known */
		FAIL_ROTATED, /* with `err`, but it brought a new refresh token */
	} say;
	const char *org_id;
	const char *instance_url;
	int64_t life_ms; /* 0: not said */
	struct error err;
	unsigned requests;
	bool asked_with_token;
	char had_refresh[32];
	struct grant_request *pending;
	void (*before)(void); /* called as a request arrives */

	/* A grant by_login: `current` is the refresh token that is good. Another one ends it. */
	unsigned current;
	bool rotates, ended;
	unsigned sent[1024]; /* how often each refresh token came */

	enum { LOOK_ACTIVE, LOOK_INACTIVE, LOOK_FAIL, LOOK_HANG } look;
	int64_t look_expires_ms;
	unsigned looks;
	struct grant_request *looking;
};
extern struct script script;

extern struct scene {
	struct loop *loop;
	char dir[64];
	struct keyring *ring;
	struct vault *vault;
	struct keeper *keeper;
	int64_t lifetime_s;
	int64_t wall_ms; /* how far the wall clock was set forward */
	/* What leases said. */
	unsigned leases, errors;
	uint64_t generation;
	char token[64], org_id[32], instance_url[64], code[56], text[512], names[4096];
	enum error_kind kind;
	unsigned states, moves, reminders; /* news */
	bool free_in_lease;
} at;

/* What each keeper is made with; a test changes it before open_keeper(). */
extern struct grant grant;
struct grant grant_of(struct script *script);
struct grant_request *grant_introspect(void *self, struct secret *access_token,
				       grant_looked_fn *done, void *arg);

int set_up(void **state);
int tear_down(void **state);
int set_up_login(void **state); /* by_login, and logged in: refresh-1 */
void open_keeper(void);
struct keeper *new_keeper(const char *account, const struct grant *grant);
void open_all(void);
void close_all(void);

/* A login that came to an end: its refresh token is the next one. */
struct vault_token a_login(void);
void log_in(void);

void leased(const struct keeper_lease *lease, const struct error *err, void *arg);
void settle(void);

/* Asks, and waits for an answer without time going by. */
void get(void);
void pass(int64_t ms);
void fail_with(enum error_kind kind, const char *code);
void want_for(int64_t ms); /* asks every minute, as jobs do, without waiting for answers */
void answer(void);         /* what hangs */
struct keeper_health health(void);
struct vault_account in_vault(void);

/* What the vault has of the account's token; vault_token_done() it. */
struct vault_token token_in_vault(void);

/* From here on nothing can be written; and then it can again. */
void fill_disk(void);
void empty_disk(void);

int scene_run(const char *group, const struct CMUnitTest *tests, size_t count);
#define row(name)       cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define login_row(name) cmocka_unit_test_setup_teardown(name, set_up_login, tear_down)
