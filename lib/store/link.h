/* link.h - the pair that a job keeps equal: which record is which row, and per field what both held
 * when last settled. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "record/field.h"
#include "record/record.h"

enum link_state {
	LINK_LIVE,
	LINK_DELETED,      /* a tombstone: the record is deleted at the remote */
	LINK_OUT_OF_SIGHT, /* not deleted, but no longer shown to us */
};

/* What a person said of a held field; the next merge of the pair does it. */
enum link_choice { LINK_CHOICE_NONE, LINK_CHOICE_REMOTE, LINK_CHOICE_LOCAL };

struct link_field {
	struct field_base base;
	enum field_hold hold;
	bool echo; /* written by us, and not read back yet */
	enum link_choice choice;
};

struct link {
	bool found;
	enum link_state state;
	struct record_hash hash; /* of the record when last settled */
	struct value key;        /* of the row; null if the row is gone */
	int64_t written_ms; /* server's clock when our last write to it was answered; 0: none */
	struct link_field *fields; /* by the mapping's fields; NULL: not asked for, or, where a link
				      is put, as they are kept already */
};
