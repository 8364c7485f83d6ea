/* sf_write.c - in order: sf_write_build; whether the batch may be sent; its path; its body. */
#include "salesforce/sf_write.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "record/mapping.h"

/* The change that is being looked at, and what is to be said of it if it is no good. */
struct look {
	const struct remote_batch *batch;
	struct sf_write_stop stop;
	struct error *err;
};

static bool check_batch(struct look *in);
static bool check_change(struct look *in, struct arena *arena);
static char *path_of(const char *api_version, const struct remote_batch *batch);
static char *body_of(struct look *in, size_t *ret_len);

#define NO_ASSIGNMENT "Sforce-Auto-Assign: FALSE"
#define NO_RECENT     "Sforce-Mru: updateMru=false"

static const char *const body_headers[] = { "Content-Type: application/json", NO_ASSIGNMENT,
					    NO_RECENT, NULL };
static const char *const delete_headers[] = { NO_ASSIGNMENT, NO_RECENT, NULL };

static const char *const methods[] = {
	[REMOTE_CREATE] = "POST",
	[REMOTE_UPDATE] = "PATCH",
	[REMOTE_UPSERT] = "PATCH",
	[REMOTE_DELETE] = "DELETE",
};

static bool build(const char *api_version, struct look *look, struct sf_write *ret)
{
	CLEANUP(arena_free) struct arena *arena = arena_new();
	const struct remote_batch *batch = look->batch;
	bool is_delete = batch->operation == REMOTE_DELETE;
	struct sf_write made = { .method = methods[batch->operation],
				 .headers = is_delete ? delete_headers : body_headers };

	look->stop = (struct sf_write_stop){ .at = batch->count };
	if (!check_batch(look))
		return false;
	for (size_t i = 0; i < batch->count; i++) {
		look->stop.at = i;
		if (!check_change(look, arena))
			return false;
	}
	if (!is_delete) {
		made.body = body_of(look, &made.body_len);
		if (!made.body)
			return false;
	}
	made.path = path_of(api_version, batch);
	*ret = made;
	return true;
}

bool sf_write_build(const char *api_version, const struct remote_batch *batch, struct sf_write *ret,
		    struct sf_write_stop *ret_stop, struct error *err)
{
	struct look look = { .batch = batch, .err = err };
	bool ok = build(api_version, &look, ret);

	if (!ok)
		*ret_stop = look.stop;
	return ok;
}

void sf_write_clear(struct sf_write *in)
{
	free(in->path);
	free(in->body);
	*in = (struct sf_write){ 0 };
}

/* --- whether it may be sent --- */

static bool check_batch(struct look *in)
{
	const struct remote_batch *batch = in->batch;
	bool has_key_field = batch->key_field != NULL;

	if (!batch->count)
		return error_set(in->err, ERROR_BUG, "no-changes", "a request without changes");
	if (batch->count > REMOTE_WRITE_MOST)
		return error_set(in->err, ERROR_BUG, "too-many-changes",
				 "%zu changes in a request, Salesforce takes %d", batch->count,
				 REMOTE_WRITE_MOST);
	if (!str_is_name(batch->object) || has_key_field != (batch->operation == REMOTE_UPSERT) ||
	    (has_key_field && !str_is_name(batch->key_field)))
		return error_set(in->err, ERROR_BUG, "bad-name",
				 "the object or its external id field has no name of Salesforce's");
	return true;
}

static bool has_id(const struct remote_batch *batch)
{
	return batch->operation == REMOTE_UPDATE || batch->operation == REMOTE_DELETE;
}

static bool is_key(const char *text, struct arena *arena)
{
	struct value given = { text, (uint32_t)strlen(text) }, made;
	struct error why;

	return value_canonical(VALUE_TEXT, 0, text, given.len, arena, &made, &why) &&
	       value_equal(&given, &made);
}

