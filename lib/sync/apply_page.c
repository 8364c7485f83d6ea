/* apply_page.c - one page as one unit: deletions one by one, then what lives, then rejects, the ids
 * seen and the cursor. */
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/log.h"
#include "record/mapping.h"
#include "record/record.h"
#include "store/store.h"
#include "sync/apply.h"
#include "sync/sync_store_worker.h"

/* A page while it is applied; all in the page's arena. */
struct work {
	struct apply *in;
	const struct store_ops *ops;
	struct record_page *page;
	struct run_counts counts;   /* of this page */
	struct record **records;    /* those that count: the last of each id */
	struct merge_input *inputs; /* likewise, and so on */
	struct merge_result *results;
	size_t count;
	struct store_reject *rejects;
	size_t reject_count;
	const char **settled; /* ids that are no longer rejects */
	size_t settled_count;
};

static void *take(struct work *work, size_t count, size_t size)
{
	return arena_take(work->page->arena, (count ? count : 1) * size);
}

/* FNV-1a: only to spread ids and keys over a small table. */
static size_t spread(const char *text, size_t len)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	return hash;
}

/* A page with a record twice would make two rows of it: only the last counts. */
static void pick_records(struct work *work)
{
	struct record_page *page = work->page;
	size_t size = 16;
	uint32_t *slots;
	size_t first;

	while (size < 2 * page->count)
		size *= 2;
	slots = take(work, size, sizeof(*slots));
	memset(slots, 0, size * sizeof(*slots));
	work->records = take(work, page->count, sizeof(struct record *));
	first = page->count;
	for (size_t i = page->count; i-- > 0;) {
		const char *id = page->records[i].id;
		size_t at = spread(id, strlen(id)) & (size - 1);

		while (slots[at] && strcmp(page->records[slots[at] - 1].id, id))
			at = (at + 1) & (size - 1);
		if (slots[at])
			continue;
		slots[at] = (uint32_t)i + 1;
		work->records[--first] = &page->records[i];
	}
	work->records += first;
	work->count = page->count - first;
}

static void list_reject(struct work *work, const struct record *record, const char *code,
			const char *field, const char *text, const char *remedy)
{
	struct apply *in = work->in;

	work->rejects[work->reject_count++] = (struct store_reject){
		.remote_id = record->id,
		.code = code,
		.field = field,
		.text = text,
		.remedy = remedy,
		.run = in->id,
		.at_ms = in->now_ms,
	};
	work->counts.rejected++;
}

/* "UNIQUE constraint failed: contact.email": the field behind the column. */
static const char *field_of_failure(const struct apply *in, const char *text)
{
	const char *at = strrchr(text, '.');

	if (!strstr(text, "constraint failed: ") || !at)
		return NULL;
	for (size_t i = 0; i < in->mapping->count; i++) {
		const char *column = in->mapping->fields[i].column;
		size_t len = strlen(column);

		if (strncasecmp(at + 1, column, len) == 0 && strcspn(at + 1, ") ,") == len)
			return in->mapping->fields[i].field;
	}
	return NULL;
}

static void count_result(struct work *work, const struct record *record,
			 const struct merge_result *result)
{
	const struct error *failed = result->write.failed;

	if (failed) {
		list_reject(
			work, record, failed->code, field_of_failure(work->in, failed->text),
			failed->text,
			record->deleted
				? "the record is deleted: delete its row by hand, or first what "
				  "refers to it"
				: "mend the row or the rule of the table that refuses it, or "
				  "the record; then `leadsync run JOB --full` reads it again");
		return;
	}
	switch (result->count) {
	case MERGE_UNCHANGED: work->counts.unchanged++; break;
	case MERGE_BURIED: work->counts.unchanged++; return;
	case MERGE_INSERTED: work->counts.inserted++; break;
	case MERGE_UPDATED: work->counts.updated++; break;
	case MERGE_DELETED: work->counts.deleted++; break;
	case MERGE_REJECTED:
		if (record->reject)
			list_reject(work, record, record->reject->code, record->reject_field,
				    record->reject->text,
				    "correct the value at the remote, or take the field out of the "
				    "job");
		else
			list_reject(work, record, result->reject_code,
				    work->in->rules.key_field == SIZE_MAX
					    ? NULL
					    : work->in->mapping->fields[work->in->rules.key_field]
						      .field,
				    result->reject_text, result->reject_remedy);
		return;
	}
	work->settled[work->settled_count++] = record->id;
}

