/* due.h - what owes the remote something, and what is on its way to it.
 *
 *     mark -> due (waiting) -> sent -> gone, or due again
 *                  |             `-> unknown (not answered) -> read by id, merged
 *                  `-> rejected, until row, record, mapping or schema changed
 *                  `-> held: nobody can say to what, until a person or a record does
 *
 * A due holds no value and no decision: what is owed is found out when its write is built. What is
 * sent holds what was sent, since an unanswered write is told by it. Both are lines of the store:
 * leadsync_due and leadsync_journal. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "record/record.h"
#include "record/value.h"

enum due_state { DUE_WAITING, DUE_REJECTED, DUE_HELD };

/* A pair, or a row that has no record yet. */
struct due {
	int64_t number; /* grows: the order in which they came to be due; 0: not there */
	enum due_state state;
	char remote_id[19]; /* of the pair; "": a row without a record, then */
	struct value key;   /* that row's */
	int64_t edited_ms;  /* its youngest edit, this machine's clock; 0: not by an edit */
	int64_t since_ms;
	int64_t not_before_ms;   /* this machine's clock; 0: at once */
	unsigned tries;          /* that ended in passing trouble */
	struct record_hash seen; /* of a record without a row: as it was when it came to be due */
	char birth_key[33]; /* of a row: an earlier creation went out under it and was never seen
				  since; "": none */
	char chosen[19];    /* of a row: the record that a person said is its own; "" */
};

enum sent_operation { SENT_CREATE, SENT_UPDATE, SENT_DELETE };

/* One change on its way. */
struct sent {
	int64_t number; /* 0: none */
	enum sent_operation operation;
	bool unknown;       /* its request ended without an answer, or the program did */
	char remote_id[19]; /* "" of a creation */
	struct value key;   /* of the row; null of a delete */
	char birth_key[33]; /* of a creation: what stands in the external id field, 128 random bits
			       in hex; else "" */
	int64_t sent_ms;    /* server's clock before it left */
	int64_t edited_ms;  /* as in its due, */
	unsigned tries;     /* likewise */
	struct record_hash hash; /* of the record once it is done, if it keeps what it is given */
	struct record_hash payload; /* of what is sent */
	struct value *values;       /* by the mapping's fields: what is sent, */
	struct value *before;       /* what the record held of it when it was read for this;
				       NULL: nothing */
	bool *set;                  /* and of which. A field that is no longer mapped is left out */
	const char *run;
};
