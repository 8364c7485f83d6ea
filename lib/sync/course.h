/* course.h - where a job's reading stands and where it goes next. Pure: arithmetic on the cursor.
 *
 *     NONE -> LOAD -> SETTLED -> CHANGES -> SETTLED -> CHANGES ...
 *
 * A load reads all that live, by id. The first one's bound is the server's clock when it begins,
 * less a margin; a later one (the mapping grew, `where` changed, a full read was asked for) keeps
 * the bound of what is settled already, because a load shows no deletions: the increment after it
 * must begin where deletions are last known. An increment reads [since, bound) by stamp, deletions
 * included; its since is the settled bound less `overlap`, since a record shows only when its
 * transaction commits, up to ten minutes after its stamp. A leg that was cut goes on where it was,
 * with its own bounds; a fresh increment follows.
 *
 * All that a window could show more than once is dropped by its hash, so a window may begin too
 * early but never too late. Three things rest on this:
 *
 *   - A run that found nothing new writes nothing: its new bound is kept in memory (sync_store) for
 *     the next run, and saved with the next write, or once the saved one is an hour older. A
 * program that dies in between begins at the saved bound, an hour's unchanged records earlier.
 *   - Inside an increment the position is saved with each page that wrote something, and every
 *     COURSE_UNSAVED_PAGES pages otherwise.
 *   - A load may be begun again at any time.
 *
 * A bound that lies further ahead of the server's clock than `overlap` came from a Date that was
 * wrong. What was changed since is not known to be read, and no increment could begin: all is read
 * again and compared, and then all changes that the recycle bin may still tell of.
 *
 * Deletions are shown for about 15 days (the recycle bin). If at the start of a run the last known
 * are older than that, the job owes a compare: a read of all ids, after which a live link that was
 * not shown is out of sight. The saved bound is never more than an hour behind, which the 15 days
 * do not feel. A record purged between two runs, or one that left `where`, is told of nowhere: a
 * compare is owed also once a week, and once a day with a `where`. A full read owes the same; where
 * it was not cut, its own ids serve. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct record_page;
struct remote_query;

#define COURSE_MARGIN_MS      ((int64_t)5 * 1000)
#define COURSE_DELETIONS_MS   ((int64_t)15 * 24 * 3600 * 1000)
#define COURSE_WHOLE_MS       ((int64_t)7 * 24 * 3600 * 1000)
#define COURSE_WHOLE_WHERE_MS ((int64_t)24 * 3600 * 1000)
#define COURSE_SAVED_AGE_MS   ((int64_t)3600 * 1000)
#define COURSE_UNSAVED_PAGES  16
#define COURSE_STILL_PAGES    3 /* and the leg is taken to go nowhere */

/* A server's Date outside of 2025 to 2099 is no date. */
#define COURSE_FIRST_DATE_MS ((int64_t)1735689600 * 1000)
#define COURSE_LAST_DATE_MS  ((int64_t)4102444800 * 1000)

enum course_leg { COURSE_END, COURSE_LOAD, COURSE_COMPARE, COURSE_CHANGES };

struct course {
	struct store_state state; /* owned; all before its cursor is committed */
	struct cursor saved;      /* as the ledger has it */
	enum course_leg leg;      /* under way; COURSE_END between legs */
	int64_t overlap_ms;
	int64_t server_ms;     /* the server's latest Date */
	int64_t leg_server_ms; /* when the leg began */
	bool tracks_seen;      /* this leg has shown every id since its beginning */
	bool fresh_done;       /* the increment up to now has been read */
	bool was_ahead;        /* the bound lay in the server's future: all is read again */
	unsigned unsaved_pages;
	unsigned still_pages; /* in a row, that did not move the position */
	char compare_id[19];  /* a compare's position: lost with the run, as what it has seen is */
};

struct course_args {
	int64_t server_ms;
	int64_t overlap_ms;
	const char *mapping; /* mapping_print() of today's */
	const char *where;   /* NULL: none */
	const char *schema;  /* schema.version; NULL: none */
	bool full;
};

/* `state` (copied) as the store has it; `known` what memory adds to it, or NULL. True: what the
 * ledger knows of mapping and purpose must be saved before anything is read. */
bool course_begin(struct course *in, const struct store_state *state, const struct cursor *known,
		  const struct course_args *args);
void course_clear(struct course *in);

/* The next leg, begun. */
enum course_leg course_next(struct course *in);

/* Where that leg reads on. `after_id` is borrowed from the course. */
void course_query(const struct course *in, struct remote_query *ret);

/* A page of the leg was applied; after the last one the leg is over. */
void course_page(struct course *in, const struct record_page *page);

/* Must the state be saved in this page's unit? `written`: the unit holds other writes. */
bool course_must_save(const struct course *in, bool written);

/* Must it be saved at the run's end, although nothing was written since? */
bool course_must_save_at_end(const struct course *in);

/* It was: with the unit that was just committed. */
void course_was_saved(struct course *in);

/* Everything before it is kept (server's clock); 0: nothing yet. */
int64_t course_kept_ms(const struct cursor *in);
