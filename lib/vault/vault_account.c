/* vault_account.c - the table `account`.
 *
 * Its columns are plain and not authenticated. Who can write the file as this user can also send a
 * token himself; and a restored backup is genuine, only old: a seal would open as well as before.
 * What tells it is the high-water mark, which stands elsewhere. */
#include "base/error.h"
#include "secret/secret.h"
#include "sqlite/statement.h"
#include "vault/inside.h"
#include "vault/marks.h"

static bool find_stale(struct vault *in, const char *account, struct statement *s, bool *ret_stale,
		       struct error *err)
{
	CLEANUP(marks_free) struct marks *marks = NULL;
	uint64_t mark;

	*ret_stale = false;
	if (statement_is_null(s, "token_generation"))
		return true; /* there is nothing that could be sent */
	marks = marks_read(in->folder, err);
	if (!marks)
		return false;
	*ret_stale = !marks_find(marks, account, &mark) ||
		     (uint64_t)statement_int(s, "token_generation") < mark;
	return true;
}

bool vault_account_get(struct vault *in, const char *account, struct vault_account *ret,
		       struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"SELECT asked, disconnected, learned_life_s, learned_ms,"
		" token.generation AS token_generation"
		" FROM account LEFT JOIN token ON token.account = account.name WHERE name = :name",
		err);
	struct vault_account about = { 0 };
	bool row;

	if (!s)
		return false;
	statement_bind_text(s, ":name", account);
	if (!statement_step(s, &row, err) ||
	    (row && !find_stale(in, account, s, &about.stale, err)))
		return false;
	if (row) {
		about.asked = (unsigned)statement_int(s, "asked");
		about.disconnected = statement_int(s, "disconnected") != 0;
		about.learned_life_s = statement_int(s, "learned_life_s");
		about.learned_ms = statement_int(s, "learned_ms");
	}
	*ret = about;
	return true;
}

bool vault_account_set_asked(struct vault *in, const char *account, unsigned asked,
			     struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db,
			      "INSERT INTO account (name, asked) VALUES (:name, :asked)"
			      " ON CONFLICT (name) DO UPDATE SET asked = :asked",
			      err);

	if (!s)
		return false;
	statement_bind_text(s, ":name", account);
	statement_bind_int(s, ":asked", asked);
	return inside_run_alone(in, s, err);
}

bool vault_account_set_learned(struct vault *in, const char *account, int64_t life_s,
			       int64_t now_ms, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s = statement_new(
		in->db,
		"INSERT INTO account (name, learned_life_s, learned_ms)"
		" VALUES (:name, :life_s, :now_ms)"
		" ON CONFLICT (name) DO UPDATE SET learned_life_s = :life_s, learned_ms = :now_ms",
		err);

	if (!s)
		return false;
	statement_bind_text(s, ":name", account);
	statement_bind_int(s, ":life_s", life_s);
	statement_bind_int(s, ":now_ms", now_ms);
	return inside_run_alone(in, s, err);
}

static bool write_disconnected(struct vault *in, const char *account, struct error *err)
{
	CLEANUP(statement_free)
	struct statement *s =
		statement_new(in->db,
			      "INSERT INTO account (name, disconnected) VALUES (:name, 1)"
			      " ON CONFLICT (name) DO UPDATE SET disconnected = 1, asked = 0,"
			      " learned_life_s = 0, learned_ms = 0",
			      err);

	if (!s)
		return false;
	statement_bind_text(s, ":name", account);
	return statement_run(s, err);
}

/* A refresh token takes its access tokens along. One from a backup is sent nowhere: another machine
 * may live on its successor. */
static struct secret *revocable(const struct vault_token *token, bool stale)
{
	if (stale)
		return NULL;
	return token->refresh_token ? token->refresh_token : token->access_token;
}

bool vault_disconnect(struct vault *in, const char *account, int64_t now_ms, struct error *err)
{
	struct vault_token token = { 0 };
	struct vault_account known;
	bool found = false, ok;

	if (!vault_account_get(in, account, &known, err))
		return false;
	/* First, so that no backup brings the token back that the operator gave up. */
	if (!inside_token_mark_past(in, account, err) || !db_begin(in->db, err))
		return false;
	/* What was tampered with goes too, though nothing of it can be sent anywhere. */
	ok = vault_token_get(in, account, &token, &found, err) || err->kind == ERROR_STATE;
	ok = ok &&
	     (!found || inside_revocation_insert(in, account, token.source,
						 revocable(&token, known.stale), now_ms, err)) &&
	     inside_token_remove(in, account, err) && write_disconnected(in, account, err);
	vault_token_done(&token);
	return db_end(in->db, ok, err);
}
