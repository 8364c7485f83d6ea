/* told.h - what the ledger tells people: what could not be taken or sent, contests and how they were
 * decided, values that were overwritten. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "record/record.h"
#include "record/value.h"

enum told_direction { TOLD_DOWN, TOLD_UP }; /* remote to table, table to remote */
enum told_side { TOLD_LOCAL, TOLD_REMOTE };

/* A record that cannot be taken, or a row that cannot be sent: as a whole, or one field of it.
 * Equal to the one listed already: not written again. */
struct store_reject {
	enum told_direction direction;
	const char *remote_id; /* NULL: a row without a record */
	struct value key;      /* of the row; null if there is none */
	const char *code;
	const char *field; /* which is at fault; NULL: not known */
	bool field_only;   /* the rest of the pair flows */
	const char *text;
	const char *remedy;
	const char *run;
	int64_t at_ms;
	struct record_hash payload; /* UP: of what was refused, so that it is not sent again */
	bool ignored;               /* an operator does not want to hear of it; answers only */
};

/* Who is right was no matter of course. */
struct store_conflict {
	const char *remote_id; /* NULL: none, or several */
	struct value key;      /* likewise */
	const char *field;     /* NULL: the pair as a whole */
	const char *kind;      /* "both-changed", "first-match", "several-matches", "delete-edit",
				  "flapping" */
	struct value local, remote;  /* what the sides held */
	int64_t local_ms, remote_ms; /* when they were edited; 0: not known */
	const char *winner;          /* "local", "remote"; "neither": both keep what they hold; ""
					where a person must say */
	const char *reason;          /* field_reason_name(), or a sentence */
	const char *run;
	int64_t at_ms;
	int64_t sent; /* number of the write that carries it out; 0: done with this unit */
};

/* A value of an existing row or record that a run overwrote. */
struct store_change {
	const char *remote_id;
	struct value key;
	const char *field;
	enum told_side side; /* that was overwritten */
	struct value before, after;
	const char *reason;
	const char *run;
	int64_t at_ms;
	int64_t sent; /* number of the write; 0: done with this unit */
};

/* Of the recent changes of one pair, the field and side alone. */
struct store_recent {
	const char *field;
	enum told_side side;
};
