/* match.c - which row may be an unlinked record's: by the columns that `match` names, and held by
 * no link. In order: the index; finding; other jobs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "record/mapping.h"
#include "store/sqlite/session.h"

/* Only what people spell as they like. */
bool match_folds(enum value_type type)
{
	return type == VALUE_TEXT || type == VALUE_SET;
}

static const struct mapping_field *match_field(const struct session *in, size_t i)
{
	return &in->job.mapping->fields[in->job.match[i]];
}

static const char *collation(const struct mapping_field *field)
{
	return match_folds(field->type) ? " COLLATE NOCASE" : "";
}

bool match_has_index(struct session *in, size_t field, bool *ret, struct error *err)
{
	const struct mapping_field *mapped = &in->job.mapping->fields[field];
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"SELECT 1 FROM pragma_index_list(:table, 'main') AS list,"
		" pragma_index_xinfo(list.name, 'main') AS part WHERE list.partial = 0"
		" AND part.seqno = 0 AND part.name = :column COLLATE NOCASE"
		" AND (:folds = 0 OR part.coll = 'NOCASE' COLLATE NOCASE)",
		err);

	if (!s)
		return false;
	statement_bind_text(s, ":table", in->job.table);
	statement_bind_text(s, ":column", mapped->column);
	statement_bind_int(s, ":folds", match_folds(mapped->type));
	return statement_step(s, ret, err);
}

static char *index_sql(const struct session *in)
{
	char *sql = NULL;
	size_t size;
	FILE *out = open_memstream(&sql, &size);

	fprintf(out, "CREATE INDEX leadsync_%lld_match ON \"%s\" (", (long long)in->job_number,
		in->job.table);
	for (size_t i = 0; i < in->job.match_count; i++)
		fprintf(out, "%s\"%s\"%s", i ? ", " : "", match_field(in, i)->column,
			collation(match_field(in, i)));
	fputs(")", out);
	fclose(out);
	return sql;
}

static bool index_stands(struct session *in, const char *sql, bool *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(in->db,
					    "SELECT 1 FROM sqlite_schema WHERE type = 'index'"
					    " AND sql = :sql",
					    err);

	if (!s)
		return false;
	statement_bind_text(s, ":sql", sql);
	return statement_step(s, ret, err);
}

bool match_ensure_index(struct session *in, struct error *err)
{
	CLEANUP_FREE char *sql = NULL;
	CLEANUP_FREE char *drop = mem_format("DROP INDEX IF EXISTS main.leadsync_%lld_match",
					     (long long)in->job_number);
	bool stands;

	if (!in->table_is_ours || !in->job.match_count)
		return true;
	sql = index_sql(in);
	if (!index_stands(in, sql, &stands, err))
		return false;
	return stands || (db_run(in->db, drop, err) && db_run(in->db, sql, err));
}

/* White space at the end of a text is nothing, as its canonical form has none: what has it stands in
 * the index right behind what has none. Of several columns only the first could be sought so. */
static void put_trimmed(FILE *out, const char *column)
{
	fprintf(out,
		" (\"%1$s\" = ?1 COLLATE NOCASE OR (\"%1$s\" > ?1 COLLATE NOCASE AND \"%1$s\" <"
		" (?1 || '!') COLLATE NOCASE AND trim(\"%1$s\", char(9, 10, 11, 12, 13, 32)) = ?1"
		" COLLATE NOCASE))",
		column);
}

static char *find_sql(const struct session *in)
{
	char *sql = NULL;
	size_t size;
	FILE *out = open_memstream(&sql, &size);

	fprintf(out, "SELECT \"%s\" FROM main.\"%s\" WHERE", in->job.key, in->job.table);
	if (in->job.match_count == 1 && match_folds(match_field(in, 0)->type)) {
		put_trimmed(out, match_field(in, 0)->column);
		fclose(out);
		return sql;
	}
	for (size_t i = 0; i < in->job.match_count; i++)
		fprintf(out, "%s \"%s\" = ?%s", i ? " AND" : "", match_field(in, i)->column,
			collation(match_field(in, i)));
	fclose(out);
	return sql;
}

static void bind_match(const struct session *in, struct statement *s, const struct value *values)
{
	for (size_t i = 0; i < in->job.match_count; i++) {
		enum value_type type = match_field(in, i)->type;
		int64_t number;

		if ((type == VALUE_INTEGER || type == VALUE_BOOLEAN) &&
		    session_number(&values[i], &number))
			statement_bind_int_at(s, (int)i + 1, number);
		else
			statement_bind_text_at(s, (int)i + 1, values[i].text, values[i].len);
	}
}

