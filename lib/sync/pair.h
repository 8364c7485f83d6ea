/* pair.h - all fields of one pair merged: what row and record are to be given, and where that leaves
 * the link. Pure; field_merge.h decides each field by itself. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "record/value.h"
#include "store/link.h"
#include "sync/field_merge.h"

struct mapping;
struct sent;

struct pair_input {
	const struct mapping *mapping;
	const struct value *local;       /* what the row holds, by the mapping's fields */
	const struct value *remote;      /* the record likewise; NULL: not read, so it is taken to
					    hold what it held when last settled */
	const struct link_field *fields; /* the link's */
	const struct sent *sent;         /* an unanswered write that is given up; NULL: none */
	int64_t local_ms, remote_ms;     /* last edits, by one clock; 0: not known */
	bool echo; /* the record is as our own last answered write left it: nobody saved it since */
	bool sent_echo; /* likewise of `sent`: our own user saved it last, after it was sent */
};

/* Of one field. */
struct pair_field {
	enum field_give give;
	enum field_reason reason;
	bool conflict; /* for the ledger */
};

/* By the mapping's fields; the arrays are the caller's. */
struct pair_result {
	struct pair_field *fields;
	struct value *values;    /* the value given, to whichever side */
	bool *local, *remote;    /* which side is given it */
	struct link_field *link; /* the link's fields until the remote answered; what it gets is
				    settled by pair_settle() */
	bool any_local, any_remote, any_conflict;
	bool link_changed; /* `link` is not what was given in */
	unsigned put_back;
};

/* The arrays that a pair of `count` fields needs. */
void pair_room(struct pair_result *ret, size_t count, struct arena *arena);

/* `ret` has its arrays already. */
void pair_merge(const struct pair_input *in, struct pair_result *ret);

/* The remote has taken these values: both sides held them, and what it makes of them comes back. */
void pair_settle(struct link_field *fields, const struct value *values, const bool *set,
		 size_t count);

/* Likewise of a record that was made: what was blank and not sent is blank there, and what only comes
 * down is not known yet. */
void pair_settle_birth(const struct mapping *mapping, const struct sent *sent,
		       struct link_field *fields);

/* Did an unanswered write arrive, as far as the record shows? It did if every field that was sent
 * holds what was sent, or what the remote made of it: then our own user saved the record later than
 * it was sent, and none of these fields is as it was before. */
bool pair_shows(const struct sent *sent, const struct record *record, size_t count);

/* Has somebody else changed anything that comes down? `echo` as above. */
bool pair_remote_edited(const struct mapping *mapping, const struct link_field *fields,
			const struct record *record, bool echo);
