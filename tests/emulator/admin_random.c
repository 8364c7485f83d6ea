/* admin_random.c - in order: what is asked for, picking records, the steps.
 *
 * The same seed on the same org does the same: nothing but the seed's numbers decides. */
#include "admin.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "data.h"
#include "json_in.h"
#include "lifecycle.h"
#include "problem.h"
#include "records.h"
#include "schema.h"
#include "store.h"

enum step {
	STEP_EDIT,
	STEP_CREATE,
	STEP_DELETE,
	STEP_UNDELETE,
	STEP_MERGE,
	STEP_CONVERT,
	STEP_MAX
};

static const char *const step_names[STEP_MAX] = { "edit",     "create", "delete",
						  "undelete", "merge",  "convert" };
static const char *const list_names[STEP_MAX] = { "edited",    "created", "deleted",
						  "undeleted", "merged",  "converted" };

/* How many of each in a hundred, or in whatever they sum up to. */
struct mix {
	uint64_t weights[STEP_MAX];
	const struct sobject *objects[4];
	size_t object_count;
	struct json_object *ids, *fields; /* arrays that restrict edits and deletes, or NULL */
	struct text done[STEP_MAX];
};

static void read_objects(struct json_object *objects, struct mix *out)
{
	for (size_t i = 0; objects && i < json_object_array_length(objects) && i < 4; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(objects, i));
		const struct sobject *of = name ? schema_find(name, strlen(name)) : NULL;

		if (of && schema_field(of, "Leadsync_Key__c", 15))
			out->objects[out->object_count++] = of;
	}
	if (!out->object_count) {
		out->objects[out->object_count++] = schema_find("Contact", 7);
		out->objects[out->object_count++] = schema_find("Lead", 4);
	}
}

static struct json_object *array_of(struct json_object *in, const char *name)
{
	struct json_object *out = NULL;

	json_object_object_get_ex(in, name, &out);
	return json_object_is_type(out, json_type_array) && json_object_array_length(out) ? out
											  : NULL;
}

static void read_mix(struct json_object *in, struct mix *out)
{
	struct json_object *mix = NULL;

	*out = (struct mix){ .weights = { 80, 10, 10 },
			     .ids = array_of(in, "ids"),
			     .fields = array_of(in, "fields") };
	if (json_object_object_get_ex(in, "mix", &mix))
		for (int i = 0; i < STEP_MAX; i++)
			out->weights[i] = (uint64_t)json_in_int(mix, step_names[i], 0);
	else if (out->ids)
		out->weights[STEP_CREATE] = 0;
	read_objects(array_of(in, "objects"), out);
}

/* The first record at or behind a random place that a step can be done with. */
static bool pick_row(const struct sobject *of, uint64_t *state, bool deleted, char id[SFID_SIZE])
{
	int64_t last = store_next_row(of) - 1;
	sqlite3_stmt *read;
	char sql[250];
	bool found;

	if (last < 1)
		return false;
	snprintf(sql, sizeof(sql),
		 "SELECT Id FROM \"%s\" WHERE _row >= ? AND IsDeleted = %d%s%s LIMIT 1", of->name,
		 deleted, deleted ? " AND MasterRecordId IS NULL" : "",
		 strcmp(of->name, "Lead") == 0 ? " AND IsConverted = 0" : "");
	read = store_ready(sql);
	sqlite3_bind_int64(read, 1, (int64_t)(data_random(state) % (uint64_t)last) + 1);
	found = sqlite3_step(read) == SQLITE_ROW;
	if (found)
		memcpy(id, sqlite3_column_text(read, 0), SFID_SIZE);
	store_release(read);
	return found;
}

/* One of the ids given, whatever has become of it; it decides the object. */
static bool pick_given(const struct mix *mix, uint64_t *state, const struct sobject **of,
		       char id[SFID_SIZE])
{
	size_t at = data_random(state) % json_object_array_length(mix->ids);
	const char *text = json_object_get_string(json_object_array_get_idx(mix->ids, at));

	if (!text || !sfid_parse(text, strlen(text), id))
		return false;
	*of = schema_by_prefix(id);
	return *of != NULL;
}

static bool pick(const struct mix *mix, const struct sobject **of, uint64_t *state, bool deleted,
		 char id[SFID_SIZE])
{
	return mix->ids ? pick_given(mix, state, of, id) : pick_row(*of, state, deleted, id);
}

static struct json_object *make_edit(const struct mix *mix, const struct sobject *of,
				     uint64_t *state)
{
	struct json_object *out;

	if (!mix->fields)
		return data_edit(state, of->name);
	out = json_object_new_object();
	for (uint64_t left = data_random(state) % 3 + 1; left; left--) {
		size_t at = data_random(state) % json_object_array_length(mix->fields);
		const char *name =
			json_object_get_string(json_object_array_get_idx(mix->fields, at));
		const struct field *field = name ? schema_field(of, name, strlen(name)) : NULL;

		if (field && field->flags & FIELD_UPDATEABLE)
			json_object_object_add(out, field->name, data_value(state, field));
	}
	return out;
}

