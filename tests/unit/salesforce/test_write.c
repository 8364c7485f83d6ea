/* Requests of sObject Collections as Salesforce is sent them, and what is never sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <json-c/json.h>

#include "base/error.h"
#include "record/mapping.h"
#include "salesforce/sf_json.h"
#include "salesforce/sf_write.h"

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))
#define ID_A      "00Q8d00000BvT3xEAF"
#define ID_B      "00Q8d00000BvT3yEAF"
#define START     "{\"allOrNone\":false,\"records\":["
#define LEAD      "{\"attributes\":{\"type\":\"Lead\"}"

enum field {
	NAME,
	TITLE,
	ACTIVE,
	COUNT,
	REVENUE,
	BIRTH,
	SEEN,
	WAKE,
	OWNER,
	TAGS,
	DOWN,
	FORMULA,
	REACHED,
	KEY,
	FIELDS
};

static struct mapping_field fields[FIELDS] = {
	[NAME] = { .field = "LastName", .type = VALUE_TEXT, .direction = MAPPING_BOTH },
	[TITLE] = { .field = "Title", .type = VALUE_TEXT, .direction = MAPPING_UP },
	[ACTIVE] = { .field = "Active__c", .type = VALUE_BOOLEAN, .direction = MAPPING_BOTH },
	[COUNT] = { .field = "Count__c", .type = VALUE_INTEGER, .direction = MAPPING_BOTH },
	[REVENUE] = { .field = "Revenue__c",
		      .type = VALUE_DECIMAL,
		      .scale = 2,
		      .direction = MAPPING_BOTH },
	[BIRTH] = { .field = "Birth__c", .type = VALUE_DATE, .direction = MAPPING_BOTH },
	[SEEN] = { .field = "Seen__c", .type = VALUE_DATETIME, .direction = MAPPING_BOTH },
	[WAKE] = { .field = "Wake__c", .type = VALUE_TIME, .direction = MAPPING_BOTH },
	[OWNER] = { .field = "OwnerId", .type = VALUE_ID, .direction = MAPPING_BOTH },
	[TAGS] = { .field = "Tags__c", .type = VALUE_SET, .direction = MAPPING_BOTH },
	[DOWN] = { .field = "CreatedDate", .type = VALUE_TEXT, .direction = MAPPING_DOWN },
	[FORMULA] = { .field = "Formula__c",
		      .type = VALUE_TEXT,
		      .direction = MAPPING_BOTH,
		      .calculated = true },
	[REACHED] = { .field = "Owner.Email", .type = VALUE_TEXT, .direction = MAPPING_BOTH },
	[KEY] = { .field = "ext_key__c", .type = VALUE_TEXT, .direction = MAPPING_BOTH },
};
static struct mapping mapping = { .fields = fields, .count = FIELDS };

/* One change that sets at most one field. */
struct one {
	struct value values[FIELDS];
	bool set[FIELDS];
	struct remote_change change;
};

static void fill(struct one *in, const char *id, const char *key, int field, const char *text,
		 size_t len)
{
	*in = (struct one){ 0 };
	if (field < FIELDS) {
		in->set[field] = true;
		in->values[field] = (struct value){ text, (uint32_t)len };
	}
	in->change = (struct remote_change){ id, key, in->values, in->set };
}

static struct remote_batch batch_of(enum remote_operation operation,
				    const struct remote_change *changes, size_t count)
{
	return (struct remote_batch){ .operation = operation,
				      .object = "Lead",
				      .key_field = operation == REMOTE_UPSERT ? "Ext_Key__c" : NULL,
				      .mapping = &mapping,
				      .changes = changes,
				      .count = count };
}