/* The table keeps the row: that the record is deleted is kept all the same, with the row's key. */
static bool bury(struct work *work, const struct merge_result *result, struct value key,
		 struct error *err)
{
	struct store_write tombstone = { .remote_id = result->write.remote_id,
					 .puts_link = true,
					 .link = result->write.link };

	tombstone.link.key = key;
	return work->ops->write(work->in->session, &tombstone, 1, work->page->arena, err);
}

/* One after the other: the winner of one merge may be the loser of the next. */
static bool apply_deleted(struct work *work, struct record *record, struct error *err)
{
	struct store_session *session = work->in->session;
	struct arena *arena = work->page->arena;
	struct link link, winner;
	struct store_row row = { 0 };
	struct merge_input input = { .record = record, .link = &link, .row = &row };
	struct merge_result result;
	bool *set = take(work, work->in->mapping->count, sizeof(*set));
	struct store_write winners;

	memset(set, 0, work->in->mapping->count * sizeof(*set));
	if (!work->ops->links(session, &record->id, 1, arena, &link, err))
		return false;
	input.hash = record_hash_of(record, work->in->mapping->count);
	if (merge_needs_row(&work->in->rules, &input)) {
		if (record->master_id) {
			input.winner = &winner;
			if (!work->ops->links(session, &record->master_id, 1, arena, &winner, err))
				return false;
		}
		if (!work->ops->rows(session, &link.key, 1, arena, &row, err))
			return false;
		input.row_is_linked = row.found;
	}
	result = merge(&work->in->rules, &input, set);
	winners = (struct store_write){ .remote_id = record->master_id,
					.puts_link = true,
					.link = result.winner_link };
	if (!work->ops->write(session, &result.write, 1, arena, err) ||
	    (result.repoints && !result.write.failed &&
	     !work->ops->write(session, &winners, 1, arena, err)) ||
	    (result.write.failed && !bury(work, &result, link.key, err)))
		return false;
	if (result.write.puts_link && record->master_id &&
	    !work->ops->lineage(session, record->id, record->master_id, work->in->id,
				work->in->now_ms, err))
		return false;
	count_result(work, record, &result);
	return true;
}

/* Deletions first: a merge's winner then finds the row it inherits. What lives stays in `records`.
 */
static bool apply_deletions(struct work *work, struct error *err)
{
	static const struct value yes = { "1", 1 };
	size_t mark = work->in->rules.mark_field, live = 0;

	for (size_t i = 0; i < work->count; i++) {
		struct record *record = work->records[i];

		if (!record->deleted) {
			work->records[live++] = record;
			continue;
		}
		if (mark != SIZE_MAX)
			record->values[mark] = yes;
		if (!apply_deleted(work, record, err))
			return false;
	}
	work->count = live;
	return true;
}

static bool find_links(struct work *work, struct error *err)
{
	const char **ids = take(work, work->count, sizeof(*ids));
	struct link *links = take(work, work->count, sizeof(*links));

	for (size_t i = 0; i < work->count; i++)
		ids[i] = work->records[i]->id;
	if (!work->ops->links(work->in->session, ids, work->count, work->page->arena, links, err))
		return false;
	for (size_t i = 0; i < work->count; i++)
		work->inputs[i].link = &links[i];
	return true;
}

/* By link where there is one. */
static bool find_linked_rows(struct work *work, struct error *err)
{
	struct value *keys = take(work, work->count, sizeof(*keys));
	struct store_row *rows = take(work, work->count, sizeof(*rows));
	static const struct store_row none;

	for (size_t i = 0; i < work->count; i++) {
		struct merge_input *input = &work->inputs[i];

		keys[i] = (struct value){ 0 };
		input->row = &none;
		if (merge_needs_row(&work->in->rules, input) && input->link->found)
			keys[i] = input->link->key;
	}
	if (!work->ops->rows(work->in->session, keys, work->count, work->page->arena, rows, err))
		return false;
	for (size_t i = 0; i < work->count; i++) {
		work->inputs[i].row = &rows[i];
		work->inputs[i].row_is_linked = rows[i].found;
	}
	return true;
}

/* Rows that records of this page have already, by the key that each row holds. */
struct claims {
	const struct merge_input **slots;
	size_t size;
	size_t key_field;
};