/* Which record is meant; a change that is to create one says nothing of it. */
static bool check_identity(struct look *in, struct arena *arena)
{
	const struct remote_change *change = &in->batch->changes[in->stop.at];
	char id[19];

	if ((change->id != NULL) != has_id(in->batch) ||
	    (change->id && (strlen(change->id) != 18 || !value_id18(change->id, 18, id))))
		return error_set(in->err, ERROR_BUG, "bad-id",
				 "change %zu: an id of 18 characters is for update and delete, and "
				 "for them alone",
				 in->stop.at);
	if ((change->key != NULL) != (in->batch->operation == REMOTE_UPSERT) ||
	    (change->key && !is_key(change->key, arena)))
		return error_set(in->err, ERROR_BUG, "bad-key",
				 "change %zu: a key that is not empty is for upsert, and for it "
				 "alone",
				 in->stop.at);
	return true;
}

/* Salesforce takes keys for equal that differ in case only, unless the field says otherwise. */
static bool is_same(const struct remote_change *a, const struct remote_change *b)
{
	return a->id ? strcmp(a->id, b->id) == 0 : a->key && strcasecmp(a->key, b->key) == 0;
}

static bool check_once(struct look *in)
{
	const struct remote_change *changes = in->batch->changes, *change = &changes[in->stop.at];

	for (size_t i = 0; i < in->stop.at; i++)
		if (is_same(change, &changes[i]))
			return error_set(in->err, ERROR_BUG, "doubled-key",
					 "%s stands in one request twice, as changes %zu and %zu",
					 change->id ? change->id : change->key, i, in->stop.at);
	return true;
}

static bool check_field(struct look *in, const struct mapping_field *field)
{
	const char *key_field = in->batch->key_field;

	if (field->direction == MAPPING_DOWN || field->calculated || !str_is_name(field->field))
		return error_set(in->err, ERROR_BUG, "not-writable",
				 "change %zu: %s can only be read", in->stop.at, field->field);
	if (key_field && strcasecmp(field->field, key_field) == 0)
		return error_set(in->err, ERROR_BUG, "repeated-key",
				 "change %zu: %s is the key already, and cannot be set besides",
				 in->stop.at, field->field);
	return true;
}

static bool record_too_large(struct look *in)
{
	return error_set(in->err, ERROR_RECORD, "record-too-large",
			 "change %zu alone would be a request of more than %zu bytes: map fewer "
			 "long fields, or shorten what they hold",
			 in->stop.at, SF_WRITE_MOST_BYTES);
}

static bool check_value(struct look *in, const struct mapping_field *field,
			const struct value *value, struct arena *arena)
{
	struct value made;
	struct error why;

	if (value->len > SF_WRITE_MOST_BYTES)
		return record_too_large(in);
	if (!value_canonical(field->type, field->scale, value->text, value->len, arena, &made,
			     &why))
		return error_set(in->err, ERROR_FIELD, why.code, "change %zu: %s: %s", in->stop.at,
				 field->field, why.text);
	return value_equal(value, &made) ||
	       error_set(in->err, ERROR_FIELD, "bad-value",
			 "change %zu: %s: expected %s in its canonical form", in->stop.at,
			 field->field, value_type_name(field->type));
}

static bool check_fields(struct look *in, struct arena *arena)
{
	const struct remote_change *change = &in->batch->changes[in->stop.at];
	const struct mapping *mapping = in->batch->mapping;
	bool is_empty = true;

	for (size_t i = 0; i < mapping->count; i++) {
		const struct mapping_field *field = &mapping->fields[i];

		if (!change->set[i])
			continue;
		is_empty = false;
		in->stop.field = field;
		if (!check_field(in, field) || !check_value(in, field, &change->values[i], arena))
			return false;
		in->stop.field = NULL;
	}
	return !is_empty || error_set(in->err, ERROR_BUG, "empty-change",
				      "change %zu sets no field", in->stop.at);
}

static bool check_change(struct look *in, struct arena *arena)
{
	return check_identity(in, arena) && check_once(in) &&
	       (in->batch->operation == REMOTE_DELETE || check_fields(in, arena));
}