static void the_four_operations(void **state)
{
	static const struct {
		enum remote_operation operation;
		const char *ids[2], *keys[2];
		const char *method, *path, *body;
	} rows[] = {
		{ REMOTE_CREATE,
		  { 0 },
		  { 0 },
		  "POST",
		  "/services/data/v66.0/composite/sobjects",
		  START LEAD ",\"LastName\":\"A\"}," LEAD ",\"Title\":null}]}" },
		{ REMOTE_UPDATE,
		  { ID_A, ID_B },
		  { 0 },
		  "PATCH",
		  "/services/data/v66.0/composite/sobjects",
		  START LEAD ",\"id\":\"" ID_A "\",\"LastName\":\"A\"}," LEAD ",\"id\":\"" ID_B
			     "\",\"Title\":null}]}" },
		{ REMOTE_UPSERT,
		  { 0 },
		  { "k/1", "k\"2" },
		  "PATCH",
		  "/services/data/v66.0/composite/sobjects/Lead/Ext_Key__c",
		  START LEAD ",\"Ext_Key__c\":\"k/1\",\"LastName\":\"A\"}," LEAD
			     ",\"Ext_Key__c\":\"k\\\"2\",\"Title\":null}]}" },
		{ REMOTE_DELETE,
		  { ID_A, ID_B },
		  { 0 },
		  "DELETE",
		  "/services/data/v66.0/composite/sobjects?ids=" ID_A "," ID_B "&allOrNone=false",
		  NULL },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct one one, two;
		struct remote_change changes[2];
		struct sf_write_stop stop;
		struct remote_batch batch = batch_of(rows[i].operation, changes, 2);
		struct sf_write got;
		struct error err;
		size_t at = 0;

		fill(&one, rows[i].ids[0], rows[i].keys[0], NAME, "A", 1);
		fill(&two, rows[i].ids[1], rows[i].keys[1], TITLE, NULL, 0);
		changes[0] = one.change;
		changes[1] = two.change;
		if (!sf_write_build("66.0", &batch, &got, &stop, &err))
			fail_msg("row %zu: %s %s", i, err.code, err.text);
		assert_string_equal(got.method, rows[i].method);
		assert_string_equal(got.path, rows[i].path);
		if (rows[i].body) {
			assert_string_equal(got.body, rows[i].body);
			assert_int_equal(got.body_len, strlen(rows[i].body));
			assert_string_equal(got.headers[at++], "Content-Type: application/json");
		} else {
			assert_null(got.body);
		}
		assert_string_equal(got.headers[at++], "Sforce-Auto-Assign: FALSE");
		assert_string_equal(got.headers[at++], "Sforce-Mru: updateMru=false");
		assert_null(got.headers[at]);
		sf_write_clear(&got);
		assert_null(got.body);
	}
}

/* The body of an update of one field; free() it. */
static char *body_with(enum field field, const char *text, size_t len, struct sf_write_stop *stop,
		       struct error *err)
{
	struct sf_write got = { 0 };
	struct one one;
	struct remote_batch batch = batch_of(REMOTE_UPDATE, &one.change, 1);

	fill(&one, ID_A, NULL, (int)field, text, len);
	if (!sf_write_build("66.0", &batch, &got, stop, err)) {
		assert_null(got.path); /* untouched */
		return NULL;
	}
	free(got.path);
	return got.body;
}

