/* field.h - the words in which one mapped field of a pair is talked about: who wins, what a blank
 * may do, what both sides held when last settled. No code. */
#pragma once
#include <stdbool.h>

#include "record/value.h"

/* Who is right where both sides of a field changed, or where they differ when just matched. */
enum field_rule {
	FIELD_RULE_REMOTE,
	FIELD_RULE_LOCAL,
	FIELD_RULE_NEWEST,
	FIELD_RULE_NONBLANK,
	FIELD_RULE_MANUAL
};

/* What a blank may overwrite, or what a value may. */
enum field_blank { FIELD_BLANK_CLEAR, FIELD_BLANK_KEEP, FIELD_BLANK_FILL };

/* Why a field of a pair is left alone. */
enum field_hold { FIELD_FREE, FIELD_HELD_MANUAL, FIELD_HELD_FLAP, FIELD_HELD_UNDONE };

/* Not settled: just matched, or just mapped; ours and theirs are not looked at. */
struct field_base {
	bool settled;
	struct value ours, theirs;
};
