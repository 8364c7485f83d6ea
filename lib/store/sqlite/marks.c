/* marks.c - leadsync_mark as the job reads it. In order: one mark; what a mark says; marks_take;
 * deleting; a job's own. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "sqlite/db.h"
#include "sqlite/statement.h"
#include "store/sqlite/capture.h"

enum operation { MARK_INSERT, MARK_UPDATE, MARK_RENAME, MARK_DELETE };

struct mark {
	enum operation operation;
	int64_t sequence, at_ms;
	struct value key, old_key;
};

/* What the page says of a key so far. */
struct known {
	struct value key;
	size_t row;   /* in page->rows; NONE: not to be read */
	size_t ended; /* in page->steps; NONE, too, once a row was moved to or from the key */
};
#define NONE SIZE_MAX

struct reading {
	struct arena *arena;
	struct mark_page *page;
	void *by_key; /* a tree of struct known, all in the arena */
};

static struct value copy_key(struct statement *s, int column, struct arena *arena)
{
	size_t len;
	const char *text = statement_text_at(s, column, &len);

	return text ? (struct value){ arena_copy(arena, text, len), (uint32_t)len }
		    : (struct value){ 0 };
}

static bool read_mark(struct statement *s, struct arena *arena, struct mark *ret, struct error *err)
{
	static const char *const operations[] = { "insert", "update", "rename", "delete" };
	size_t which = 0, len;
	const char *operation = statement_text_at(s, 1, &len);

	while (which < 4 && (!operation || strcmp(operation, operations[which]) != 0))
		which++;
	if (which == 4)
		return error_set(err, ERROR_STATE, "damaged-ledger",
				 "leadsync_mark holds what no trigger of this program wrote: "
				 "restore a backup of the store");
	ret->sequence = statement_int_at(s, 0);
	ret->operation = (enum operation)which;
	ret->key = copy_key(s, 2, arena);
	ret->old_key = copy_key(s, 3, arena);
	ret->at_ms = statement_int_at(s, 4);
	return true;
}

static int compare_keys(const void *a, const void *b)
{
	const struct value *one = &((const struct known *)a)->key;
	const struct value *other = &((const struct known *)b)->key;

	if (one->len != other->len)
		return one->len < other->len ? -1 : 1;
	return one->len ? memcmp(one->text, other->text, one->len) : 0;
}

static struct known *know(struct reading *in, const struct value *key)
{
	struct known asked = { .key = *key, .row = NONE, .ended = NONE }, *made;
	void *found = tfind(&asked, &in->by_key, compare_keys);

	if (found)
		return *(struct known **)found;
	made = memcpy(arena_take(in->arena, sizeof(*made)), &asked, sizeof(asked));
	if (!tsearch(made, &in->by_key, compare_keys))
		abort(); /* no memory */
	return made;
}

static size_t add_step(struct reading *in, enum mark_step_kind kind, const struct mark *mark)
{
	in->page->steps[in->page->step_count] = (struct mark_step){
		.kind = kind,
		.key = mark->key,
		.old_key = mark->old_key,
		.sequence = mark->sequence,
		.at_ms = mark->at_ms,
	};
	return in->page->step_count++;
}

static void end_row(struct reading *in, const struct mark *mark)
{
	struct known *key = know(in, &mark->key);

	if (key->ended == NONE) {
		key->ended = add_step(in, MARK_ENDED, mark);
		return;
	}
	/* Nothing new for an old link, but a link made in between is told of the later one. */
	in->page->steps[key->ended].sequence = mark->sequence;
	in->page->steps[key->ended].at_ms = mark->at_ms;
}

static void move_row(struct reading *in, const struct mark *mark)
{
	add_step(in, MARK_MOVED, mark);
	know(in, &mark->key)->ended = NONE;
	know(in, &mark->old_key)->ended = NONE;
}

static void look_at(struct reading *in, const struct mark *mark)
{
	struct known *key = know(in, &mark->key);

	if (key->row == NONE) {
		key->row = in->page->row_count++;
		in->page->rows[key->row] = (struct mark_row){ .key = mark->key };
	}
	/* A row marked only to be compared has no time, which says nothing of an edit's. */
	if (mark->at_ms)
		in->page->rows[key->row].at_ms = mark->at_ms;
}

static void follow(struct reading *in, const struct mark *mark)
{
	if (mark->operation == MARK_RENAME)
		move_row(in, mark);
	else if (mark->operation != MARK_UPDATE)
		end_row(in, mark);
	if (mark->operation != MARK_DELETE)
		look_at(in, mark);
	in->page->sequences[in->page->count++] = mark->sequence;
	in->page->last = mark->sequence;
}

