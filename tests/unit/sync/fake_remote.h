/* fake_remote.h - a remote in memory that does as it is told and is as strict as the real one:
 * records with stamps and who edited them last, deletions, positions that expire, writes with a
 * result for each record, every fault that can befall a request, and a clock of its own.
 *
 * What no program may send (a record twice in a batch, a field that does not travel upwards, a value
 * that is not canonical) is counted in `violations`, with the first in words. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "record/value.h"
#include "remote/remote.h"

#define FAKE_FIELDS 12
#define FAKE_NOW    ((int64_t)1767323045000) /* 2026-01-02T03:04:05Z */
#define FAKE_MADE   1000 /* number of the first record that a write made, less one */

struct fake;
struct fake_late;
struct fake_position;
struct loop;

struct fake_field {
	const char *name;
	enum value_type type;
	int scale;
	bool gone;                        /* field-level security hides it */
	bool read_only;                   /* or only that it be written */
	bool required;                    /* of a new record */
	bool external_id;                 /* and unique */
	int length;                       /* of texts */
	char *(*keeps)(const char *text); /* what is kept of what is written; NULL: just that */
};

struct fake_record {
	char id[19];
	char master_id[19];
	int64_t stamp_ms;
	int64_t modified_ms;
	bool by_us;       /* the last edit */
	int64_t shows_ms; /* when its transaction commits, by the fake's clock */
	bool deleted;
	bool purged; /* no longer in the bin */
	bool hidden; /* not shown to us */
	char *values[FAKE_FIELDS];
	unsigned sent[FAKE_FIELDS]; /* in how many changes of ours each field stood, done or not */
};

/* Before each answer; `call` counts from 1. */
typedef void fake_call_fn(struct fake *in, unsigned call, void *arg);

/* What becomes of a write whose answer never comes. */
enum fake_fate { FAKE_NOT_DONE, FAKE_DONE, FAKE_DONE_LATER };

/* A change that is refused, as long as `times` lasts. */
struct fake_refusal {
	char id[19];       /* of this record; "": of any */
	const char *field; /* that sets this field; NULL: any change */
	const char *value; /* to this; NULL: to anything */
	enum error_kind kind;
	const char *code;
	bool whole;   /* the request with it, */
	bool unnamed; /* which does not say for which change's sake */
	int times;    /* -1: for ever */
};
#define FAKE_REFUSALS 16

enum fake_request_kind { FAKE_DESCRIBE, FAKE_READ, FAKE_READ_MORE, FAKE_WRITE };

struct fake_request {
	enum fake_request_kind kind;
	unsigned call;
	enum remote_order order;         /* of a read */
	enum remote_operation operation; /* of a write */
	bool by_field;                   /* PICKED, not by ids */
	bool has_where;
	size_t count;        /* picks, or changes */
	unsigned open_reads; /* reads that had no answer when a write began */
};

struct fake {
	struct remote remote;
	struct loop *loop;
	int64_t now_ms;
	const char *org_id;
	const char *version; /* of the schema; NULL: it has none */
	struct fake_field fields[FAKE_FIELDS];
	size_t field_count;
	struct fake_record *records;
	size_t count;
	unsigned made;
	unsigned page_size;
	bool bin_is_short; /* deleted records vanish from reads */
	/* what happens */
	unsigned calls, reads, writes;
	fake_call_fn *on_call; /* may edit whatever it likes */
	void *on_call_arg;
	fake_call_fn *on_written; /* a write was done, and its answer is on its way */
	struct error fail;        /* what a failing call answers; of a write: nothing was done */
	size_t fail_index;        /* with it, `at` of a write */
	unsigned fail_at;         /* 0: none; the calls from this one on ... */
	unsigned fail_count;      /* ... so many */
	unsigned expire_at;       /* the read_more that finds its position gone; 0: none */
	bool repeats;             /* every page's next is itself */
	unsigned hang_at;         /* the call that is never answered; 0: none */
	bool hangs;
	bool (*is_cut)(void); /* then nothing arrives any more: every call hangs */
	unsigned lose_at;     /* the calls from this one on whose answer is lost ... */
	unsigned lose_count;  /* ... so many: a read fails, a write may have been done */
	unsigned lose_writes; /* so many writes, the next ones */
	unsigned fail_writes; /* likewise; with `fail` */
	enum fake_fate fate;  /* of a write that hangs, is lost or is cancelled */
	int64_t later_ms;     /* when it is done, from then on */
	size_t most_picks;    /* a read of more is too long; 0: any */
	size_t most_changes;  /* a write of more is too large; 0: any */
	struct fake_refusal refusals[FAKE_REFUSALS];
	size_t refusal_count;
	/* what was seen */
	int64_t largest_window_ms; /* of the increments asked for */
	int64_t least_from_ms;
	struct fake_request *log;
	size_t log_count;
	bool traces; /* every change is printed */
	unsigned violations;
	char violation[200];
	/* its own */
	struct schema *schema;
	struct fake_position *positions;
	unsigned position_count;
	unsigned open_calls, open_reads, open_writes;
	struct fake_late *late;
};

struct fake *fake_new(struct loop *loop);
void fake_free(struct fake *in);

struct fake_field *fake_add_field(struct fake *in, const char *name, enum value_type type,
				  int scale);
struct fake_field *fake_field(struct fake *in, const char *name);

/* The clock goes on; what was to be done later is done. */
void fake_wait(struct fake *in, int64_t ms);
bool fake_has_late(const struct fake *in);

/* A record of the number; one value per field, in their order; stamped now, by somebody else. */
struct fake_record *fake_create(struct fake *in, unsigned number, const char *const *values);
struct fake_record *fake_find(struct fake *in, unsigned number);
struct fake_record *fake_find_id(struct fake *in, const char *id);
void fake_set(struct fake *in, unsigned number, const char *field, const char *value);
void fake_set_as_us(struct fake *in, unsigned number, const char *field, const char *value);
void fake_delete(struct fake *in, unsigned number);
void fake_undelete(struct fake *in, unsigned number);
void fake_merge(struct fake *in, unsigned loser, unsigned winner);
void fake_id(unsigned number, char out[19]);
const char *fake_value(const struct fake *in, const struct fake_record *record, const char *field);

/* The one that lives and has this in that field; NULL: none. */
struct fake_record *fake_with(struct fake *in, const char *field, const char *value);
unsigned fake_alive(const struct fake *in);
bool fake_passes(const struct fake *in, const struct fake_record *record, const char *where);

/* Every change that sets `field` to `value` (NULL: to anything) is refused so many times. */
struct fake_refusal *fake_refuse(struct fake *in, const char *field, const char *value,
				 enum error_kind kind, const char *code, int times);

/* How often a field stood in changes sent to all records but this one (0: to all). */
unsigned fake_sent(const struct fake *in, const char *field, unsigned but);
unsigned fake_requests(const struct fake *in, enum fake_request_kind kind);
