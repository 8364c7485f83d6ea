/* session.c - what the files of this folder share: kept statements, keys and values bound and read.
 */
#include "store/sqlite/session.h"

#include <string.h>

#include "base/arena.h"

struct statement *session_kept(struct session *in, enum kept which, const char *sql,
			       struct error *err)
{
	if (!in->kept[which])
		in->kept[which] = statement_new(in->db, sql, err);
	return in->kept[which];
}

bool session_run(struct session *in, const char *sql, struct error *err)
{
	CLEANUP(statement_free) struct statement *s = statement_new(in->db, sql, err);

	if (!s)
		return false;
	statement_bind_int(s, ":job", in->job_number);
	return statement_run(s, err);
}

bool session_run_number(struct session *in, enum kept which, const char *sql, int64_t number,
			struct error *err)
{
	struct statement *s = session_kept(in, which, sql, err);

	if (!s)
		return false;
	statement_bind_int_at(s, 1, number);
	return statement_run(s, err);
}

bool session_number(const struct value *in, int64_t *ret)
{
	uint64_t most, number = 0;
	bool minus = in->len && in->text[0] == '-';

	if (!in->text || in->len == minus)
		return false;
	most = minus ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
	for (uint32_t i = minus; i < in->len; i++) {
		unsigned digit = (unsigned)in->text[i] - '0';

		if (digit > 9 || number > (most - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*ret = (int64_t)(minus ? -number : number);
	return true;
}

void session_bind_key(const struct session *in, struct statement *s, int position,
		      const struct value *key)
{
	int64_t number;

	if (!key->text)
		statement_bind_null_at(s, position);
	else if (in->key_is_number && session_number(key, &number))
		statement_bind_int_at(s, position, number);
	else
		statement_bind_text_at(s, position, key->text, key->len);
}

void session_bind_key_as(struct statement *s, const char *name, const struct session *in,
			 const struct value *key)
{
	session_bind_key(in, s, statement_position(s, name), key);
}

void session_bind_value(struct statement *s, const char *name, const struct value *value)
{
	if (value->text)
		statement_bind_text_at(s, statement_position(s, name), value->text, value->len);
	else
		statement_bind_null(s, name);
}

static struct value copy(const char *text, size_t len, struct arena *arena)
{
	return text ? (struct value){ arena_copy(arena, text, len), (uint32_t)len }
		    : (struct value){ 0 };
}

struct value session_value_at(struct statement *s, int column, struct arena *arena)
{
	size_t len;
	const char *text = statement_text_at(s, column, &len);

	return copy(text, len, arena);
}

/* Text of the ledger holds no NUL but in values of a table of others, and is cut there. */
struct value session_value(struct statement *s, const char *column, struct arena *arena)
{
	const char *text = statement_text(s, column);

	return copy(text, text ? strlen(text) : 0, arena);
}

const char *session_text(struct statement *s, const char *column, struct arena *arena)
{
	return session_value(s, column, arena).text;
}

struct record_hash session_hash(struct statement *s, const char *column)
{
	struct record_hash hash = { 0 };
	size_t len;
	const void *bytes = statement_bytes(s, column, &len);

	if (len == sizeof(hash))
		memcpy(&hash, bytes, len);
	return hash;
}

void session_id(struct statement *s, const char *column, char out[19])
{
	const char *text = statement_text(s, column);

	out[0] = '\0';
	if (text && strlen(text) < 19)
		strcpy(out, text);
}

#define MOST_LINES 10000

size_t session_most_lines(const struct store_listing *what)
{
	return what->limit < MOST_LINES ? what->limit : MOST_LINES;
}
