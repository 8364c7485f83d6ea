/* fake_remote.h - a remote in memory that does as it is told: records with stamps, deletions,
 * positions that expire, failures on demand, and a clock of its own. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "record/value.h"
#include "remote/remote.h"

#define FAKE_FIELDS 12
#define FAKE_NOW    ((int64_t)1767323045000) /* 2026-01-02T03:04:05Z */

struct fake;
struct loop;

struct fake_field {
	const char *name;
	enum value_type type;
	int scale;
	bool gone; /* field-level security hides it */
};

struct fake_record {
	char id[19];
	char master_id[19];
	int64_t stamp_ms;
	int64_t shows_ms; /* when its transaction commits, by the fake's clock */
	bool deleted;
	bool purged; /* no longer in the bin */
	bool hidden; /* not shown to us */
	char *values[FAKE_FIELDS];
};

/* Before each answer; `call` counts from 1. */
typedef void fake_call_fn(struct fake *in, unsigned call, void *arg);

struct fake {
	struct remote remote;
	struct loop *loop;
	int64_t now_ms;
	const char *org_id;
	struct fake_field fields[FAKE_FIELDS];
	size_t field_count;
	struct fake_record *records;
	size_t count;
	unsigned page_size;
	bool bin_is_short; /* deleted records vanish from reads */
	/* what happens */
	unsigned calls, reads;
	fake_call_fn *on_call;
	void *on_call_arg;
	struct error fail;   /* what a failing call answers */
	unsigned fail_at;    /* 0: none; the calls from this one on ... */
	unsigned fail_count; /* ... so many */
	unsigned expire_at;  /* the read_more that finds its position gone; 0: none */
	bool repeats;        /* every page's next is itself */
	unsigned hang_at;    /* the call that is never answered; 0: none */
	bool hangs;
	int64_t largest_window_ms; /* of the increments asked for */
	int64_t least_from_ms;
	struct schema *schema;
	struct fake_position *positions;
	unsigned position_count;
	unsigned open_calls;
};

struct fake *fake_new(struct loop *loop);
void fake_free(struct fake *in);

void fake_add_field(struct fake *in, const char *name, enum value_type type, int scale);

/* A record of the number; one value per field, in their order; stamped now. */
struct fake_record *fake_create(struct fake *in, unsigned number, const char *const *values);
struct fake_record *fake_find(struct fake *in, unsigned number);
void fake_set(struct fake *in, unsigned number, const char *field, const char *value);
void fake_delete(struct fake *in, unsigned number);
void fake_undelete(struct fake *in, unsigned number);
void fake_merge(struct fake *in, unsigned loser, unsigned winner);
void fake_id(unsigned number, char out[19]);
const char *fake_value(const struct fake *in, const struct fake_record *record, const char *field);
