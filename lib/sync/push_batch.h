/* push_batch.h - up to 200 pairs or rows that owe the remote something, from being taken to being
 * settled. It goes to and fro between loop and worker like the run's apply; the functions are called
 * on the worker. Only for the files push*.c.
 *
 *     push_take -> searches (read on the loop) -> push_build -> requests (loop) -> push_settle
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "remote/remote.h"
#include "store/due.h"

struct apply;
struct arena;
struct record_page;

/* In this order: an unanswered write first becomes known or due again; a row first finds its record.
 */
enum push_kind { PUSH_UNANSWERED, PUSH_ROWS, PUSH_PAIRS, PUSH_END };

/* Records that are read before anything is built. */
struct push_search {
	const char *field; /* NULL: by id */
	bool within;       /* the job's `where` */
	struct value *picks;
	size_t count;
};
#define PUSH_SEARCHES 3

struct push_batch {
	struct arena *arena;
	enum push_kind kind;
	struct due *dues; /* taken; or, of what is unanswered, */
	struct sent *unanswered;
	size_t count;
	struct push_search searches[PUSH_SEARCHES];
	size_t search_count;
	struct record_page **pages; /* owned: what was found */
	size_t page_count;
	int64_t server_ms; /* the server's clock when the last search was answered */
	int64_t read_ms;   /* and the loop's steady one when the first was asked */

	/* Built: what is sent, each kind of operation by itself, in this order. */
	struct sent *sent;
	size_t sent_count;
	bool has_key; /* creations go by a key */
};

struct push_batch *push_batch_new(enum push_kind kind);
void push_batch_free(struct push_batch *in);
CLEANUP_DEFINE(struct push_batch, push_batch_free)

/* Takes at most `most` behind `*after`, which moves on. None: `count` is 0. */
bool push_take(struct apply *in, struct push_batch *batch, size_t most, int64_t *after,
	       struct error *err);

/* Merges, writes what rows get, and journals what is to be sent: one unit. */
bool push_build(struct apply *in, struct push_batch *batch, struct error *err);

/* A request: sents [from, from + count) of one operation. */
struct push_part {
	size_t from, count;
};

/* The operation of the request; a part never mixes them. */
enum remote_operation push_operation(const struct push_batch *batch, size_t at);

/* How a request ended: one unit. ANSWERED and UNKNOWN concern the whole part. */
struct push_end {
	struct push_part part;
	enum remote_end end;
	struct remote_results *results; /* ANSWERED; owned by the caller */
	int64_t server_ms;
	struct error why; /* UNKNOWN */
};
/* `ret_stop` is set (and *ret_stops true) where one of the results says that all must stop. */
bool push_settle(struct apply *in, struct push_batch *batch, const struct push_end *end,
		 bool *ret_stops, struct error *ret_stop, struct error *err);

/* Not done, and not refused either: all of the part is due again, and it does not count as a try. */
bool push_give_back(struct apply *in, struct push_batch *batch, const struct push_part *part,
		    struct error *err);

/* Not done, and this one is at fault; `field` NULL: as a whole. */
bool push_refuse(struct apply *in, struct push_batch *batch, size_t at, const char *field,
		 const struct error *why, struct error *err);
