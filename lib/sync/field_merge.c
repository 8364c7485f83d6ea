/* field_merge.c - in order: the table of field_merge.h, line by line; who wins a contest; what may
 * be given; where it ends. */
#include "sync/field_merge.h"

/* The question, and what was found out about it on the way. */
struct question {
	const struct field_merge_input *in;
	struct field_base base;             /* with what our own write coming back teaches */
	bool local_changed, remote_changed; /* never without a base */
};

static struct question ask(const struct field_merge_input *in);
static struct field_merge_result held(const struct question *q);
static struct field_merge_result first_match(const struct question *q);
static struct field_merge_result go_down(const struct question *q);
static struct field_merge_result go_up(const struct question *q);
static struct field_merge_result go_both_ways(const struct question *q);
static struct field_merge_result contest(const struct question *q);
static struct field_merge_result give(const struct question *q, enum field_give to,
				      enum field_reason reason);
static struct field_merge_result settle(const struct question *q, enum field_reason reason);
static struct field_merge_result leave(const struct question *q, enum field_reason reason);

static bool is_held(const struct question *q)
{
	const struct field_merge_input *in = q->in;
	switch (in->hold) {
	case FIELD_FREE: return false;
	case FIELD_HELD_UNDONE: return in->sent || (!q->local_changed && !q->remote_changed);
	case FIELD_HELD_MANUAL:
	case FIELD_HELD_FLAP: break;
	}
	return true;
}

static bool is_echo(const struct question *q)
{
	const struct field_base *then = &q->in->base, *now = &q->base;

	return now->settled != then->settled || !value_equal(&now->ours, &then->ours) ||
	       !value_equal(&now->theirs, &then->theirs);
}

struct field_merge_result field_merge(const struct field_merge_input *in)
{
	struct question q = ask(in);

	if (is_held(&q))
		return held(&q);
	if (!q.base.settled)
		return first_match(&q);
	if (!q.local_changed && !q.remote_changed)
		return settle(&q, is_echo(&q) ? FIELD_ECHO : FIELD_UNCHANGED);
	if (value_equal(&in->local, &in->remote))
		return settle(&q, FIELD_SAME_CHANGE);
	switch (in->direction) {
	case MAPPING_DOWN: return go_down(&q);
	case MAPPING_UP: return go_up(&q);
	case MAPPING_BOTH: break;
	}
	return go_both_ways(&q);
}

static bool write_arrived(const struct field_merge_input *in)
{
	return in->sent && (in->echo || value_equal(&in->remote, in->sent));
}

/* Only what goes up comes back; and while a person or the flap guard holds a field nothing is
 * learned about it. An undo has written its own base before it was sent. */
static struct field_base find_base(const struct field_merge_input *in)
{
	struct field_base base = in->base;

	if (in->direction == MAPPING_DOWN || in->hold == FIELD_HELD_MANUAL ||
	    in->hold == FIELD_HELD_FLAP)
		return base;
	if (in->hold == FIELD_FREE && write_arrived(in))
		base = (struct field_base){ true, *in->sent, *in->sent };
	/* What a two-way field's row is still to get stays a change. */
	if (in->echo && base.settled &&
	    (in->direction == MAPPING_UP || in->hold == FIELD_HELD_UNDONE ||
	     !value_equal(&in->local, &base.ours)))
		base.theirs = in->remote;
	return base;
}

static struct question ask(const struct field_merge_input *in)
{
	struct question q = { .in = in, .base = find_base(in) };

	q.local_changed = q.base.settled && !value_equal(&in->local, &q.base.ours);
	q.remote_changed = q.base.settled && !value_equal(&in->remote, &q.base.theirs);
	return q;
}

static struct field_merge_result held(const struct question *q)
{
	struct field_merge_result made =
		leave(q, q->in->hold == FIELD_HELD_UNDONE ? FIELD_UNDONE : FIELD_FROZEN);

	made.hold = q->in->hold;
	return made;
}