static void values_as_json(void **state)
{
	static const struct {
		enum field field;
		const char *text, *json;
	} rows[] = {
		{ NAME, "Okafor", "\"LastName\":\"Okafor\"" },
		{ NAME, NULL, "\"LastName\":null" },
		{ NAME, "null", "\"LastName\":\"null\"" },
		{ NAME, "a/b", "\"LastName\":\"a/b\"" },
		{ NAME, "1", "\"LastName\":\"1\"" },
		{ ACTIVE, "1", "\"Active__c\":true" },
		{ ACTIVE, "0", "\"Active__c\":false" },
		{ COUNT, "-12", "\"Count__c\":-12" },
		{ COUNT, "9223372036854775807", "\"Count__c\":9223372036854775807" },
		{ COUNT, NULL, "\"Count__c\":null" },
		{ REVENUE, "0.5", "\"Revenue__c\":0.5" },
		{ REVENUE, "-0.01", "\"Revenue__c\":-0.01" },
		{ REVENUE, "123456789012345678.25", "\"Revenue__c\":123456789012345678.25" },
		{ BIRTH, "2026-01-02", "\"Birth__c\":\"2026-01-02\"" },
		{ SEEN, "2026-01-02T03:04:05Z", "\"Seen__c\":\"2026-01-02T03:04:05Z\"" },
		{ WAKE, "03:04:05", "\"Wake__c\":\"03:04:05.000Z\"" },
		{ OWNER, ID_B, "\"OwnerId\":\"" ID_B "\"" },
		{ OWNER, NULL, "\"OwnerId\":null" },
		{ TAGS, "a;b", "\"Tags__c\":\"a;b\"" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct sf_write_stop stop;
		struct error err;
		CLEANUP_FREE char *body =
			body_with(rows[i].field, rows[i].text,
				  rows[i].text ? strlen(rows[i].text) : 0, &stop, &err);
		CLEANUP_FREE char *want =
			mem_format(START LEAD ",\"id\":\"" ID_A "\",%s}]}", rows[i].json);

		assert_string_equal(body ? body : err.text, want);
	}
}

/* What comes out of the body, by another's reading of it, is what went in. */
static void check_round_trip(const char *text, size_t len)
{
	struct sf_write_stop stop;
	struct error err;
	CLEANUP_FREE char *body = body_with(NAME, text, len, &stop, &err);
	struct json_object *root, *records, *name;

	assert_non_null(body);
	for (const char *at = body; *at; at++)
		assert_true((unsigned char)*at >= 0x20);
	root = sf_json_whole(body, strlen(body));
	assert_true(json_object_object_get_ex(root, "records", &records));
	assert_true(json_object_object_get_ex(json_object_array_get_idx(records, 0), "LastName",
					      &name));
	assert_int_equal(json_object_get_string_len(name), len);
	assert_memory_equal(json_object_get_string(name), text, len);
	json_object_put(root);
}

static void awkward_texts(void **state)
{
	static const char *const texts[] = {
		"\"",
		"\\",
		"\\\"",
		"\\u0000",
		"a\nb\tc",
		"</script>",
		"\xe2\x80\xa8 line and paragraph \xe2\x80\xa9 ends",
		"Zo\xc3\xab \xf0\x9f\x98\x80 \xef\xbf\xbd \xef\xbb\xbf",
		"\"}],\"allOrNone\":true,\"x\":[{\"y\":\"",
		"%s%n",
	};
	char text[4] = "a.b";

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++)
		check_round_trip(texts[i], strlen(texts[i]));
	for (int byte = 1; byte < 0x80; byte++) {
		text[1] = (char)byte;
		if (byte != '\r')
			check_round_trip(text, 3);
	}
}

