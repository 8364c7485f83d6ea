/* sf_result.c - in order: the array; one element; a success; a refusal and its first error. */
#include "salesforce/sf_result.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/str.h"
#include "record/mapping.h"
#include "salesforce/sf_error.h"
#include "salesforce/sf_json.h"
#include "salesforce/sf_quote.h"
#include "salesforce/sf_write.h"

/* 200 records with a few errors each are some 100 KiB; json-c's tree is many times the text. */
#define MOST_BYTES ((size_t)4 * 1024 * 1024)
#define MOST_CODES 4 /* told of one record; the rest is a number */

/* The change whose result is read. */
struct reading {
	const struct remote_batch *batch;
	const struct remote_change *change;
	struct arena *arena;
	struct remote_result *result;
};

static bool read_all(struct json_object *answer, const struct remote_batch *batch,
		     struct remote_results *made, struct error *err);
static bool read_element(const struct reading *in, struct json_object *element, struct error *err);
static bool read_success(const struct reading *in, struct json_object *element, struct error *err);
static bool read_refusal(const struct reading *in, struct json_object *errors, struct error *err);

static bool protocol(struct error *err, const char *what)
{
	return error_set(err, ERROR_RETRY, "protocol",
			 "the answer to a write is not what Salesforce sends: %s", what);
}

static struct remote_results *new_results(size_t count)
{
	struct arena *arena = arena_new();
	struct remote_results *made = arena_take(arena, sizeof(*made));
	struct remote_result *records = arena_take(arena, (count + 1) * sizeof(*records));

	memset(records, 0, count * sizeof(*records));
	*made = (struct remote_results){ .arena = arena, .records = records, .count = count };
	return made;
}

/* ':' outside of strings: as many as all objects have members. */
static size_t count_colons(const char *body, size_t len)
{
	bool in_string = false;
	size_t count = 0;

	for (size_t i = 0; i < len; i++) {
		if (body[i] == '"')
			in_string = !in_string;
		else if (in_string && body[i] == '\\')
			i++;
		else if (!in_string)
			count += body[i] == ':';
	}
	return count;
}

struct remote_results *sf_result_parse(const struct remote_batch *batch, const char *body,
				       size_t len, struct error *err)
{
	CLEANUP(remote_results_free) struct remote_results *made = NULL;
	struct json_object *answer;
	bool ok;

	if (len > MOST_BYTES) {
		protocol(err, "it is too long");
		return NULL;
	}
	answer = sf_json_whole(body, len);
	made = new_results(batch->count);
	/* json-c keeps the last of two members of one name. */
	if (sf_json_members(answer) != count_colons(body, len))
		ok = protocol(err, "it is not JSON, or a key stands in an object twice");
	else
		ok = read_all(answer, batch, made, err);
	json_object_put(answer);
	return ok ? TAKE(made) : NULL;
}

static bool are_ids_unique(const struct remote_results *in)
{
	for (size_t i = 0; i < in->count; i++)
		for (size_t k = 0; k < i; k++)
			if (*in->records[i].id && strcmp(in->records[i].id, in->records[k].id) == 0)
				return false;
	return true;
}

static bool read_all(struct json_object *answer, const struct remote_batch *batch,
		     struct remote_results *made, struct error *err)
{
	if (!json_object_is_type(answer, json_type_array) ||
	    json_object_array_length(answer) != batch->count)
		return protocol(err, "an array with one element a record was expected");
	for (size_t i = 0; i < batch->count; i++) {
		struct reading in = { batch, &batch->changes[i], made->arena, &made->records[i] };

		if (!read_element(&in, json_object_array_get_idx(answer, i), err))
			return error_prefix(err, "record %zu", i);
	}
	return are_ids_unique(made) || protocol(err, "one id stands for two records");
}

/* --- one element --- */

/* NULL if it is not there or of another type. */
static struct json_object *member(struct json_object *in, const char *key, enum json_type type)
{
	struct json_object *value;

	return json_object_object_get_ex(in, key, &value) && json_object_is_type(value, type)
		       ? value
		       : NULL;
}

static bool is_absent(struct json_object *in, const char *key)
{
	struct json_object *value;

	return !json_object_object_get_ex(in, key, &value) || !value;
}