static struct field_merge_result first_match(const struct question *q)
{
	if (value_equal(&q->in->local, &q->in->remote))
		return settle(q, FIELD_FIRST_MATCH_EQUAL);
	switch (q->in->direction) {
	case MAPPING_DOWN: return give(q, FIELD_GIVE_LOCAL, FIELD_FIRST_MATCH_REMOTE);
	case MAPPING_UP: return give(q, FIELD_GIVE_REMOTE, FIELD_FIRST_MATCH_LOCAL);
	case MAPPING_BOTH: break;
	}
	return contest(q);
}

static struct field_merge_result go_down(const struct question *q)
{
	return give(q, FIELD_GIVE_LOCAL, q->local_changed ? FIELD_PUT_BACK : FIELD_REMOTE_CHANGED);
}

static struct field_merge_result go_up(const struct question *q)
{
	return give(q, FIELD_GIVE_REMOTE, q->remote_changed ? FIELD_PUT_BACK : FIELD_LOCAL_CHANGED);
}

static struct field_merge_result go_both_ways(const struct question *q)
{
	if (q->local_changed && q->remote_changed)
		return contest(q);
	if (q->local_changed)
		return give(q, FIELD_GIVE_REMOTE, FIELD_LOCAL_CHANGED);
	return give(q, FIELD_GIVE_LOCAL, q->in->echo ? FIELD_ECHO : FIELD_REMOTE_CHANGED);
}

struct verdict {
	enum field_give loser; /* gets the winner's value; FIELD_GIVE_NOTHING: nobody won */
	enum field_reason conflict, first_match;
};

static const struct verdict remote_wins = { FIELD_GIVE_LOCAL, FIELD_CONFLICT_REMOTE,
					    FIELD_FIRST_MATCH_REMOTE };
static const struct verdict local_wins = { FIELD_GIVE_REMOTE, FIELD_CONFLICT_LOCAL,
					   FIELD_FIRST_MATCH_LOCAL };
static const struct verdict remote_is_newest = { FIELD_GIVE_LOCAL, FIELD_CONFLICT_NEWEST_REMOTE,
						 FIELD_FIRST_MATCH_NEWEST_REMOTE };
static const struct verdict local_is_newest = { FIELD_GIVE_REMOTE, FIELD_CONFLICT_NEWEST_LOCAL,
						FIELD_FIRST_MATCH_NEWEST_LOCAL };
static const struct verdict only_remote_has_one = { FIELD_GIVE_LOCAL,
						    FIELD_CONFLICT_NONBLANK_REMOTE,
						    FIELD_FIRST_MATCH_NONBLANK_REMOTE };
static const struct verdict only_local_has_one = { FIELD_GIVE_REMOTE, FIELD_CONFLICT_NONBLANK_LOCAL,
						   FIELD_FIRST_MATCH_NONBLANK_LOCAL };
static const struct verdict nobody_wins = { FIELD_GIVE_NOTHING, FIELD_CONFLICT_MANUAL,
					    FIELD_FIRST_MATCH_MANUAL };

/* L is not R, so two are never blank. */
static bool one_is_blank(const struct field_merge_input *in)
{
	return value_is_null(&in->local) || value_is_null(&in->remote);
}

static const struct verdict *judge(const struct field_merge_input *in)
{
	if ((in->rule == FIELD_RULE_NONBLANK || in->blank == FIELD_BLANK_FILL) && one_is_blank(in))
		return value_is_null(&in->local) ? &only_remote_has_one : &only_local_has_one;
	switch (in->rule) {
	case FIELD_RULE_REMOTE:
	case FIELD_RULE_NONBLANK: break;
	case FIELD_RULE_LOCAL: return &local_wins;
	case FIELD_RULE_NEWEST:
		return in->remote_ms && in->local_ms > in->remote_ms ? &local_is_newest
								     : &remote_is_newest;
	case FIELD_RULE_MANUAL: return &nobody_wins;
	}
	return &remote_wins;
}

static struct field_merge_result await_person(const struct question *q, enum field_reason reason)
{
	struct field_merge_result made = leave(q, reason);

	made.hold = FIELD_HELD_MANUAL;
	made.conflict = true;
	return made;
}

static bool gives_up_a_value(const struct field_merge_result *made)
{
	return made->give != FIELD_GIVE_NOTHING && value_is_null(&made->value);
}

