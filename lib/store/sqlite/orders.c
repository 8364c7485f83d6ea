/* orders.c - what an operator asks for: rejects tried again or not heard of any more, and who is
 * right. Without a session, so without a mapping: fields are told by leadsync_field.
 *
 * In order: whom an order is about; RETRY and IGNORE; RESOLVE of fields, or of a row that outlived
 * its record; RESOLVE of a row that matched several. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/sqlite/pack.h"
#include "store/sqlite/session.h"

struct following {
	struct db *db;
	const struct store_order *order;
	int64_t job;
	char remote_id[19]; /* what `id` says if it is one; else "" */
	int64_t count;
};

/* A key is a number or a text, as its column stores it. */
#define IS_KEY "key IN (:key, CAST(:key AS NUMERIC)) AND CAST(key AS TEXT) = :key"

/* What of an order a text asks for. */
static void bind(const struct following *in, struct statement *s, const char *sql)
{
	statement_bind_int(s, ":job", in->job);
	if (strstr(sql, ":key"))
		statement_bind_text(s, ":key", in->order->id);
	if (strstr(sql, ":id"))
		statement_bind_text(s, ":id", *in->remote_id ? in->remote_id : NULL);
	if (strstr(sql, ":field"))
		statement_bind_text(s, ":field", in->order->field);
	if (strstr(sql, ":now"))
		statement_bind_int(s, ":now", in->order->now_ms);
}

/* Also by the key of the row of a pair. */
#define IS_WHOSE                                                                                   \
	" job = :job AND (:key IS NULL OR remote_id = :id OR remote_id = :key OR (" IS_KEY ")"     \
	" OR remote_id IN (SELECT remote_id FROM leadsync_link WHERE job = :job AND " IS_KEY "))"

static bool run(struct following *in, const char *sql, int64_t *count, struct error *err)
{
	CLEANUP(statement_free) struct statement *s = statement_new(in->db, sql, err);
	int64_t before = db_total_changes(in->db);

	if (!s)
		return false;
	bind(in, s, sql);
	if (!statement_run(s, err))
		return false;
	if (count)
		*count += db_total_changes(in->db) - before;
	return true;
}

#define IS_FIELD "(:field IS NULL OR field = :field COLLATE NOCASE)"
#define REJECTS  "leadsync_rejects WHERE" IS_WHOSE " AND " IS_FIELD

/* Of what is put into leadsync_due. */
#define WAITS_AGAIN " ON CONFLICT DO UPDATE SET state = 'waiting', not_before_ms = 0, tries = 0"

/* A record that was not taken is read again because its pair is due, be there a link or not. */
static bool retry(struct following *in, struct error *err)
{
	return run(in,
		   "INSERT INTO leadsync_due (job, state, remote_id, key, edited_ms, since_ms,"
		   " not_before_ms, tries) SELECT job, 'waiting', remote_id,"
		   " CASE WHEN remote_id IS NULL THEN key END, 0, :now, 0, 0 FROM " REJECTS
		   " GROUP BY remote_id, CASE WHEN remote_id IS NULL THEN key END" WAITS_AGAIN,
		   NULL, err) &&
	       run(in, "DELETE FROM " REJECTS, &in->count, err);
}

static bool ignore(struct following *in, struct error *err)
{
	return run(in,
		   "UPDATE leadsync_rejects SET ignored = 1 WHERE" IS_WHOSE " AND " IS_FIELD
		   " AND ignored = 0",
		   &in->count, err);
}

/* --- RESOLVE of fields --- */

struct pair {
	char remote_id[19];
	struct value base;
};

static bool find_pair(struct following *in, struct arena *arena, struct pair *ret, bool *ret_found,
		      struct error *err)
{
	static const char text[] =
		"SELECT remote_id, base FROM leadsync_link WHERE job = :job AND remote_id IN"
		" (:id, :key, (SELECT remote_id FROM leadsync_link INDEXED BY leadsync_link_key"
		" WHERE job = :job AND " IS_KEY " ORDER BY state LIMIT 1))"
		" ORDER BY remote_id = :id DESC, state LIMIT 1";
	CLEANUP(statement_free) struct statement *s = statement_new(in->db, text, err);
	const void *bytes;
	size_t len;

