/* capture.h - what other programs change in a job's table. Only for this folder.
 *
 * Three triggers a job, leadsync_<job number>_insert, _update and _delete, append a line to
 * leadsync_mark in the transaction of whoever writes: which row, and what happened to it; never a
 * value but the key. So a mark is there if and only if the change is. The triggers use nothing but
 * what every SQLite since 3.8.2 has, and the mark table has no rule a mark could break: a
 * statement's OR IGNORE, OR REPLACE or ON CONFLICT reaches into triggers, and would drop the mark.
 *
 *     capture_ensure -> marks_take -> (links, rows, due) -> marks_delete -> commit
 *
 * The time of a mark is the writer's clock when its statement ran, UTC in milliseconds. A store is
 * on a local filesystem, so that is this machine's clock. A statement has one time for all its
 * rows, also when it commits later; marks are ordered by sequence, never by time.
 *
 * It costs an update of a mapped column about as much again as the update itself in a transaction
 * of many, next to nothing beside a commit of its own, and an update of other columns nothing.
 *
 * WHAT LEAVES NO MARK
 *   - A row that REPLACE deletes because of another unique column than the key, while the writer's
 *     recursive_triggers is off (SQLite's default). `may_replace` tells that the table allows it,
 *     capture_gone() finds the links concerned. By a hidden rowid the same happens unannounced.
 *   - What a trigger of the table's owner does by RAISE(IGNORE) in an AFTER trigger: SQLite skips
 *     the triggers behind it, and the change stands.
 *   - Incremental blob writes, and a connection that switched triggers off or writes pages itself.
 *   - A key renamed again by a trigger on the renaming leaves its two marks in the wrong order.
 * A compare of every row finds the second and third kind.
 *
 * WHAT THE OWNER OF THE TABLE MEETS
 *   - RENAME of table or column: SQLite rewrites the triggers, nothing is missed.
 *   - DROP COLUMN of a mapped column: refused by SQLite, "error in trigger leadsync_1_update after
 *     drop column: no such column: OLD.email". Take it out of the mapping, let the job run once,
 *     then drop it; or `leadsync detach JOB`.
 *   - The table dropped and made again, or rebuilt under another name: the triggers went with it,
 *     which is a gap.
 *   - leadsync_mark dropped with the triggers in place: every write to the table fails, "no such
 *     table: main.leadsync_mark". Detach drops triggers first. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/value.h"

struct arena;
struct db;
struct error;
struct statement;

/* A step of leadsync_ledger: leadsync_mark and leadsync_capture. */
extern const char capture_step_1[];

/* Statements kept from use to use. */
enum capture_kept {
	CAPTURE_MARKS_TAKE,
	CAPTURE_MARKS_YOUNGER,
	CAPTURE_MARKS_DELETE,
	CAPTURE_MARKS_YOUNGEST,
	CAPTURE_MARKS_DISOWN,
	CAPTURE_MARKS_DISOWN_ALL,
	CAPTURE_KEPT_COUNT
};

/* One job's. Whoever embeds it fills in the first part, zeroes the second, and clears it before the
 * connection closes. Names may be any at all. */
struct capture {
	struct db *db;
	int64_t job; /* its number in leadsync_cursor */
	const char *table;
	const char *key;            /* NOT NULL and unique, as table_ensure() demands */
	const char *const *columns; /* the mapped ones; may name the key */
	size_t column_count;

	struct statement *kept[CAPTURE_KEPT_COUNT];
};
void capture_clear(struct capture *in);

/* What capture was until now. */
enum capture_was {
	CAPTURE_STOOD,    /* nothing can have been missed */
	CAPTURE_DOUBTFUL, /* the triggers are right, but somebody changed the schema since the last
			     look, and may have taken them away in between: tools that rebuild a
			     table do. VACUUM and a new index look the same from here. */
	CAPTURE_MISSING,  /* they were not there, or not as the mapping needs them */
};

struct capture_state {
	enum capture_was was;
	bool foreign_triggers; /* the table has others: read back what is written, in its unit */
	bool may_replace;      /* rows may go without a mark, see above: capture_gone() */
	bool alone;            /* no trigger of others in the whole database, and no foreign key in
				  the table: a write of ours changes what it says, and nothing else */
};

/* Makes what is missing and replaces what differs. Inside a unit, when the table is there, at the
 * beginning of each run; cheap when there is nothing to do. After anything but CAPTURE_STOOD every
 * row must be compared, and it is told once only: what is owed is kept in this same unit. */