/* Whose the row is; `input`, if nobody's yet. */
static const struct merge_input *claim(struct claims *in, const struct merge_input *input)
{
	const struct value *key = &input->row->values[in->key_field];
	size_t at = spread(key->text, key->len) & (in->size - 1);

	while (in->slots[at] && !value_equal(&in->slots[at]->row->values[in->key_field], key))
		at = (at + 1) & (in->size - 1);
	if (!in->slots[at])
		in->slots[at] = input;
	return in->slots[at];
}

static void claim_linked(struct work *work, struct claims *ret)
{
	*ret = (struct claims){ .size = 16, .key_field = work->in->rules.key_field };
	while (ret->size < 2 * work->count)
		ret->size *= 2;
	ret->slots = take(work, ret->size, sizeof(*ret->slots));
	memset(ret->slots, 0, ret->size * sizeof(*ret->slots));
	for (size_t i = 0; i < work->count; i++)
		if (work->inputs[i].row_is_linked)
			claim(ret, &work->inputs[i]);
}

/* One row is one record's: the first of the page that has it or asks for it. */
static void claim_natural(struct work *work, const size_t *which, size_t count,
			  struct store_owner *owners)
{
	struct claims claims;

	claim_linked(work, &claims);
	for (size_t i = 0; i < count; i++) {
		struct merge_input *input = &work->inputs[which[i]];
		const struct merge_input *first;

		if (!input->row->found)
			continue;
		first = claim(&claims, input);
		if (first == input)
			continue;
		owners[i] = (struct store_owner){ .found = true, .state = LINK_LIVE };
		strcpy(owners[i].remote_id, first->record->id);
	}
}

/* Where the link leads nowhere, by the record's own key. The table may find a row by a key that is
 * not spelled alike (COLLATE NOCASE): its link has the row's own spelling. */