	if (!s)
		return false;
	bind(in, s, text);
	if (!statement_step(s, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	session_id(s, "remote_id", ret->remote_id);
	bytes = statement_bytes(s, "base", &len);
	ret->base = (struct value){ len ? arena_copy(arena, bytes, len) : NULL, (uint32_t)len };
	return true;
}

static bool is_among(uint32_t number, const uint32_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

/* The choice goes with the link: the next merge of the pair does it. */
static bool choose(struct following *in, struct pair *pair, struct arena *arena, struct error *err)
{
	CLEANUP_FREE uint32_t *numbers = NULL;
	struct pack_item *items;
	size_t count, named = 0;

	if (!pair->base.len)
		return true;
	if ((in->order->field &&
	     !dictionary_find(in->db, in->job, in->order->field, &numbers, &named, err)) ||
	    !unpack_fields(&pair->base, arena, &items, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct link_field *field = &items[i].field;

		if (field->hold == FIELD_FREE ||
		    (in->order->field && !is_among(items[i].number, numbers, named)))
			continue;
		field->choice =
			in->order->winner == TOLD_REMOTE ? LINK_CHOICE_REMOTE : LINK_CHOICE_LOCAL;
		in->count++;
	}
	pair->base = pack_fields(items, count, arena);
	return true;
}

static bool put_base(struct following *in, const struct pair *pair, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(in->db,
					    "UPDATE leadsync_link SET base = :base"
					    " WHERE job = :job AND remote_id = :id",
					    err);

	if (!s)
		return false;
	statement_bind_bytes(s, ":base", pair->base.text, pair->base.len);
	statement_bind_int(s, ":job", in->job);
	statement_bind_text(s, ":id", pair->remote_id);
	return statement_run(s, err);
}

static bool make_due(struct following *in, const char *remote_id, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"INSERT INTO leadsync_due (job, state, remote_id, edited_ms, since_ms,"
		" not_before_ms, tries) VALUES (:job, 'waiting', :id, 0, :now, 0, 0)" WAITS_AGAIN,
		err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job);
	statement_bind_text(s, ":id", remote_id);
	statement_bind_int(s, ":now", in->order->now_ms);
	return statement_run(s, err);
}

static bool close_conflicts(struct following *in, const char *remote_id, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"UPDATE leadsync_conflicts SET state = 'resolved', winner = :winner"
		" WHERE job = :job AND remote_id = :id AND state = 'open' AND field IS NOT NULL"
		" AND " IS_FIELD,
		err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job);
	statement_bind_text(s, ":id", remote_id);
	statement_bind_text(s, ":winner", in->order->winner == TOLD_REMOTE ? "remote" : "local");
	statement_bind_text(s, ":field", in->order->field);
	return statement_run(s, err);
}

/* A row outlived its record: let go of the tombstone, it is a row without a record, which finds one
 * or has one made. */
static bool revive(struct following *in, const struct pair *pair, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"INSERT INTO leadsync_due (job, state, key, edited_ms, since_ms, not_before_ms,"
		" tries) SELECT job, 'waiting', key, 0, :now, 0, 0 FROM leadsync_link"
		" WHERE job = :job AND remote_id = :id AND state = :deleted AND key IS NOT "
		"NULL" WAITS_AGAIN,
		err);
	CLEANUP(statement_free) struct statement *unrow = NULL;
	int64_t before = db_total_changes(in->db);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job);
	statement_bind_text(s, ":id", pair->remote_id);
	statement_bind_int(s, ":now", in->order->now_ms);
	statement_bind_int(s, ":deleted", LINK_DELETED);
	if (!statement_run(s, err))
		return false;
	in->count = db_total_changes(in->db) - before;
	if (!in->count)
		return true;
	unrow = statement_new(in->db,
			      "UPDATE leadsync_link SET key = NULL WHERE job = :job AND"
			      " remote_id = :id",
			      err);
	if (!unrow)
		return false;
	statement_bind_int(unrow, ":job", in->job);
	statement_bind_text(unrow, ":id", pair->remote_id);
	return statement_run(unrow, err);
}

static bool resolve_fields(struct following *in, struct error *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new();
	struct pair pair;
	bool found;

	if (!find_pair(in, arena, &pair, &found, err))
		return false;
	if (!found)
		return true;
	if (!choose(in, &pair, arena, err))
		return false;
	if (!in->count && !in->order->field && in->order->winner == TOLD_LOCAL)
		return revive(in, &pair, err);
	return !in->count || (put_base(in, &pair, err) && make_due(in, pair.remote_id, err) &&
			      close_conflicts(in, pair.remote_id, err));
}

/* --- RESOLVE of a row that matched several records --- */

static bool resolve_row(struct following *in, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db,
			      "UPDATE leadsync_due SET chosen = :chosen, state = 'waiting',"
			      " not_before_ms = 0, tries = 0 WHERE job = :job AND remote_id IS NULL"
			      " AND " IS_KEY,
			      err);
	char chosen[19];
	int64_t before = db_total_changes(in->db);

	if (!value_id18(in->order->record_id, strlen(in->order->record_id), chosen))
		return error_set(err, ERROR_HUMAN, "bad-id",
				 "%s is no record id: 15 or 18 letters and digits",
				 in->order->record_id);
	if (!s)
		return false;
	statement_bind_text(s, ":chosen", chosen);
	statement_bind_int(s, ":job", in->job);
	statement_bind_text(s, ":key", in->order->id);
	if (!statement_run(s, err))
		return false;
	in->count = db_total_changes(in->db) - before;
	return !in->count ||
	       run(in,
		   "UPDATE leadsync_conflicts SET state = 'resolved' WHERE job = :job AND"
		   " remote_id IS NULL AND state = 'open' AND " IS_KEY,
		   NULL, err);
}

bool orders_follow(struct db *db, const struct store_order *order, int64_t *ret_count,
		   struct error *err)
{
	struct following following = { .db = db, .order = order };
	bool ok = true;

	if (!cursor_number(db, order->job, &following.job, err))
		return false;
	if (order->id && !value_id18(order->id, strlen(order->id), following.remote_id))
		following.remote_id[0] = '\0';
	if (following.job) {
		switch (order->act) {
		case STORE_RETRY: ok = retry(&following, err); break;
		case STORE_IGNORE: ok = ignore(&following, err); break;
		case STORE_RESOLVE:
			ok = order->record_id ? resolve_row(&following, err)
					      : !order->id || resolve_fields(&following, err);
			break;
		}
	}
	if (ok)
		*ret_count = following.count;
	return ok;
}