static void note(struct text *list, const char *id)
{
	text_printf(list, "%s\"%s\"", list->used ? "," : "", id);
}

static void edit(struct mix *mix, const struct sobject *of, const struct saver *saver,
		 uint64_t *state)
{
	struct json_object *fields = NULL;
	struct problems err = { 0 };
	char id[SFID_SIZE];

	if (mix->fields || mix->ids) {
		if (!pick(mix, &of, state, false, id))
			return;
		fields = make_edit(mix, of, state);
	} else {
		fields = data_edit(state, of->name);
		if (!pick_row(of, state, false, id))
			*id = '\0';
	}
	if (*id && records_update(of, id, fields, saver, &err))
		note(&mix->done[STEP_EDIT], id);
	json_object_put(fields);
}

static void create(struct mix *mix, const struct sobject *of, const struct saver *saver,
		   uint64_t *state)
{
	struct json_object *fields = data_record(state, of->name);
	struct problems err = { 0 };
	char id[SFID_SIZE];

	if (records_create(of, fields, saver, id, &err))
		note(&mix->done[STEP_CREATE], id);
	json_object_put(fields);
}

static void merge(struct mix *mix, const struct sobject *of, const struct saver *saver,
		  uint64_t *state)
{
	char winner[SFID_SIZE], loser[SFID_SIZE];
	struct problems err = { 0 };
	struct text *done = &mix->done[STEP_MERGE];

	if (pick(mix, &of, state, false, winner) && pick_row(of, state, false, loser) &&
	    lifecycle_merge(of, winner, loser, saver->user, &err))
		text_printf(done, "%s{\"winner\":\"%s\",\"loser\":\"%s\"}", done->used ? "," : "",
			    winner, loser);
}

static void convert(struct mix *mix, const struct saver *saver, uint64_t *state)
{
	const struct sobject *of = schema_find("Lead", 4);
	struct text *done = &mix->done[STEP_CONVERT];
	struct lifecycle_converted made;
	struct problems err = { 0 };
	char id[SFID_SIZE];

	if (!pick(mix, &of, state, false, id) || strcmp(of->name, "Lead") != 0)
		return;
	store_begin();
	if (!lifecycle_convert(&(struct lifecycle_conversion){ .lead = id, .user = saver->user },
			       &made, &err)) {
		store_undo();
		return;
	}
	store_commit();
	text_printf(done, "%s{\"lead\":\"%s\",\"contact\":\"%s\",\"account\":\"%s\"}",
		    done->used ? "," : "", id, made.contact, made.account);
}

static void run_step(struct mix *mix, enum step step, uint64_t *state, const struct sobject *of,
		     const struct saver *saver)
{
	struct problems err = { 0 };
	char id[SFID_SIZE];

	switch (step) {
	case STEP_EDIT: edit(mix, of, saver, state); break;
	case STEP_CREATE: create(mix, of, saver, state); break;
	case STEP_DELETE:
		if (pick(mix, &of, state, false, id) && records_delete(of, id, saver, &err))
			note(&mix->done[step], id);
		break;
	case STEP_UNDELETE:
		if (pick(mix, &of, state, true, id) &&
		    lifecycle_undelete(of, id, saver->user, &err))
			note(&mix->done[step], id);
		break;
	case STEP_MERGE: merge(mix, of, saver, state); break;
	case STEP_CONVERT: convert(mix, saver, state); break;
	case STEP_MAX: break;
	}
}

static void random_step(struct mix *mix, uint64_t *state)
{
	const struct sobject *of = mix->objects[data_random(state) % mix->object_count];
	const struct saver saver = saver_person(data_salesperson((int)(data_random(state) % 6)));
	uint64_t sum = 0, dice;
	int step = 0;

	for (int i = 0; i < STEP_MAX; i++)
		sum += mix->weights[i];
	if (!sum)
		return;
	for (dice = data_random(state) % sum; dice >= mix->weights[step]; step++)
		dice -= mix->weights[step];
	run_step(mix, (enum step)step, state, of, &saver);
}

void admin_random(struct call *call, struct json_object *in)
{
	uint64_t state = (uint64_t)json_in_int(in, "seed", 1);
	int64_t count = json_in_int(in, "count", 100);
	struct mix mix;

	read_mix(in, &mix);
	store_begin();
	for (int64_t i = 0; i < count; i++)
		random_step(&mix, &state);
	store_commit();
	text_word(&call->out, "{\"ok\":true");
	for (int i = 0; i < STEP_MAX; i++) {
		text_printf(&call->out, ",\"%s\":[", list_names[i]);
		text_add(&call->out, mix.done[i].at, mix.done[i].used);
		text_char(&call->out, ']');
		text_free(&mix.done[i]);
	}
	text_char(&call->out, '}');
}