static void values_of_no_type(void **state)
{
	static const struct {
		enum field field;
		const char *text;
		size_t len; /* 0: strlen() */
	} rows[] = {
		{ ACTIVE, NULL, 0 },
		{ ACTIVE, "true", 0 },
		{ ACTIVE, "2", 0 },
		{ COUNT, "1.5", 0 },
		{ COUNT, "01", 0 },
		{ COUNT, "1e3", 0 },
		{ COUNT, "1,\"x\":1", 0 },
		{ COUNT, "9223372036854775808", 0 },
		{ REVENUE, "NaN", 0 },
		{ REVENUE, "1.50", 0 },
		{ REVENUE, ".5", 0 },
		{ REVENUE, "1.234", 0 },
		{ BIRTH, "2026-02-30", 0 },
		{ BIRTH, "2026-01-02T03:04:05Z", 0 },
		{ SEEN, "2026-01-02", 0 },
		{ SEEN, "2026-01-02T03:04:05.000+0000", 0 },
		{ WAKE, "25:00:00", 0 },
		{ WAKE, "03:04:05.000Z", 0 },
		{ OWNER, "x", 0 },
		{ OWNER, "00Q8d00000BvT3x", 0 },
		{ TAGS, "b;a", 0 },
		{ TAGS, "a;a", 0 },
		{ NAME, " a", 0 },
		{ NAME, "a\r\nb", 0 },
		{ NAME, "a\0b", 3 },
		{ NAME, "\xff", 0 },
		{ NAME, "\xed\xa0\x80", 0 } /* half a surrogate pair */,
	};
	struct one good, bad;
	struct remote_change changes[2];
	struct remote_batch batch = batch_of(REMOTE_UPDATE, changes, 2);
	struct sf_write got = { 0 };
	struct sf_write_stop stop;
	struct error err;

	(void)state;
	fill(&good, ID_A, NULL, NAME, "A", 1);
	changes[0] = good.change;
	for (size_t i = 0; i < LEN(rows); i++) {
		const char *text = rows[i].text;

		fill(&bad, ID_B, NULL, (int)rows[i].field, text,
		     rows[i].len ? rows[i].len
		     : text      ? strlen(text)
				 : 0);
		changes[1] = bad.change;
		if (sf_write_build("66.0", &batch, &got, &stop, &err))
			fail_msg("row %zu was sent", i);
		assert_int_equal(err.kind, ERROR_FIELD);
		assert_string_equal(err.code, "bad-value");
		assert_non_null(strstr(err.text, fields[rows[i].field].field));
		assert_int_equal(stop.at, 1);
		assert_ptr_equal(stop.field, &fields[rows[i].field]);
		assert_null(got.path);
	}
	/* Text that is empty and not null. */
	assert_null(body_with(NAME, "", 0, &stop, &err));
	assert_string_equal(err.code, "bad-value");
	assert_int_equal(stop.at, 0);
}

#define NONE FIELDS