static struct field_merge_result contest(const struct question *q)
{
	const struct verdict *verdict = judge(q->in);
	enum field_reason reason = q->base.settled ? verdict->conflict : verdict->first_match;
	struct field_merge_result made;

	if (verdict->loser == FIELD_GIVE_NOTHING)
		return await_person(q, reason);
	made = give(q, verdict->loser, reason);
	made.conflict = made.reason != FIELD_REMOTE_READ_ONLY &&
			(q->base.settled || !one_is_blank(q->in) || gives_up_a_value(&made));
	return made;
}

/* L is not R. */
static struct field_merge_result give(const struct question *q, enum field_give to,
				      enum field_reason reason)
{
	const struct field_merge_input *in = q->in;
	struct value from = to == FIELD_GIVE_LOCAL ? in->remote : in->local;
	struct value over = to == FIELD_GIVE_LOCAL ? in->local : in->remote;
	struct field_merge_result made = { .give = to, .value = from, .reason = reason };

	if (in->blank != FIELD_BLANK_CLEAR && value_is_null(&from))
		return settle(q, FIELD_BLANK_KEPT);
	if (in->blank == FIELD_BLANK_FILL && !value_is_null(&over))
		return settle(q, FIELD_VALUE_KEPT);
	if (to == FIELD_GIVE_REMOTE && !in->remote_writable)
		return leave(q, FIELD_REMOTE_READ_ONLY);
	made.done = (struct field_base){ true, from, from };
	made.meanwhile = to == FIELD_GIVE_REMOTE ? q->base : made.done;
	return made;
}

/* Nothing to write, and what the sides hold is the base from now on. */
static struct field_merge_result settle(const struct question *q, enum field_reason reason)
{
	struct field_base base = { true, q->in->local, q->in->remote };

	return (struct field_merge_result){ .meanwhile = base, .done = base, .reason = reason };
}

/* Nothing to write, and nothing is settled by it. */
static struct field_merge_result leave(const struct question *q, enum field_reason reason)
{
	return (struct field_merge_result){ .meanwhile = q->base,
					    .done = q->base,
					    .reason = reason };
}

static const char *const names[FIELD_REASONS] = {
	[FIELD_UNCHANGED] = "unchanged",
	[FIELD_REMOTE_CHANGED] = "remote-changed",
	[FIELD_LOCAL_CHANGED] = "local-changed",
	[FIELD_SAME_CHANGE] = "same-change",
	[FIELD_CONFLICT_REMOTE] = "conflict-remote",
	[FIELD_CONFLICT_LOCAL] = "conflict-local",
	[FIELD_CONFLICT_NEWEST_REMOTE] = "conflict-newest-remote",
	[FIELD_CONFLICT_NEWEST_LOCAL] = "conflict-newest-local",
	[FIELD_CONFLICT_NONBLANK_REMOTE] = "conflict-nonblank-remote",
	[FIELD_CONFLICT_NONBLANK_LOCAL] = "conflict-nonblank-local",
	[FIELD_CONFLICT_MANUAL] = "conflict-manual",
	[FIELD_FIRST_MATCH_EQUAL] = "first-match-equal",
	[FIELD_FIRST_MATCH_REMOTE] = "first-match-remote",
	[FIELD_FIRST_MATCH_LOCAL] = "first-match-local",
	[FIELD_FIRST_MATCH_NEWEST_REMOTE] = "first-match-newest-remote",
	[FIELD_FIRST_MATCH_NEWEST_LOCAL] = "first-match-newest-local",
	[FIELD_FIRST_MATCH_NONBLANK_REMOTE] = "first-match-nonblank-remote",
	[FIELD_FIRST_MATCH_NONBLANK_LOCAL] = "first-match-nonblank-local",
	[FIELD_FIRST_MATCH_MANUAL] = "first-match-manual",
	[FIELD_PUT_BACK] = "put-back",
	[FIELD_BLANK_KEPT] = "blank-kept",
	[FIELD_VALUE_KEPT] = "value-kept",
	[FIELD_ECHO] = "echo",
	[FIELD_FROZEN] = "frozen",
	[FIELD_UNDONE] = "undone",
	[FIELD_REMOTE_READ_ONLY] = "remote-read-only",
};

const char *field_reason_name(enum field_reason reason)
{
	return names[reason];
}