static bool read_marks(struct reading *in, struct statement *s, size_t most, struct error *err)
{
	struct mark mark = { 0 };
	bool row;

	for (;;) {
		if (!statement_step(s, &row, err))
			return false;
		in->page->more = row && in->page->count == most;
		if (!row || in->page->more)
			return true;
		if (!read_mark(s, in->arena, &mark, err))
			return false;
		follow(in, &mark);
	}
}

/* The term on the operation lets SQLite use the index, and a key is found in it as a number or as
 * text, whichever its column stores. */
static bool waits(struct capture *in, const struct mark_page *page, const struct value *key,
		  bool *ret, struct error *err)
{
	struct statement *s = capture_statement(
		in, CAPTURE_MARKS_YOUNGER,
		"SELECT 1 FROM leadsync_mark WHERE job = ?1 AND operation <> "
		"'update' AND key IN (?2, CAST(?2 AS NUMERIC)) AND CAST(key AS TEXT)"
		" = ?2 AND sequence > ?3",
		err);
	bool ok;

	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job);
	statement_bind_text_at(s, 2, key->text, key->len);
	statement_bind_int_at(s, 3, page->last);
	ok = statement_step(s, ret, err);
	statement_reset(s);
	return ok;
}

static bool leave_out_waiting(struct capture *in, struct mark_page *page, struct error *err)
{
	size_t kept = 0;
	bool waiting;

	for (size_t i = 0; i < page->row_count; i++) {
		if (!waits(in, page, &page->rows[i].key, &waiting, err))
			return false;
		if (!waiting)
			page->rows[kept++] = page->rows[i];
	}
	page->row_count = kept;
	return true;
}

static void keep_node(void *node)
{
	(void)node; /* it is the arena's */
}

bool marks_take(struct capture *in, int64_t after, size_t most, struct arena *arena,
		struct mark_page *ret, struct error *err)
{
	struct statement *s = capture_statement(
		in, CAPTURE_MARKS_TAKE,
		"SELECT sequence, operation, key, old_key, at_ms FROM leadsync_mark"
		" WHERE job = ?1 AND sequence > ?2 ORDER BY sequence",
		err);
	struct mark_page page = { .steps = arena_take(arena, most * sizeof(*page.steps)),
				  .rows = arena_take(arena, most * sizeof(*page.rows)),
				  .sequences = arena_take(arena, most * sizeof(*page.sequences)),
				  .last = after };
	struct reading reading = { .arena = arena, .page = &page };
	bool ok;

	if (!s)
		return false;
	statement_bind_int_at(s, 1, in->job);
	statement_bind_int_at(s, 2, after);
	ok = read_marks(&reading, s, most, err);
	statement_reset(s); /* a read left open would keep the WAL from being emptied */
	tdestroy(reading.by_key, keep_node);
	if (!ok || (page.more && !leave_out_waiting(in, &page, err)))
		return false;
	*ret = page;
	return true;
}

bool marks_delete(struct capture *in, const struct mark_page *page, struct error *err)
{
	struct statement *s =
		capture_statement(in, CAPTURE_MARKS_DELETE,
				  "DELETE FROM leadsync_mark WHERE sequence = ?1", err);

	if (!s)
		return false;
	for (size_t i = 0; i < page->count; i++) {
		statement_bind_int_at(s, 1, page->sequences[i]);
		if (!statement_run(s, err))
			return false;
	}
	return true;
}

bool marks_youngest(struct capture *in, int64_t *ret, struct error *err)
{
	struct statement *s = capture_statement(in, CAPTURE_MARKS_YOUNGEST,
						"SELECT max(sequence) FROM leadsync_mark", err);
	bool row, ok = s && statement_step(s, &row, err);

	if (ok)
		*ret = statement_int_at(s, 0); /* null of none: 0 */
	if (s)
		statement_reset(s);
	return ok;
}

bool marks_disown(struct capture *in, int64_t after, const struct value *key, struct error *err)
{
	struct statement *s =
		capture_statement(in, CAPTURE_MARKS_DISOWN,
				  "DELETE FROM leadsync_mark WHERE sequence > ?1 AND job = ?2"
				  " AND CAST(key AS TEXT) = ?3",
				  err);

	if (!s)
		return false;
	statement_bind_int_at(s, 1, after);
	statement_bind_int_at(s, 2, in->job);
	statement_bind_text_at(s, 3, key->text, key->len);
	return statement_run(s, err);
}

bool marks_disown_all(struct capture *in, int64_t after, struct error *err)
{
	struct statement *s =
		capture_statement(in, CAPTURE_MARKS_DISOWN_ALL,
				  "DELETE FROM leadsync_mark WHERE sequence > ?1 AND job = ?2",
				  err);

	if (!s)
		return false;
	statement_bind_int_at(s, 1, after);
	statement_bind_int_at(s, 2, in->job);
	return statement_run(s, err);
}