/* A record out of sight keeps its row, too: it may come back. */
static bool is_linked(struct session *in, int64_t job_number, const struct value *key, bool *ret,
		      struct error *err)
{
	struct statement *s =
		session_kept(in, KEPT_MATCH_HELD,
			     "SELECT 1 FROM leadsync_link INDEXED BY leadsync_link_key"
			     " WHERE job = ?1 AND key = ?2 AND state <> ?3 LIMIT 1",
			     err);
	bool ok;

	if (!s)
		return false;
	statement_bind_int_at(s, 1, job_number);
	session_bind_key(in, s, 2, key);
	statement_bind_int_at(s, 3, LINK_DELETED);
	ok = statement_step(s, ret, err);
	statement_reset(s);
	return ok;
}

static bool is_free(struct session *in, const struct value *key, bool *ret, struct error *err)
{
	bool linked, sent;

	if (!is_linked(in, in->job_number, key, &linked, err) ||
	    !journal_has_row(in, key, &sent, err))
		return false;
	*ret = !linked && !sent;
	return true;
}

static bool read_free(struct session *in, struct statement *s, size_t most, struct arena *arena,
		      struct value *ret, size_t *ret_count, struct error *err)
{
	size_t count = 0;
	bool row, free;

	while (count < most) {
		if (!statement_step(s, &row, err))
			return false;
		if (!row)
			break;
		ret[count] = session_value_at(s, 0, arena);
		if (!is_free(in, &ret[count], &free, err))
			return false;
		count += free;
	}
	*ret_count = count;
	return true;
}

bool match_find(struct store_session *session, const struct value *values, size_t most,
		struct arena *arena, struct value *ret, size_t *ret_count, struct error *err)
{
	struct session *in = session_of(session);
	CLEANUP_FREE char *sql = NULL;
	struct statement *s;
	bool ok;

	*ret_count = 0;
	if (!in->job.match_count)
		return true;
	for (size_t i = 0; i < in->job.match_count; i++)
		if (!values[i].text)
			return true;
	sql = in->kept[KEPT_MATCH_FIND] ? NULL : find_sql(in);
	s = session_kept(in, KEPT_MATCH_FIND, sql, err);
	if (!s)
		return false;
	bind_match(in, s, values);
	ok = read_free(in, s, most, arena, ret, ret_count, err);
	statement_reset(s);
	return ok;
}

/* What the row's key is to a job that names another column in `key`. */
static bool other_key(struct session *in, const char *column, const struct value *key,
		      struct arena *arena, struct value *ret, struct error *err)
{
	CLEANUP_FREE char *sql = mem_format("SELECT \"%s\" FROM main.\"%s\" WHERE \"%s\" = ?1",
					    column, in->job.table, in->job.key);
	CLEANUP(statement_free) struct statement *s = statement_new(in->db, sql, err);
	bool row;

	if (!s)
		return false;
	session_bind_key(in, s, 1, key);
	if (!statement_step(s, &row, err))
		return false;
	*ret = row ? session_value_at(s, 0, arena) : (struct value){ 0 };
	return true;
}

static bool holds_by_other_key(struct session *in, int64_t job_number, const struct value *key,
			       bool *ret, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db,
			      "SELECT 1 FROM leadsync_link INDEXED BY leadsync_link_key"
			      " WHERE job = :job AND key IN (:key, CAST(:key AS NUMERIC))"
			      " AND CAST(key AS TEXT) = :key AND state <> :deleted",
			      err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", job_number);
	session_bind_value(s, ":key", key);
	statement_bind_int(s, ":deleted", LINK_DELETED);
	return statement_step(s, ret, err);
}

static bool is_others(struct session *in, int64_t job_number, const char *column,
		      const struct value *key, bool *ret, struct error *err)
{
	CLEANUP(arena_free) struct arena *arena = NULL;
	struct value theirs;

	if (strcasecmp(column, in->job.key) == 0)
		return is_linked(in, job_number, key, ret, err);
	arena = arena_new();
	return other_key(in, column, key, arena, &theirs, err) &&
	       holds_by_other_key(in, job_number, &theirs, ret, err);
}

bool match_is_elsewhere(struct store_session *session, const struct value *key, bool *ret,
			struct error *err)
{
	struct session *in = session_of(session);
	struct statement *s = session_kept(in, KEPT_MATCH_OTHERS,
					   "SELECT number, key_column FROM leadsync_cursor"
					   " WHERE table_name = ?1 AND number <> ?2",
					   err);
	bool ok = s, row = true, found = false;
	size_t len;

	if (!s)
		return false;
	statement_bind_text_at(s, 1, in->job.table, strlen(in->job.table));
	statement_bind_int_at(s, 2, in->job_number);
	while (ok && !found) {
		ok = statement_step(s, &row, err);
		if (!ok || !row)
			break;
		ok = is_others(in, statement_int_at(s, 0), statement_text_at(s, 1, &len), key,
			       &found, err);
	}
	statement_reset(s);
	if (ok)
		*ret = found;
	return ok;
}