static bool read_element(const struct reading *in, struct json_object *element, struct error *err)
{
	struct json_object *success = member(element, "success", json_type_boolean);
	struct json_object *errors = member(element, "errors", json_type_array);

	if (!success || !errors)
		return protocol(err, "an object with 'success' and 'errors' was expected");
	if (json_object_get_boolean(success) != !json_object_array_length(errors))
		return protocol(err, "'success' and 'errors' contradict each other");
	if (!is_absent(element, "id") && !sf_json_text(element, "id"))
		return protocol(err, "'id' is no text");
	if (!is_absent(element, "created") && !member(element, "created", json_type_boolean))
		return protocol(err, "'created' is no boolean");
	return json_object_get_boolean(success) ? read_success(in, element, err)
						: read_refusal(in, errors, err);
}

static bool read_success(const struct reading *in, struct json_object *element, struct error *err)
{
	struct json_object *created = member(element, "created", json_type_boolean);
	const char *id = sf_json_text(element, "id");

	if (!id || !value_id18(id, strlen(id), in->result->id))
		return protocol(err, "a success without an id");
	if (in->change->id && strcmp(in->change->id, in->result->id) != 0)
		return protocol(err, "another id than that which was sent");
	if (in->batch->operation == REMOTE_UPSERT && !created)
		return protocol(err, "a success of an upsert without 'created'");
	in->result->created =
		in->batch->operation == REMOTE_CREATE ||
		(in->batch->operation == REMOTE_UPSERT && json_object_get_boolean(created));
	return true;
}

/* --- a refusal --- */

static bool is_text(struct json_object *in)
{
	return json_object_is_type(in, json_type_string) &&
	       strlen(json_object_get_string(in)) == (size_t)json_object_get_string_len(in);
}

static bool check_error(struct json_object *in, struct error *err)
{
	const char *code = sf_json_text_or_empty(in, "statusCode");
	struct json_object *fields = member(in, "fields", json_type_array);

	if (!str_is_name(code))
		return protocol(err, "an error without a code");
	if (!is_absent(in, "message") && !sf_json_text(in, "message"))
		return protocol(err, "an error's message is no text");
	if (!fields)
		return protocol(err, "an error without 'fields'");
	for (size_t i = 0; i < json_object_array_length(fields); i++)
		if (!is_text(json_object_array_get_idx(fields, i)))
			return protocol(err, "a field that is no text");
	return true;
}

/* A code that the table does not know is this record's alone. */
static void judge(const char *code, const char *message, struct error *ret)
{
	char said[SF_QUOTE_SIZE];

	if (!sf_error_code(code, message, ret))
		error_set(
			ret, ERROR_RECORD,
			strlen(code) < sizeof(ret->code) ? code : "unknown-error",
			"Salesforce refuses this record for a reason not known here (it says: %s)",
			sf_quote(message, said));
}

static bool is_told(struct json_object *errors, size_t at)
{
	const char *code = sf_json_text(json_object_array_get_idx(errors, at), "statusCode");

	for (size_t i = 0; i < at; i++)
		if (strcmp(code,
			   sf_json_text(json_object_array_get_idx(errors, i), "statusCode")) == 0)
			return true;
	return false;
}

/* One code is in the error already. */
static void tell_codes(struct json_object *errors, struct error *err)
{
	char codes[MOST_CODES * (sizeof(err->code) + 2) + 32];
	size_t used = 0, told = 0, more = 0;

	for (size_t i = 0; i < json_object_array_length(errors); i++) {
		if (is_told(errors, i))
			continue;
		if (told == MOST_CODES) {
			more++;
			continue;
		}
		used += (size_t)snprintf(codes + used, sizeof(codes) - used, "%s%.*s",
					 told ? ", " : "", (int)sizeof(err->code),
					 sf_json_text(json_object_array_get_idx(errors, i),
						      "statusCode"));
		told++;
	}
	if (more)
		snprintf(codes + used, sizeof(codes) - used, " and %zu more", more);
	if (told > 1)
		error_prefix(err, "%s", codes);
}

/* A name of the server's as the mapping spells it; NULL if it was not sent. */
static const char *find_sent(const struct reading *in, const char *name)
{
	const struct mapping *mapping = in->batch->mapping;

	if (in->batch->operation == REMOTE_DELETE)
		return NULL;
	for (size_t i = 0; i < mapping->count; i++)
		if (in->change->set[i] && strcasecmp(mapping->fields[i].field, name) == 0)
			return mapping->fields[i].field;
	return NULL;
}

