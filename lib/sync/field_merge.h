/* field_merge.h - the three-way merge of one field of one pair: what row and record hold, against
 * what they held when last settled. Pure: no I/O, no clock, no allocation; nothing else decides.
 *
 *   L, R           what the row (local) and the record (remote) hold now
 *   ours, theirs   what they held when last settled, equal or not: the base
 *   changed        L is not `ours`, R is not `theirs`
 *   blank          null. A boolean is never null ("0" is a value), so no blank policy touches one
 *   contest        nobody's edit alone says who is right, so the field's rule does: both sides of
 *                  a two-way field changed, or it was just matched and has no base
 *
 * The first line that fits decides:
 *
 *   held                           nothing; the base stays              frozen, undone
 *   no base, L = R                 nothing to write; settled            first-match-equal
 *   no base, one-way               the other side gets the source's     first-match-(source)
 *   no base, two-way               contest                              first-match-...
 *   neither changed                nothing, be they equal or not        unchanged
 *   changed, now L = R             nothing to write; settled            same-change
 *   two-way, only remote changed   local gets R                         remote-changed
 *   two-way, only local changed    remote gets L                        local-changed
 *   two-way, both changed          contest                              conflict-...
 *   one-way, only source changed   the other side gets it               (source)-changed
 *   one-way, other side edited     it gets the source's value, which    put-back
 *                                  may have changed too; to be counted
 *
 * Who wins a contest:
 *
 *   rule       L and R are values    one is blank   reason: conflict- or first-match-
 *   remote     remote                remote         remote
 *   local      local                 local          local
 *   newest     the later; remote where equal or     newest-local, newest-remote
 *              not known
 *   nonblank   remote                the value      remote; nonblank-local, nonblank-remote
 *   manual     nobody: held for a person            manual
 *   any, with blank=fill             the value      nonblank-local, nonblank-remote
 *
 * What the winner, or whoever alone changed, or a source may then do to the other side. A blank
 * policy only ever forbids a write and never turns one round. What it forbade is a settled
 * difference, not a debt: L and R are the base, the next merge writes nothing, and a later edit of
 * either side is merged as any other.
 *
 *   policy     blank over value    value over blank    value over another value
 *   clear      written             written             written
 *   keep       no: blank-kept      written             written
 *   fill       no: blank-kept      written             no: value-kept
 *
 * And if the remote's field cannot be written at present, nothing is decided: the base stays, so
 * the same is owed when it can be written again (remote-read-only). What goes to local still goes.
 *
 * Our own write coming back. With `echo`, R is what the remote made of our write (trimmed, rounded,
 * formatted), so a difference from `theirs` is nobody's edit: on a field that goes up it becomes
 * `theirs`; on a two-way field the row gets it, unless the row was edited since, for that edit is
 * the later of the two and no conflict. Without a base an echo says nothing.
 *
 * A crash between two writes. A merge gives to one side only. What local gets commits together with
 * the base (`done`). What the remote gets is on its way while the base stays (`meanwhile`): it
 * moves to `done` with the answer. With no answer the merge is made again from `meanwhile`, with
 * what the journal says was sent:
 *
 *   R is not `sent`, no echo   it did not arrive: the same question again, the same answer
 *   R is `sent`, or echo       it did: both sides stood at `sent`, so if the row holds anything
 *                              else that is an edit made since, and goes up. (From `meanwhile`
 *                              alone it would look like a conflict; and an edit taken back, like
 *                              an edit of the remote's.)
 *
 * Held fields. `manual` and the flap guard hold until a person says who is right: merge as if just
 * matched (no base), not held, with the chosen side as the rule and blank=clear. A field that was
 * undone is held until somebody else edits either side, and is then merged as any other; the undo
 * settles what both sides hold after it, and an echo of its write is no edit.
 *
 * In the conflict ledger belongs each contest of two changed sides; of a first match what holds two
 * values or is given up to a blank, but not a blank that a value fills, nor one that is kept. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "record/field.h"
#include "record/mapping.h"
#include "record/value.h"

struct field_merge_input {
	enum mapping_direction direction;
	enum field_rule rule;
	enum field_blank blank;
	bool remote_writable; /* the field, at present */
	struct value local, remote;
	struct field_base base;
	int64_t local_ms, remote_ms; /* when each was edited, by one clock; 0: not known */
	enum field_hold hold;
	bool echo; /* `remote` is the first value read after our own write of this field, and our
		      user was the last to edit the record */
	const struct value *sent; /* of a write of ours that was given up unanswered; NULL: none */
};

/* To one side at most: the value given is always the other side's. */
enum field_give { FIELD_GIVE_NOTHING, FIELD_GIVE_LOCAL, FIELD_GIVE_REMOTE };

enum field_reason {
	FIELD_UNCHANGED,
	FIELD_REMOTE_CHANGED,
	FIELD_LOCAL_CHANGED,
	FIELD_SAME_CHANGE,
	FIELD_CONFLICT_REMOTE,
	FIELD_CONFLICT_LOCAL,
	FIELD_CONFLICT_NEWEST_REMOTE,
	FIELD_CONFLICT_NEWEST_LOCAL,
	FIELD_CONFLICT_NONBLANK_REMOTE,
	FIELD_CONFLICT_NONBLANK_LOCAL,
	FIELD_CONFLICT_MANUAL,
	FIELD_FIRST_MATCH_EQUAL,
	FIELD_FIRST_MATCH_REMOTE,
	FIELD_FIRST_MATCH_LOCAL,
	FIELD_FIRST_MATCH_NEWEST_REMOTE,
	FIELD_FIRST_MATCH_NEWEST_LOCAL,
	FIELD_FIRST_MATCH_NONBLANK_REMOTE,
	FIELD_FIRST_MATCH_NONBLANK_LOCAL,
	FIELD_FIRST_MATCH_MANUAL,
	FIELD_PUT_BACK,
	FIELD_BLANK_KEPT,
	FIELD_VALUE_KEPT,
	FIELD_ECHO,
	FIELD_FROZEN,
	FIELD_UNDONE,
	FIELD_REMOTE_READ_ONLY,
	FIELD_REASONS
};

/* Values are borrowed from the input. */
struct field_merge_result {
	enum field_give give;
	struct value value; /* what it is given; null also if nothing is */
	struct field_base
		meanwhile;      /* the base until the remote answered; `done` if it gets nothing */
	struct field_base done; /* the base once the write is done */
	enum field_hold hold;   /* from now on */
	bool conflict;          /* for the ledger, with L and R */
	enum field_reason reason;
};

struct field_merge_result field_merge(const struct field_merge_input *in);

/* "remote-changed", for logs and listings. */
const char *field_reason_name(enum field_reason reason);