static bool find_natural_rows(struct work *work, struct error *err)
{
	size_t key_field = work->in->rules.key_field, count = 0;
	struct value *keys = take(work, work->count, sizeof(*keys));
	size_t *which = take(work, work->count, sizeof(*which));
	struct store_row *rows;
	struct store_owner *owners;

	for (size_t i = 0; i < work->count; i++) {
		struct merge_input *input = &work->inputs[i];

		if (input->row->found || !input->record->values[key_field].text ||
		    !merge_needs_row(&work->in->rules, input))
			continue;
		keys[count] = input->record->values[key_field];
		which[count++] = i;
	}
	rows = take(work, count, sizeof(*rows));
	owners = take(work, count, sizeof(*owners));
	if (!work->ops->rows(work->in->session, keys, count, work->page->arena, rows, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (rows[i].found)
			keys[i] = rows[i].values[key_field];
	if (!work->ops->owners(work->in->session, keys, count, owners, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		work->inputs[which[i]].row = &rows[i];
		work->inputs[which[i]].owner = &owners[i];
	}
	if (count)
		claim_natural(work, which, count, owners);
	return true;
}

static bool write_live(struct work *work, struct error *err)
{
	size_t fields = work->in->mapping->count;
	struct store_write *writes = take(work, work->count, sizeof(*writes));
	size_t *which = take(work, work->count, sizeof(*which)), count = 0;

	for (size_t i = 0; i < work->count; i++) {
		bool *set = NULL;

		if (merge_needs_row(&work->in->rules, &work->inputs[i]))
			set = take(work, fields, sizeof(*set));
		work->results[i] = merge(&work->in->rules, &work->inputs[i], set);
		if (work->results[i].write.action == STORE_NOTHING &&
		    !work->results[i].write.puts_link)
			continue;
		writes[count] = work->results[i].write;
		which[count++] = i;
	}
	if (!work->ops->write(work->in->session, writes, count, work->page->arena, err))
		return false;
	for (size_t i = 0; i < count; i++)
		work->results[which[i]].write.failed = writes[i].failed;
	for (size_t i = 0; i < work->count; i++)
		count_result(work, work->records[i], &work->results[i]);
	return true;
}

static bool apply_live(struct work *work, struct error *err)
{
	work->inputs = take(work, work->count, sizeof(*work->inputs));
	work->results = take(work, work->count, sizeof(*work->results));
	for (size_t i = 0; i < work->count; i++)
		work->inputs[i] =
			(struct merge_input){ .record = work->records[i],
					      .hash = record_hash_of(work->records[i],
								     work->in->mapping->count) };
	return find_links(work, err) && find_linked_rows(work, err) &&
	       (work->in->rules.key_field == SIZE_MAX || find_natural_rows(work, err)) &&
	       write_live(work, err);
}

static bool apply_records(struct work *work, struct error *err)
{
	struct store_session *session = work->in->session;

	work->rejects = take(work, work->count, sizeof(*work->rejects));
	work->settled = take(work, work->count, sizeof(*work->settled));
	if (!apply_deletions(work, err) || !apply_live(work, err))
		return false;
	for (size_t i = 0; i < work->reject_count; i++)
		if (!work->ops->reject(session, &work->rejects[i], err))
			return false;
	return work->ops->unreject(session, work->settled, work->settled_count, err);
}

/* Every id of the page is one that the remote shows, taken or not. */
static bool note_seen(struct work *work, struct error *err)
{
	struct apply *in = work->in;
	const char **ids = take(work, work->page->count, sizeof(*ids));

	for (size_t i = 0; i < work->page->count; i++)
		ids[i] = work->page->records[i].id;
	return (in->seen_begun || work->ops->seen_none(in->session, err)) &&
	       work->ops->seen(in->session, ids, work->page->count, err) &&
	       (work->page->next ||
		work->ops->park_unseen(in->session, &work->counts.out_of_sight, err));
}

static void add_counts(struct run_counts *to, const struct run_counts *more,
		       const struct record_page *page)
{
	to->read += more->read;
	to->inserted += more->inserted;
	to->updated += more->updated;
	to->deleted += more->deleted;
	to->unchanged += more->unchanged;
	to->rejected += more->rejected;
	to->out_of_sight += more->out_of_sight;
	to->pages++;
	to->leg_read += (int64_t)page->count;
	to->total = page->total;
}

static bool do_page(struct work *work, struct error *err)
{
	struct apply *in = work->in;
	struct store_run line;

	in->rules.compare = in->course.leg == COURSE_LOAD && in->course.state.compare_owed;
	if (in->course.leg != COURSE_COMPARE) {
		work->counts.read = (int64_t)work->page->count;
		pick_records(work);
		if (!apply_records(work, err))
			return false;
	}
	if (in->course.tracks_seen && !note_seen(work, err))
		return false;
	course_page(&in->course, work->page);
	if (in->course.still_pages >= COURSE_STILL_PAGES && in->course.leg != COURSE_END)
		return error_set(err, ERROR_RETRY, "no-progress",
				 "%u pages in a row held nothing behind the position, and more are "
				 "said to follow",
				 in->course.still_pages);
	add_counts(&in->counts, &work->counts, work->page);
	if (!course_must_save(&in->course, work->ops->has_written(in->session)))
		return true;
	line = apply_line(in, "running");
	return work->ops->save_state(in->session, &in->course.state, err) &&
	       work->ops->save_run(in->session, &line, err);
}

static void log_rejects(const struct work *work)
{
	struct apply *in = work->in;

	for (size_t i = 0; i < work->reject_count; i++) {
		const struct store_reject *reject = &work->rejects[i];

		if (in->reject_lines++ < APPLY_REJECT_LINES)
			log_warning("rejected", LOG_STR("job", in->job), LOG_STR("run", in->id),
				    LOG_STR("code", reject->code), LOG_STR("field", reject->field),
				    LOG_STR("record", reject->remote_id));
	}
}

bool apply_page(struct apply *in, struct record_page *page, struct error *err)
{
	struct work work = { .in = in, .ops = apply_ops(in), .page = page };
	struct course before = in->course;
	struct run_counts counts_before = in->counts;
	bool written = false;

	if (work.ops->begin(in->session, err) && do_page(&work, err)) {
		written = work.ops->has_written(in->session);
		if (work.ops->commit(in->session, err)) {
			in->seen_begun = in->course.leg != COURSE_END && in->course.tracks_seen;
			if (written) {
				course_was_saved(&in->course);
				sync_store_touched(in->store, in->job);
			}
			in->noted |= written;
			log_rejects(&work);
			return true;
		}
	}
	work.ops->rollback(in->session);
	in->course = before;
	in->counts = counts_before;
	sync_store_suspect(in->store);
	return false;
}