static void read_fields(const struct reading *in, struct json_object *fields, bool only_sent)
{
	struct remote_result *result = in->result;

	result->field_count = 0;
	result->fields = arena_take(in->arena, (json_object_array_length(fields) + 1) *
						       sizeof(*result->fields));
	for (size_t i = 0; i < json_object_array_length(fields); i++) {
		struct json_object *field = json_object_array_get_idx(fields, i);
		const char *name = json_object_get_string(field), *sent = find_sent(in, name);

		if (sent)
			name = sent;
		/* What is no name is not shown. */
		if ((sent || !only_sent) && str_is_name(name))
			result->fields[result->field_count++] =
				arena_copy(in->arena, name, strlen(name));
	}
}

static void tell_fields(const struct remote_result *result, struct error *err)
{
	if (result->field_count > 1)
		error_prefix(err, "%.80s and %zu more", result->fields[0], result->field_count - 1);
	else if (result->field_count)
		error_prefix(err, "%.80s", result->fields[0]);
}

static void blame(const struct reading *in, struct json_object *fields)
{
	struct error *err = &in->result->err;

	read_fields(in, fields, err->kind == ERROR_FIELD);
	if (err->kind == ERROR_FIELD && !in->result->field_count) {
		err->kind = ERROR_RECORD;
		read_fields(in, fields, false);
	}
	tell_fields(in->result, err);
}

/* "duplicate value found: Ext_Key__c duplicates value on record with id: 00Q8d00000BvT3x": in any
 * language, what follows the second colon. The one colon of "Duplicate id specified: ..." is before
 * what was sent. */
static void read_holder(const struct reading *in, const char *message)
{
	const char *first = strchr(message, ':'), *id = strrchr(message, ':');
	char id18[19];
	size_t len;

	if (id == first)
		return;
	id += 1 + strspn(id + 1, " ");
	len = strcspn(id, " .");
	if (id[len + strspn(id + len, " .")] || !value_id18(id, len, id18))
		return;
	if (!in->change->id || strcmp(in->change->id, id18) != 0)
		memcpy(in->result->holder, id18, sizeof(id18));
}

/* A duplicate rule says which records it means only where the answer has room for that, which is
 * not certain; through v51 the key was misspelt. They are similar, no more: for people to see. */
static void tell_similar(struct json_object *in, struct error *err)
{
	struct json_object *result = member(in, "duplicateResult", json_type_object);
	struct json_object *matches, *records, *record;
	const char *rule, *id;
	char id18[19];

	if (!result)
		result = member(in, "duplicateResut", json_type_object);
	rule = sf_json_text_or_empty(result, "duplicateRule");
	if (str_is_name(rule))
		error_prefix(err, "%.80s", rule);
	matches = member(result, "matchResults", json_type_array);
	if (!matches || !json_object_array_length(matches))
		return;
	records = member(json_object_array_get_idx(matches, 0), "matchRecords", json_type_array);
	if (!records || !json_object_array_length(records))
		return;
	record = member(json_object_array_get_idx(records, 0), "record", json_type_object);
	id = sf_json_text_or_empty(record, "Id");
	if (value_id18(id, strlen(id), id18))
		error_prefix(err, "similar to %s", id18);
}

/* The goal of a delete is reached, though not by us. */
static bool is_gone(const struct reading *in)
{
	return in->batch->operation == REMOTE_DELETE &&
	       (strcmp(in->result->err.code, "ENTITY_IS_DELETED") == 0 ||
		strcmp(in->result->err.code, "NOT_FOUND") == 0);
}

static bool read_refusal(const struct reading *in, struct json_object *errors, struct error *err)
{
	struct json_object *first = json_object_array_get_idx(errors, 0);
	const char *message = sf_json_text_or_empty(first, "message");
	struct remote_result *result = in->result;

	for (size_t i = 0; i < json_object_array_length(errors); i++)
		if (!check_error(json_object_array_get_idx(errors, i), err))
			return false;
	judge(sf_json_text(first, "statusCode"), message, &result->err);
	blame(in, member(first, "fields", json_type_array));
	if (strcmp(result->err.code, "DUPLICATE_VALUE") == 0)
		read_holder(in, message);
	if (strcmp(result->err.code, "DUPLICATES_DETECTED") == 0)
		tell_similar(first, &result->err);
	tell_codes(errors, &result->err);
	result->outcome = REMOTE_REFUSED;
	if (is_gone(in)) {
		result->outcome = REMOTE_GONE;
		memcpy(result->id, in->change->id, sizeof(result->id));
	}
	return true;
}