/* --- the request --- */

static FILE *open_text(char **text, size_t *len)
{
	FILE *out = open_memstream(text, len);

	if (!out)
		abort();
	return out;
}

static char *path_of(const char *api_version, const struct remote_batch *batch)
{
	char *text;
	size_t len;
	FILE *out = open_text(&text, &len);

	fprintf(out, "/services/data/v%s/composite/sobjects", api_version);
	if (batch->operation == REMOTE_UPSERT)
		fprintf(out, "/%s/%s", batch->object, batch->key_field);
	for (size_t i = 0; i < batch->count && batch->operation == REMOTE_DELETE; i++)
		fprintf(out, "%s%s", i ? "," : "?ids=", batch->changes[i].id);
	if (batch->operation == REMOTE_DELETE)
		fputs("&allOrNone=false", out);
	if (fclose(out))
		abort();
	return text;
}

static void write_text(FILE *out, const char *text, size_t len)
{
	struct json_object *escaped = json_object_new_string_len(text, (int)len);
	size_t escaped_len;
	const char *json;

	if (!escaped)
		abort();
	json = json_object_to_json_string_length(escaped, JSON_C_TO_STRING_NOSLASHESCAPE,
						 &escaped_len);
	fwrite(json, 1, escaped_len, out);
	json_object_put(escaped);
}

static void write_value(FILE *out, enum value_type type, const struct value *value)
{
	if (value_is_null(value)) {
		fputs("null", out);
		return;
	}
	switch (type) {
	case VALUE_BOOLEAN: fputs(*value->text == '1' ? "true" : "false", out); break;
	case VALUE_INTEGER:
	case VALUE_DECIMAL: fwrite(value->text, 1, value->len, out); break;
	case VALUE_TIME: fprintf(out, "\"%.*s.000Z\"", (int)value->len, value->text); break;
	case VALUE_TEXT:
	case VALUE_DATE:
	case VALUE_DATETIME:
	case VALUE_ID:
	case VALUE_SET: write_text(out, value->text, value->len); break;
	}
}

static void write_record(FILE *out, const struct remote_batch *batch,
			 const struct remote_change *change)
{
	const struct mapping *mapping = batch->mapping;

	fprintf(out, "{\"attributes\":{\"type\":\"%s\"}", batch->object);
	if (change->id)
		fprintf(out, ",\"id\":\"%s\"", change->id);
	if (change->key) {
		fprintf(out, ",\"%s\":", batch->key_field);
		write_text(out, change->key, strlen(change->key));
	}
	for (size_t i = 0; i < mapping->count; i++) {
		if (!change->set[i])
			continue;
		fprintf(out, ",\"%s\":", mapping->fields[i].field);
		write_value(out, mapping->fields[i].type, &change->values[i]);
	}
	fputc('}', out);
}

static const char body_start[] = "{\"allOrNone\":false,\"records\":[", body_end[] = "]}";

static void batch_too_large(struct look *in)
{
	error_set(in->err, ERROR_RETRY, "batch-too-large",
		  "the request would have more than %zu bytes: its first %zu of %zu changes "
		  "fit",
		  SF_WRITE_MOST_BYTES, in->stop.at, in->batch->count);
}

static char *body_of(struct look *in, size_t *ret_len)
{
	const struct remote_batch *batch = in->batch;
	CLEANUP_FREE char *text = NULL;
	FILE *out = open_text(&text, ret_len);
	bool fits = true;

	fputs(body_start, out);
	for (size_t i = 0; i < batch->count && fits; i++) {
		fputs(i ? "," : "", out);
		write_record(out, batch, &batch->changes[i]);
		in->stop.at = i;
		fits = (size_t)ftello(out) + strlen(body_end) <= SF_WRITE_MOST_BYTES;
	}
	fputs(body_end, out);
	if (fclose(out))
		abort();
	if (fits)
		return TAKE(text);
	if (in->stop.at)
		batch_too_large(in);
	else
		record_too_large(in);
	return NULL;
}
