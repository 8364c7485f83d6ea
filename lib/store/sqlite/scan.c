/* scan.c - what other programs did to the job's rows: marks (capture.h) taken, and links and all
 * else that names a row put right before anybody looks at one.
 *
 * In order: what is owed after a gap; following steps; taking; rows that went without a mark;
 * dropping. */
#include <string.h>

#include "base/arena.h"
#include "record/mapping.h"
#include "store/sqlite/session.h"

static bool mark_every_row(struct session *in, struct error *err)
{
	CLEANUP_FREE char *sql = mem_format("INSERT INTO leadsync_mark (job, operation, key)"
					    " SELECT :job, 'update', \"%s\" FROM main.\"%s\"",
					    in->job.key, in->job.table);

	return session_run(in, sql, err);
}

/* A row that nobody has a mark of may have changed, or gone. */
static bool owe_a_look(struct session *in, struct error *err)
{
	in->scan.gone_owed = true;
	return mark_every_row(in, err) && cursor_save_scan(in, err);
}

static void name_columns(struct session *in)
{
	const struct mapping *mapping = in->job.mapping;

	in->columns = mem_array(const char *, mapping->count);
	for (size_t i = 0; i < mapping->count; i++)
		in->columns[i] = mapping->fields[i].column;
	in->capture = (struct capture){ .db = in->db,
					.job = in->job_number,
					.table = in->job.table,
					.key = in->job.key,
					.columns = in->columns,
					.column_count = mapping->count };
}

bool scan_open(struct session *in, bool made, struct error *err)
{
	struct capture_state state;

	name_columns(in);
	if (!capture_ensure(&in->capture, &state, err))
		return false;
	in->foreign_triggers = state.foreign_triggers;
	in->alone = state.alone;
	if (!capture_version(&in->capture, &in->schema_version, err))
		return false;
	if (state.was != CAPTURE_STOOD && !made && !owe_a_look(in, err))
		return false;
	in->scan.gone_look = in->scan.gone_owed || state.may_replace;
	return true;
}

bool scan_look(struct session *in, int64_t schema_version, struct error *err)
{
	struct capture_state state;

	if (schema_version == in->schema_version)
		return true;
	if (!capture_look(&in->capture, &state, err))
		return false;
	in->foreign_triggers = state.foreign_triggers;
	in->alone = state.alone;
	in->schema_version = schema_version;
	return true;
}

/* A list that grows in the arena. */
struct ending {
	struct arena *arena;
	struct store_ended *list;
	size_t count, room;
	int64_t at_ms;
};

static void add_ended(const char *remote_id, void *arg)
{
	struct ending *in = arg;
	struct store_ended *line;

	if (in->count == in->room) {
		size_t room = in->room ? in->room * 2 : 16;
		struct store_ended *list = arena_take(in->arena, room * sizeof(*list));

		if (in->count)
			memcpy(list, in->list, in->count * sizeof(*list));
		in->list = list;
		in->room = room;
	}
	line = &in->list[in->count++];
	*line = (struct store_ended){ .at_ms = in->at_ms };
	if (strlen(remote_id) < sizeof(line->remote_id))
		strcpy(line->remote_id, remote_id);
}

static bool end_row(struct session *in, const struct value *key, int64_t sequence,
		    struct ending *ending, struct error *err)
{
	return link_end_row(in, key, sequence, add_ended, ending, err) &&
	       journal_end_row(in, key, sequence, err) && due_end_row(in, key, err) &&
	       rejects_end_row(in, key, err) && conflicts_end_row(in, key, err);
}

static bool move_row(struct session *in, const struct mark_step *step, struct error *err)
{
	const struct value *old_key = &step->old_key, *key = &step->key;

	return link_move_row(in, old_key, key, step->sequence, err) &&
	       journal_move_row(in, old_key, key, step->sequence, err) &&
	       due_move_row(in, old_key, key, err) && rejects_move_row(in, old_key, key, err) &&
	       conflicts_move_row(in, old_key, key, err);
}

static bool follow(struct session *in, struct ending *ending, struct error *err)
{
	for (size_t i = 0; i < in->taken.step_count; i++) {
		const struct mark_step *step = &in->taken.steps[i];

		ending->at_ms = step->at_ms;
		if (!end_row(in, &step->key, step->sequence, ending, err) ||
		    (step->kind == MARK_MOVED && !move_row(in, step, err)))
			return false;
	}
	return true;
}

/* When none is left, all up to the youngest have been read: those that stay are of other jobs, and
 * need not be passed by again. */
static bool pass_by(struct session *in, struct error *err)
{
	int64_t youngest;

	if (in->taken.more)
		return true;
	if (!marks_youngest(&in->capture, &youngest, err))
		return false;
	if (youngest > in->taken.last)
		in->taken.last = youngest;
	return true;
}

static bool look_for_gone(struct session *in, size_t most, struct ending *ending, bool *ret_more,
			  struct error *err)
{
	struct value *keys;
	size_t count;

	if (!capture_gone(&in->capture, most, ending->arena, &keys, &count, err))
		return false;
	ending->at_ms = 0;
	for (size_t i = 0; i < count; i++)
		if (!end_row(in, &keys[i], INT64_MAX, ending, err))
			return false;
	*ret_more = count == most;
	in->scan.gone_look = *ret_more;
	if (*ret_more || !in->scan.gone_owed)
		return true;
	in->scan.gone_owed = false;
	return cursor_save_scan(in, err);
}

static void tell_rows(const struct mark_page *page, struct arena *arena, struct store_marks *ret)
{
	ret->rows = arena_take(arena, page->row_count * sizeof(*ret->rows));
	ret->row_count = page->row_count;
	for (size_t i = 0; i < page->row_count; i++)
		ret->rows[i] = (struct store_touched){ page->rows[i].key, page->rows[i].at_ms };
}

bool scan_take(struct store_session *session, size_t most, struct arena *arena,
	       struct store_marks *ret, struct error *err)
{
	struct session *in = session_of(session);
	struct ending ending = { .arena = arena };
	struct store_marks made = { 0 };

	if (!marks_take(&in->capture, in->scan.after, most, arena, &in->taken, err) ||
	    !follow(in, &ending, err) || !pass_by(in, err))
		return false;
	made.more = in->taken.more;
	if (!made.more && in->scan.gone_look && !look_for_gone(in, most, &ending, &made.more, err))
		return false;
	tell_rows(&in->taken, arena, &made);
	made.ended = ending.list;
	made.ended_count = ending.count;
	*ret = made;
	return true;
}

bool scan_drop(struct store_session *session, struct error *err)
{
	struct session *in = session_of(session);
	bool any = in->taken.count;

	if (!marks_delete(&in->capture, &in->taken, err))
		return false;
	in->scan.after = in->taken.last;
	in->taken = (struct mark_page){ .last = in->taken.last };
	return !any || cursor_save_scan(in, err);
}