static void bugs_of_the_caller(void **state)
{
	static const struct {
		const char *name;
		enum remote_operation operation;
		const char *ids[2], *keys[2];
		int field;
		const char *code;
		const char *names; /* what the text must name */
		size_t at;
	} rows[] = {
		{ "id twice", REMOTE_UPDATE, { ID_A, ID_A }, { 0 }, NAME, "doubled-key", ID_A, 1 },
		{ "id twice", REMOTE_DELETE, { ID_A, ID_A }, { 0 }, NONE, "doubled-key", ID_A, 1 },
		{ "key twice", REMOTE_UPSERT, { 0 }, { "k1", "k1" }, NAME, "doubled-key", "k1", 1 },
		{ "case", REMOTE_UPSERT, { 0 }, { "k1", "K1" }, NAME, "doubled-key", "K1", 1 },
		{ "nothing", REMOTE_UPDATE, { ID_A, ID_B }, { 0 }, NONE, "empty-change", "", 1 },
		{ "nothing", REMOTE_UPSERT, { 0 }, { "k1", "k2" }, NONE, "empty-change", "", 1 },
		{ "nothing", REMOTE_CREATE, { 0 }, { 0 }, NONE, "empty-change", "", 1 },
		{ "down",
		  REMOTE_UPDATE,
		  { ID_A, ID_B },
		  { 0 },
		  DOWN,
		  "not-writable",
		  "Created",
		  1 },
		{ "formula",
		  REMOTE_UPDATE,
		  { ID_A, ID_B },
		  { 0 },
		  FORMULA,
		  "not-writable",
		  "Form",
		  1 },
		{ "reached",
		  REMOTE_CREATE,
		  { 0 },
		  { 0 },
		  REACHED,
		  "not-writable",
		  "Owner.Email",
		  1 },
		{ "key field",
		  REMOTE_UPSERT,
		  { 0 },
		  { "1", "2" },
		  KEY,
		  "repeated-key",
		  "ext_key",
		  1 },
		{ "no id", REMOTE_UPDATE, { ID_A, NULL }, { 0 }, NAME, "bad-id", "", 1 },
		{ "no id", REMOTE_DELETE, { ID_A, NULL }, { 0 }, NAME, "bad-id", "", 1 },
		{ "short",
		  REMOTE_UPDATE,
		  { ID_A, "00Q8d00000BvT3x" },
		  { 0 },
		  NAME,
		  "bad-id",
		  "",
		  1 },
		{ "sum",
		  REMOTE_DELETE,
		  { ID_A, "00Q8d00000BvT3xAAA" },
		  { 0 },
		  NAME,
		  "bad-id",
		  "",
		  1 },
		{ "more", REMOTE_DELETE, { ID_A "&x=", ID_B }, { 0 }, NAME, "bad-id", "", 0 },
		{ "create by id", REMOTE_CREATE, { ID_A, ID_B }, { 0 }, NAME, "bad-id", "", 0 },
		{ "upsert by id", REMOTE_UPSERT, { ID_A, ID_B }, { 0 }, NAME, "bad-id", "", 0 },
		{ "no key", REMOTE_UPSERT, { 0 }, { "k1", NULL }, NAME, "bad-key", "", 1 },
		{ "empty key", REMOTE_UPSERT, { 0 }, { "k1", "" }, NAME, "bad-key", "", 1 },
		{ "blank key", REMOTE_UPSERT, { 0 }, { "k1", " k" }, NAME, "bad-key", "", 1 },
		{ "broken key", REMOTE_UPSERT, { 0 }, { "k1", "\xff" }, NAME, "bad-key", "", 1 },
		{ "create by key", REMOTE_CREATE, { 0 }, { "k1", "k2" }, NAME, "bad-key", "", 0 },
		{ "update by key", REMOTE_UPDATE, { ID_A, ID_B }, { "1" }, NAME, "bad-key", "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct one one, two;
		struct remote_change changes[2];
		struct remote_batch batch = batch_of(rows[i].operation, changes, 2);
		struct sf_write got = { 0 };
		struct sf_write_stop stop;
		struct error err;

		fill(&one, rows[i].ids[0], rows[i].keys[0], NAME, "A", 1);
		fill(&two, rows[i].ids[1], rows[i].keys[1], rows[i].field, "B", 1);
		changes[0] = one.change;
		changes[1] = two.change;
		if (sf_write_build("66.0", &batch, &got, &stop, &err))
			fail_msg("%s (row %zu) was let through", rows[i].name, i);
		if (err.kind != ERROR_BUG || strcmp(err.code, rows[i].code) != 0 ||
		    !strstr(err.text, rows[i].names) || stop.at != rows[i].at)
			fail_msg("%s (row %zu): %s \"%s\" at %zu", rows[i].name, i, err.code,
				 err.text, stop.at);
		assert_null(got.path);
	}
}

static void names_that_are_none(void **state)
{
	static const struct {
		enum remote_operation operation;
		const char *object, *key_field;
	} rows[] = {
		{ REMOTE_CREATE, "Lead\"", NULL },   { REMOTE_CREATE, "", NULL },
		{ REMOTE_CREATE, "Lead/x", NULL },   { REMOTE_CREATE, "Lead", "Ext_Key__c" },
		{ REMOTE_UPSERT, "Lead", NULL },     { REMOTE_UPSERT, "Lead", "a/b" },
		{ REMOTE_UPSERT, "Lead", "a?b=\"" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct one one;
		struct remote_batch batch = batch_of(rows[i].operation, &one.change, 1);
		struct sf_write got;
		struct sf_write_stop stop;
		struct error err;

		fill(&one, NULL, rows[i].operation == REMOTE_UPSERT ? "k1" : NULL, NAME, "A", 1);
		batch.object = rows[i].object;
		batch.key_field = rows[i].key_field;
		assert_false(sf_write_build("66.0", &batch, &got, &stop, &err));
		assert_string_equal(err.code, "bad-name");
		assert_int_equal(stop.at, 1);
	}
}

static void how_many(void **state)
{
	struct one one;
	struct remote_change changes[REMOTE_WRITE_MOST + 1];
	struct remote_batch batch = batch_of(REMOTE_CREATE, changes, REMOTE_WRITE_MOST);
	struct sf_write got;
	struct sf_write_stop stop;
	struct error err;
	struct json_object *root, *records;

	(void)state;
	fill(&one, NULL, NULL, NAME, "A", 1);
	for (size_t i = 0; i < LEN(changes); i++)
		changes[i] = one.change;
	assert_true(sf_write_build("66.0", &batch, &got, &stop, &err));
	root = sf_json_whole(got.body, got.body_len);
	assert_true(json_object_object_get_ex(root, "records", &records));
	assert_int_equal(json_object_array_length(records), REMOTE_WRITE_MOST);
	json_object_put(root);
	sf_write_clear(&got);

	batch.count = REMOTE_WRITE_MOST + 1;
	assert_false(sf_write_build("66.0", &batch, &got, &stop, &err));
	assert_int_equal(err.kind, ERROR_BUG);
	assert_string_equal(err.code, "too-many-changes");
	batch.count = 0;
	assert_false(sf_write_build("66.0", &batch, &got, &stop, &err));
	assert_string_equal(err.code, "no-changes");
}

/* A text of so many bytes; escaped it is twice as long if `c` is a quote. free() it. */
static char *text_of(size_t len, char c)
{
	char *text = mem_zeroed(len + 1, 1);

	memset(text, c, len);
	return text;
}

static void how_long(void **state)
{
	const size_t len = 1000000;
	CLEANUP_FREE char *text = text_of(len, '"');
	struct one one;
	struct remote_change changes[5];
	struct remote_batch batch = batch_of(REMOTE_CREATE, changes, LEN(changes));
	struct sf_write got;
	struct sf_write_stop stop;
	struct error err;

	(void)state;
	fill(&one, NULL, NULL, NAME, text, len);
	for (size_t i = 0; i < LEN(changes); i++)
		changes[i] = one.change;
	assert_false(sf_write_build("66.0", &batch, &got, &stop, &err));
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_string_equal(err.code, "batch-too-large");
	assert_int_equal(stop.at, 3);
	batch.count = stop.at;
	assert_true(sf_write_build("66.0", &batch, &got, &stop, &err));
	assert_true(got.body_len > 6 * len && got.body_len < SF_WRITE_MOST_BYTES);
	sf_write_clear(&got);
}

/* The last byte that fits, and the first that does not. */
static void how_long_exactly(void **state)
{
	CLEANUP_FREE char *text = text_of(SF_WRITE_MOST_BYTES, 'x');
	const size_t rest = strlen(START LEAD ",\"id\":\"" ID_A "\",\"LastName\":\"\"}]}");
	struct sf_write_stop stop;
	struct error err;
	CLEANUP_FREE char *body = body_with(NAME, text, SF_WRITE_MOST_BYTES - rest, &stop, &err);

	(void)state;
	assert_non_null(body);
	assert_int_equal(strlen(body), SF_WRITE_MOST_BYTES);
	assert_null(body_with(NAME, text, SF_WRITE_MOST_BYTES - rest + 1, &stop, &err));
	assert_int_equal(err.kind, ERROR_RECORD);
	assert_string_equal(err.code, "record-too-large");
	assert_int_equal(stop.at, 0);
	/* It is not even looked at: there are not that many bytes. */
	assert_null(body_with(NAME, text, UINT32_MAX, &stop, &err));
	assert_string_equal(err.code, "record-too-large");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_four_operations),
		cmocka_unit_test(values_as_json),
		cmocka_unit_test(awkward_texts),
		cmocka_unit_test(values_of_no_type),
		cmocka_unit_test(bugs_of_the_caller),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(how_many),
		cmocka_unit_test(how_long),
		cmocka_unit_test(how_long_exactly),
	};

	return cmocka_run_group_tests_name("sf_write", tests, NULL, NULL);
}
