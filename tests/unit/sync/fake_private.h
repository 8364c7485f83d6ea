/* fake_private.h - for the files of the fake remote alone. */
#pragma once
#include "fake_remote.h"

struct arena;
struct record_page;

/* One that is under way. A write's changes are copied into its arena. */
struct remote_call {
	struct fake *fake;
	struct loop_timer *soon;
	unsigned number;
	remote_schema_fn *schema_done;
	remote_page_fn *page_done;
	remote_written_fn *written_done;
	void *arg;
	struct mapping *mapping; /* a share */
	struct arena *arena;
	struct remote_query query; /* first pages */
	char *next;                /* in the arena */
	struct remote_batch batch;
};

size_t fake_field_index(const struct fake *in, const char *name);
struct fake_record *fake_add_record(struct fake *in, unsigned number);
void fake_put(struct fake *in, struct fake_record *record, size_t field, const char *value);
void fake_violation(struct fake *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* reads */
struct record_page *fake_first_page(struct fake *in, const struct remote_call *call);
struct record_page *fake_next_page(struct fake *in, const struct remote_call *call);
void fake_positions_free(struct fake *in);

/* writes */
bool fake_is_same(const char *a, const char *b); /* but for case; nothing is as nothing */
bool fake_is_twice(const struct remote_batch *batch, size_t at);
bool fake_is_canonical(enum value_type type, int scale, const struct value *value);
void fake_copy_batch(struct remote_call *call, const struct remote_batch *batch);
void fake_check_batch(struct fake *in, const struct remote_batch *batch);
void fake_answer_write(struct remote_call *call); /* and frees it */
void fake_meet_fate(struct remote_call *call);    /* what becomes of it without an answer */
void fake_do_late(struct fake *in);
void fake_late_free(struct fake *in);
void fake_call_free(struct remote_call *call);
bool fake_fails(const struct fake *in, const struct remote_call *call);
bool fake_is_lost(const struct fake *in, const struct remote_call *call);