bool capture_ensure(struct capture *in, struct capture_state *ret, struct error *err);

/* All of it but `was`, as it is now: somebody may change the schema while a session lasts. */
bool capture_look(struct capture *in, struct capture_state *ret, struct error *err);

/* Our own change of the schema is no reason for any job to compare its rows: the version before it,
 * and after it, in the same unit, who had seen that one has seen this one, too. Need only db. */
bool capture_version(struct capture *in, int64_t *ret, struct error *err);
bool capture_carry_over(struct capture *in, int64_t before, struct error *err);

/* Takes the triggers away, and the job's marks. Inside a unit. Needs only db and job, not the table
 * itself, and finds nothing to do the second time. */
bool capture_drop(struct capture *in, struct error *err);

/* Keys of the job's links whose row is gone, at most `most`; a link that was seen to loses its key,
 * and the next call gives the next ones. Where rows may be replaced, after marks were taken, in the
 * same unit and with none left: a renaming that waits looks the same. Costs a look-up a link, in
 * the order of keys. */
bool capture_gone(struct capture *in, size_t most, struct arena *arena, struct value **ret,
		  size_t *ret_count, struct error *err);

/* What happened to rows as such, so to links. To be followed in order, before any row is read. */
enum mark_step_kind {
	MARK_ENDED, /* the row `key` was deleted, or another has taken its place: a link that holds
		       the key has lost its row */
	MARK_MOVED, /* the row `old_key` is named `key` now: a link that holds `key` has lost its
		       row, one that holds `old_key` holds `key` */
};

/* A link that was made when `sequence` was written already (marks_youngest() then was not less)
 * knows better than the step, which is of an earlier row. */
struct mark_step {
	enum mark_step_kind kind;
	struct value key, old_key; /* as the column stores it; old_key null if not MARK_MOVED */
	int64_t sequence;
	int64_t at_ms;
};

/* A row to be read and compared: one for each key, however many marks it has. A mark says where to
 * look and the row says what is: without a link it is a new row, which must match; equal to what
 * its link knows, nothing. If there is no row, the steps have said why, or marks not yet taken
 * will: by itself it means no deletion. */
struct mark_row {
	struct value key;
	int64_t at_ms; /* of its youngest mark, for the rule `newest` */
};

struct mark_page {
	struct mark_step *steps;
	size_t step_count;
	struct mark_row *rows;
	size_t row_count;
	int64_t *sequences; /* every mark that was read */
	size_t count;
	int64_t last; /* the youngest of them; `after` if there was none */
	bool more;
};

/* The job's marks younger than `after` (0: all), at most `most` of them, without deleting any;
 * what it gives is in the arena. Inside the unit that acts on it: rows and links must be read as of
 * this moment. A row that a younger mark ends, moves or puts another in the place of is left out,
 * as it will be in the page of that mark. */
bool marks_take(struct capture *in, int64_t after, size_t most, struct arena *arena,
		struct mark_page *ret, struct error *err);

/* Deletes exactly the marks of the page. Inside the unit that wrote down what they asked for. */
bool marks_delete(struct capture *in, const struct mark_page *page, struct error *err);

/* The youngest mark of all jobs, 0 if there is none. Sequences are never used twice and grow in the
 * order of commits: who writes holds the database's only write lock. */
bool marks_youngest(struct capture *in, int64_t *ret, struct error *err);

/* A job's own write leaves no mark for that job, and one for every other job that maps a column
 * that changed: before a row is written marks_youngest(), after it, in the same unit and part,
 * marks_disown() with that and the row's key. It takes back what the write left for this job at
 * that key, and nothing else: rows that the owner's triggers or foreign keys changed besides stay
 * marked, as do marks of others from before.
 *
 * No flag tells the triggers who writes, so none can be left behind by a killed daemon or be met by
 * another program; until the commit nobody else sees these marks. A mark that is not taken back
 * (the key is spelt otherwise than it is stored) costs one look that finds nothing changed. */
bool marks_disown(struct capture *in, int64_t after, const struct value *key, struct error *err);

/* The same for all that was written since, where capture_state says `alone`: no mark of this job is
 * anybody else's then, since the unit began before. */
bool marks_disown_all(struct capture *in, int64_t after, struct error *err);

/* For the two files of this header: prepared at the first use, NULL: failed. */
struct statement *capture_statement(struct capture *in, enum capture_kept which, const char *sql,
				    struct error *err);
