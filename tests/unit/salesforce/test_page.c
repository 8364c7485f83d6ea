/* Answers of queries: whole ones in any pieces, cut ones, wrong ones, and thousands of mutants. */
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
#include "record/record.h"
#include "record/schema.h"
#include "salesforce/sf_page.h"

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))

static const struct sf_shape whole_shape = { .stamp_field = "SystemModstamp",
					     .has_deleted = true,
					     .has_master = true };

/* Fields of every type, one of them a system field too, two reached through a relationship. */
static struct mapping *new_mapping(void)
{
	static const struct {
		const char *name;
		enum value_type type;
	} fields[] = {
		{ "LastName", VALUE_TEXT },     { "Revenue__c", VALUE_DECIMAL },
		{ "Employees", VALUE_INTEGER }, { "DoNotCall", VALUE_BOOLEAN },
		{ "Birthdate", VALUE_DATE },    { "SystemModstamp", VALUE_DATETIME },
		{ "Tags__c", VALUE_SET },       { "OwnerId", VALUE_ID },
		{ "Owner.Email", VALUE_TEXT },  { "Owner.Manager.Age__c", VALUE_INTEGER },
		{ "Wake__c", VALUE_TIME },
	};
	struct mapping *mapping = mem_new(struct mapping);

	mapping->shares = 1;
	mapping->count = LEN(fields);
	mapping->fields = mem_array(struct mapping_field, LEN(fields));
	for (size_t i = 0; i < LEN(fields); i++)
		mapping->fields[i] = (struct mapping_field){ .field = mem_strdup(fields[i].name),
							     .column = mem_strdup("c"),
							     .type = fields[i].type,
							     .scale = 2 };
	return mapping;
}

#define FIRST                                                                                      \
	"{\"attributes\":{\"type\":\"Lead\",\"url\":\"/services/data/v66.0/sobjects/Lead/x\"},"    \
	"\"Id\":\"00Q8d00000BvT3xEAF\",\"SystemModstamp\":\"2026-01-02T03:04:05.000+0000\","       \
	"\"IsDeleted\":false,\"MasterRecordId\":null,\"LastName\":\" O\\\"K\\u00e9{]\\\\ \","      \
	"\"Revenue__c\":123456789012345678.25,\"Employees\":42,\"DoNotCall\":true,"                \
	"\"Birthdate\":\"1979-02-28\",\"Tags__c\":\"B;A\",\"OwnerId\":\"0058d000002Kp7ZAAS\","     \
	"\"Owner\":{\"attributes\":{\"type\":\"User\"},\"Email\":\"a@b.example\","                 \
	"\"Manager\":{\"Age__c\":51}},\"Wake__c\":\"03:04:05.000Z\"}"
#define SECOND                                                                                     \
	"{\"Wake__c\":null,\"Owner\":null,\"OwnerId\":null,\"Tags__c\":null,\"Birthdate\":null,"   \
	"\"DoNotCall\":null,\"Employees\":null,\"Revenue__c\":1.0E7,\"LastName\":\"\xc3\x89va\","  \
	"\"MasterRecordId\":\"00Q8d00000BvT3xEAF\",\"IsDeleted\":true,"                            \
	"\"SystemModstamp\":\"2026-01-02T03:04:06.000+0000\",\"Id\":\"00Q8d00000BvT3y\","          \
	"\"Another\":[1,{\"a\":[]}]}"
#define NEXT "/services/data/v66.0/query/01g8d0000XyZ1AbAQK-2000"
#define GOOD                                                                                       \
	" {\"totalSize\":4210, \"done\" :false,\n\"nextRecordsUrl\":\"" NEXT                       \
	"\",\"records\":[" FIRST ",\r\n" SECOND "],\"more\":{\"x\":[1,2,\"]}\"]}}\n"

#define FIRST_READ                                                                                 \
	"00Q8d00000BvT3xEAF 1767323045000 live - | O\"K\xc3\xa9{]\\ | 123456789012345678.25 | 42 " \
	"| 1 | 1979-02-28 | 2026-01-02T03:04:05Z | A;B | 0058d000002Kp7ZAAS | a@b.example | 51 | " \
	"03:04:05\n"
#define SECOND_READ                                                                                \
	"00Q8d00000BvT3yEAF 1767323046000 deleted 00Q8d00000BvT3xEAF | \xc3\x89va | 10000000 | "   \
	"(null) | 0 | (null) | 2026-01-02T03:04:06Z | (null) | (null) | (null) | (null) | "        \
	"(null)\n"

static void print_value(FILE *out, const struct value *value)
{
	if (value->text)
		fprintf(out, " | %.*s", (int)value->len, value->text);
	else
		fprintf(out, " | (null)");
}

static char *print_page(const struct record_page *page)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < page->count; i++) {
		const struct record *record = &page->records[i];

		fprintf(out, "%s %lld %s %s", record->id, (long long)record->stamp_ms,
			record->deleted ? "deleted" : "live",
			record->master_id ? record->master_id : "-");
		for (size_t k = 0; k < page->mapping->count && !record->reject; k++)
			print_value(out, &record->values[k]);
		if (record->reject)
			fprintf(out, " rejected %s", record->reject_field);
		fputc('\n', out);
	}
	fclose(out);
	return text;
}

/* Feeds `first` bytes, then pieces of `step`. */
static struct record_page *read_pieces(const char *body, size_t len, size_t first, size_t step,
				       struct error *err)
{
	CLEANUP(mapping_free) struct mapping *mapping = new_mapping();
	CLEANUP(sf_page_free) struct sf_page *reader = sf_page_new(mapping, &whole_shape);
	size_t piece = first;

	for (size_t at = 0; at < len; at += piece, piece = step) {
		char *copy; /* of its own, so that a byte too far is seen */
		bool ok;

		if (piece > len - at)
			piece = len - at;
		copy = malloc(piece ? piece : 1);
		memcpy(copy, body + at, piece);
		ok = sf_page_feed(reader, copy, piece, err);
		free(copy);
		if (!ok)
			return NULL;
	}
	return sf_page_end(reader, err);
}

static void check_good(size_t first, size_t step)
{
	static const char body[] = GOOD;
	CLEANUP(record_page_free) struct record_page *page = NULL;
	CLEANUP_FREE char *got = NULL;
	struct error err = { 0 };

	page = read_pieces(body, strlen(body), first, step, &err);
	if (!page)
		fail_msg("pieces of %zu, %zu: %s", first, step, err.text);
	got = print_page(page);
	assert_string_equal(got, FIRST_READ SECOND_READ);
	assert_int_equal(page->total, 4210);
	assert_string_equal(page->next, NEXT);
	assert_int_equal(page->bytes, strlen(body));
}

static void a_page_comes_in_any_pieces(void **state)
{
	size_t len = strlen(GOOD);

	(void)state;
	for (size_t at = 0; at <= len; at++)
		check_good(at, len);
	for (size_t step = 1; step < 40; step++)
		check_good(step, step);
}

static void a_cut_page_is_no_page(void **state)
{
	static const char body[] = GOOD;
	size_t whole = strlen(body) - 1; /* without the newline behind it */

	(void)state;
	for (size_t len = 0; len < whole; len++) {
		struct error err;

		assert_null(read_pieces(body, len, len, 1, &err));
		assert_int_equal(err.kind, ERROR_RETRY);
	}
}

#define ENVELOPE(records) "{\"totalSize\":1,\"done\":true,\"records\":[" records "]}"

static void wrong_answers_are_refused(void **state)
{
	static const struct {
		const char *name, *body, *code;
	} rows[] = {
		{ "html", "<html><body>Down</body></html>", "not-json" },
		{ "empty", "", "not-json" },
		{ "blanks", " \n ", "not-json" },
		{ "array", "[{\"errorCode\":\"X\"}]", "not-json" },
		{ "byte order mark", "\xef\xbb\xbf" ENVELOPE(""), "not-json" },
		{ "an error object", "{\"errorCode\":\"X\",\"message\":\"y\"}", "protocol" },
		{ "no members", "{}", "protocol" },
		{ "no totalSize", "{\"done\":true,\"records\":[]}", "protocol" },
		{ "no done", "{\"totalSize\":0,\"records\":[]}", "protocol" },
		{ "no records", "{\"totalSize\":0,\"done\":true}", "protocol" },
		{ "records null", "{\"totalSize\":0,\"done\":true,\"records\":null}", "protocol" },
		{ "done as text", "{\"totalSize\":0,\"done\":\"true\",\"records\":[]}",
		  "protocol" },
		{ "total as text", "{\"totalSize\":\"0\",\"done\":true,\"records\":[]}",
		  "protocol" },
		{ "total below zero", "{\"totalSize\":-1,\"done\":true,\"records\":[]}",
		  "protocol" },
		{ "total broken", "{\"totalSize\":1x,\"done\":true,\"records\":[]}", "protocol" },
		{ "total missing", "{\"totalSize\":,\"done\":true,\"records\":[]}", "protocol" },
		{ "done twice", "{\"totalSize\":0,\"done\":true,\"done\":true,\"records\":[]}",
		  "protocol" },
		{ "records twice", "{\"totalSize\":0,\"done\":true,\"records\":[],\"records\":[]}",
		  "protocol" },
		{ "not done, no next", "{\"totalSize\":0,\"done\":false,\"records\":[]}",
		  "protocol" },
		{ "not done, no records",
		  "{\"totalSize\":9,\"done\":false,\"nextRecordsUrl\":\"" NEXT "\",\"records\":[]}",
		  "protocol" },
		{ "done and next",
		  "{\"totalSize\":0,\"done\":true,\"nextRecordsUrl\":\"" NEXT "\",\"records\":[]}",
		  "protocol" },
		{ "next elsewhere",
		  "{\"totalSize\":0,\"done\":false,\"nextRecordsUrl\":\"https://evil.example"
		  "/services/data/v66.0/query/x\",\"records\":[]}",
		  "protocol" },
		{ "next upwards",
		  "{\"totalSize\":0,\"done\":false,"
		  "\"nextRecordsUrl\":\"/services/data/v66.0/../x\",\"records\":[]}",
		  "protocol" },
		{ "next with a NUL",
		  "{\"totalSize\":0,\"done\":false,"
		  "\"nextRecordsUrl\":\"/services/data/v66.0/query/x\\u0000y\",\"records\":[]}",
		  "protocol" },
		{ "next null",
		  "{\"totalSize\":0,\"done\":false,\"nextRecordsUrl\":null,\"records\":[]}",
		  "protocol" },
		{ "goes on", ENVELOPE("") "x", "protocol" },
		{ "twice", ENVELOPE("") ENVELOPE(""), "protocol" },
		{ "comma at the end", "{\"totalSize\":0,\"done\":true,\"records\":[],}",
		  "protocol" },
		{ "record comma at the end", ENVELOPE(FIRST ","), "protocol" },
		{ "no comma", ENVELOPE(FIRST " " SECOND), "protocol" },
		{ "record null", ENVELOPE("null"), "protocol" },
		{ "record an array", ENVELOPE("[]"), "protocol" },
		{ "record broken", ENVELOPE("{\"Id\":}"), "protocol" },
		{ "brackets crossed", ENVELOPE("{\"Id\":[}]"), "protocol" },
		{ "record empty", ENVELOPE("{}"), "protocol" },
		{ "quote unescaped", ENVELOPE("{\"Id\":\"a\"b\"}"), "protocol" },
		{ "single quotes", ENVELOPE("{'Id':'x'}"), "protocol" },
		{ "a comment", "{/**/\"totalSize\":0,\"done\":true,\"records\":[]}", "protocol" },
		{ "bad utf-8", "{\"totalSize\":0,\"done\":true,\"x\":\"\xff\",\"records\":[]}",
		  "protocol" },
		{ "control in a string",
		  "{\"totalSize\":0,\"done\":true,\"x\":\"a\nb\",\"records\":[]}", "protocol" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		for (size_t step = 1; step < 200; step += 99) {
			CLEANUP(record_page_free) struct record_page *page = NULL;
			struct error err = { 0 };

			page = read_pieces(rows[i].body, strlen(rows[i].body), step, step, &err);
			if (page || strcmp(err.code, rows[i].code) != 0 || err.kind != ERROR_RETRY)
				fail_msg("%s: %s", rows[i].name, page ? "was accepted" : err.text);
		}
	}
}

/* One record with one member replaced, as text. */
static char *with_member(const char *member, const char *value)
{
	static const struct {
		const char *name, *value;
	} members[] = {
		{ "Id", "\"00Q8d00000BvT3xEAF\"" },
		{ "SystemModstamp", "\"2026-01-02T03:04:05.000+0000\"" },
		{ "IsDeleted", "false" },
		{ "MasterRecordId", "null" },
		{ "LastName", "\"x\"" },
		{ "Revenue__c", "1.5" },
		{ "Employees", "1" },
		{ "DoNotCall", "false" },
		{ "Birthdate", "null" },
		{ "Tags__c", "null" },
		{ "OwnerId", "null" },
		{ "Owner", "null" },
		{ "Wake__c", "null" },
	};
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool first = true;

	fputs("{\"totalSize\":1,\"done\":true,\"records\":[{", out);
	for (size_t i = 0; i < LEN(members); i++) {
		const char *shown = strcmp(members[i].name, member) == 0 ? value : members[i].value;

		if (!shown)
			continue;
		fprintf(out, "%s\"%s\":%s", first ? "" : ",", members[i].name, shown);
		first = false;
	}
	fputs("}]}", out);
	fclose(out);
	return text;
}

#define REFUSED  "(refused)"
#define REJECTED "(rejected)"

static void values_by_type(void **state)
{
	static const struct {
		const char *member, *json;
		size_t value; /* index in the mapping */
		const char *want;
	} rows[] = {
		{ "LastName", "\"a\\r\\nb \"", 0, "a\nb" },
		{ "LastName", "\"\"", 0, "(null)" },
		{ "LastName", "\"a\\u0000b\"", 0, REJECTED },
		{ "LastName", "\"\\ud83d\\ude00\"", 0, "\xf0\x9f\x98\x80" },
		{ "LastName", "5", 0, REJECTED },
		{ "LastName", "true", 0, REJECTED },
		{ "LastName", "{}", 0, REJECTED },
		{ "LastName", "[\"a\"]", 0, REJECTED },
		{ "LastName", NULL, 0, REFUSED },
		{ "Revenue__c", "123456789012345678.25", 1, "123456789012345678.25" },
		{ "Revenue__c", "999999999999999999", 1, "999999999999999999" },
		{ "Revenue__c", "-0.005", 1, "-0.01" },
		{ "Revenue__c", "1.0E7", 1, "10000000" },
		{ "Revenue__c", "1e-7", 1, "0" },
		{ "Revenue__c", "250000.0", 1, "250000" },
		{ "Revenue__c", "9223372036854775807", 1, "9223372036854775807" },
		{ "Revenue__c", "18446744073709551615", 1, REJECTED },
		{ "Revenue__c", "99999999999999999999", 1, REJECTED },
		{ "Revenue__c", "99999999999999999999.5", 1, "99999999999999999999.5" },
		{ "Revenue__c", "-99999999999999999999", 1, REJECTED },
		{ "Revenue__c", "\"1.5\"", 1, REJECTED },
		{ "Revenue__c", "null", 1, "(null)" },
		{ "Revenue__c", "01", 1, REFUSED },
		{ "Revenue__c", "+1", 1, REFUSED },
		{ "Revenue__c", "NaN", 1, REJECTED },
		{ "Employees", "-7", 2, "-7" },
		{ "Employees", "7.0", 2, "7" },
		{ "Employees", "7.5", 2, REJECTED },
		{ "DoNotCall", "true", 3, "1" },
		{ "DoNotCall", "null", 3, "0" },
		{ "DoNotCall", "\"true\"", 3, REJECTED },
		{ "DoNotCall", "1", 3, REJECTED },
		{ "Birthdate", "\"2026-02-29\"", 4, REJECTED },
		{ "Birthdate", "\"2026-01-02T00:00:00.000+0000\"", 4, REJECTED },
		{ "Tags__c", "\"C;A;B\"", 6, "A;B;C" },
		{ "OwnerId", "\"0058d000002Kp7Z\"", 7, "0058d000002Kp7ZAAS" },
		{ "OwnerId", "\"0058d000002Kp7ZAAA\"", 7, REJECTED },
		{ "Owner", "{\"Email\":\"e\",\"Manager\":null}", 8, "e" },
		{ "Owner", "{\"Email\":\"e\",\"Manager\":{\"Age__c\":5}}", 9, "5" },
		{ "Owner", "{\"Email\":\"e\",\"Manager\":{}}", 9, REFUSED },
		{ "Owner", "{\"Email\":\"e\"}", 8, REFUSED },
		{ "Owner", "\"e\"", 8, REFUSED },
		{ "Wake__c", "\"25:00:00.000Z\"", 10, REJECTED },
		{ "Id", "null", 0, REFUSED },
		{ "Id", "\"00Q8d00000BvT3xEAA\"", 0, REFUSED },
		{ "SystemModstamp", "null", 0, REFUSED },
		{ "SystemModstamp", "\"2026-01-02\"", 0, REFUSED },
		{ "IsDeleted", "null", 0, REFUSED },
		{ "MasterRecordId", "\"x\"", 0, REFUSED },
		{ "IsDeleted", "false,\"IsDeleted\":false", 0, REFUSED },
		{ "Owner", "{\"Email\":\"e\",\"Email\":\"f\",\"Manager\":null}", 8, REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		CLEANUP_FREE char *body = with_member(rows[i].member, rows[i].json);
		CLEANUP(record_page_free) struct record_page *page = NULL;
		char got[100] = REFUSED;
		struct error err = { 0 };

		page = read_pieces(body, strlen(body), 1000, 1000, &err);
		if (page && page->records[0].reject) {
			assert_int_equal(page->records[0].reject->kind, ERROR_RECORD);
			assert_string_equal(page->records[0].reject->code, "bad-value");
			assert_string_equal(page->records[0].reject_field, rows[i].member);
			assert_true(value_is_null(&page->records[0].values[5]));
			snprintf(got, sizeof(got), "%s", REJECTED);
		} else if (page && page->records[0].values[rows[i].value].text) {
			const struct value *value = &page->records[0].values[rows[i].value];

			snprintf(got, sizeof(got), "%.*s", (int)value->len, value->text);
		} else if (page) {
			snprintf(got, sizeof(got), "(null)");
		}
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s %s gave %s, not %s (%s)", rows[i].member,
				 rows[i].json ? rows[i].json : "missing", got, rows[i].want,
				 err.text);
	}
}

static void a_bad_record_leaves_the_others(void **state)
{
	static const char body[] = ENVELOPE(FIRST "," FIRST "," SECOND);
	CLEANUP_FREE char *broken = mem_strdup(body);
	CLEANUP(record_page_free) struct record_page *page = NULL;
	CLEANUP_FREE char *got = NULL;
	struct error err;

	(void)state;
	memcpy(strstr(strstr(broken, "1979-02-28") + 1, "1979-02-28"), "1979-02-29", 10);
	page = read_pieces(broken, strlen(broken), 7, 7, &err);
	assert_non_null(page);
	got = print_page(page);
	assert_string_equal(
		got, FIRST_READ
		"00Q8d00000BvT3xEAF 1767323045000 live - rejected Birthdate\n" SECOND_READ);
}

static void a_giant_record_is_refused(void **state)
{
	static const char head[] = "{\"totalSize\":1,\"done\":true,\"records\":[{\"Id\":\"";
	size_t len = (size_t)5 * 1024 * 1024;
	CLEANUP_FREE char *body = malloc(len);
	struct error err;

	(void)state;
	memset(body, 'x', len);
	memcpy(body, head, strlen(head));
	assert_null(read_pieces(body, len, len, len, &err));
	assert_string_equal(err.code, "protocol");
	assert_null(read_pieces(body, len, 65536, 65536, &err));
	assert_string_equal(err.code, "protocol");
}

static void deep_nesting_is_refused(void **state)
{
	CLEANUP_FREE char *nest = mem_zeroed(4001, 1);
	CLEANUP_FREE char *body = NULL;
	struct error err;

	(void)state;
	memset(nest, '[', 2000);
	memset(nest + 2000, ']', 2000);
	body = mem_format("{\"totalSize\":0,\"done\":true,\"x\":%s,\"records\":[]}", nest);
	assert_null(read_pieces(body, strlen(body), 100, 100, &err));
	assert_string_equal(err.code, "protocol");
}

static void ids_only_wants_no_fields(void **state)
{
	static const char body[] = "{\"totalSize\":1,\"done\":true,\"records\":["
				   "{\"Id\":\"00Q8d00000BvT3xEAF\"}]}";
	CLEANUP(mapping_free) struct mapping *mapping = new_mapping();
	struct sf_shape shape = { .ids_only = true };
	CLEANUP(sf_page_free) struct sf_page *reader = sf_page_new(mapping, &shape);
	CLEANUP(record_page_free) struct record_page *page = NULL;
	struct error err;

	(void)state;
	assert_true(sf_page_feed(reader, body, strlen(body), &err));
	page = sf_page_end(reader, &err);
	assert_non_null(page);
	assert_int_equal(page->count, 1);
	assert_true(value_is_null(&page->records[0].values[0]));
	assert_null(page->next);
}

/* What a query reads besides the mapping; `last` also by json-c, for it is not ASCII. */
static void who_changed_it_and_the_key(void **state)
{
	static const struct {
		const char *date, *by, *key, *last;
		const char *code; /* NULL: read */
		int64_t modified_ms;
		bool by_us;
		const char *want_key, *reject; /* NULL: none */
	} rows[] = {
#define WHEN "\"2026-01-02T03:04:05.000+0000\""
#define US   "\"0058d000002Kp7ZAAS\""
		{ WHEN, US, "\" k1 \"", "\"A\"", NULL, INT64_C(1767323045000), true, "k1", NULL },
		{ WHEN, "\"0058d000002Kp7Z\"", "\"k1\"", "\"A\"", NULL, INT64_C(1767323045000),
		  true, "k1", NULL },
		{ WHEN, "\"0058d000002Kp7aAAC\"", "\"k1\"", "\"A\"", NULL, INT64_C(1767323045000),
		  false, "k1", NULL },
		{ WHEN, "null", "null", "\"A\"", NULL, INT64_C(1767323045000), false, NULL, NULL },
		{ "null", US, "\"\"", "\"A\"", NULL, 0, true, NULL, NULL },
		{ WHEN, US, "5", "\"A\"", NULL, INT64_C(1767323045000), true, NULL, "Key__c" },
		{ WHEN, US, "\"k1\"", "5", NULL, INT64_C(1767323045000), true, "k1", "LastName" },
		{ "\"yesterday\"", US, "\"k1\"", "\"A\"", "protocol", 0, false, NULL, NULL },
		{ "5", US, "\"k1\"", "\"A\"", "protocol", 0, false, NULL, NULL },
		{ WHEN, "\"us\"", "\"k1\"", "\"A\"", "protocol", 0, false, NULL, NULL },
		{ WHEN, "true", "\"k1\"", "\"A\"", "protocol", 0, false, NULL, NULL },
	};
	static const char *const lasts[] = { NULL, "\"\xc3\x89va\"" };
	struct mapping_field field = { .field = "LastName", .type = VALUE_TEXT };
	struct mapping mapping = { .fields = &field, .count = 1, .shares = 1 };
	const struct sf_shape shape = { .has_modified = true,
					.has_modifier = true,
					.user_id = "0058d000002Kp7ZAAS",
					.key_field = "Key__c",
					.key_type = VALUE_TEXT };

	(void)state;
	for (size_t i = 0; i < LEN(rows) * LEN(lasts); i++) {
		size_t row = i / LEN(lasts);
		const char *other = lasts[i % LEN(lasts)];
		CLEANUP_FREE char *body =
			mem_format("{\"totalSize\":1,\"done\":true,\"records\":[{\"Id\":"
				   "\"00Q8d00000BvT3xEAF\",\"LastModifiedDate\":%s,"
				   "\"LastModifiedById\":%s,\"Key__c\":%s,\"LastName\":%s,"
				   "\"More\":%s}]}",
				   rows[row].date, rows[row].by, rows[row].key, rows[row].last,
				   other ? other : "null");
		CLEANUP(sf_page_free) struct sf_page *reader = sf_page_new(&mapping, &shape);
		CLEANUP(record_page_free) struct record_page *page = NULL;
		const struct record *record;
		struct error err = { 0 };

		if (sf_page_feed(reader, body, strlen(body), &err))
			page = sf_page_end(reader, &err);
		assert_string_equal(err.code, rows[row].code ? rows[row].code : "");
		if (!page)
			continue;
		record = &page->records[0];
		assert_int_equal(record->modified_ms, rows[row].modified_ms);
		assert_int_equal(record->by_us, rows[row].by_us);
		assert_int_equal(value_is_null(&record->key), rows[row].want_key == NULL);
		if (rows[row].want_key)
			assert_memory_equal(record->key.text, rows[row].want_key, record->key.len);
		assert_string_equal(record->reject ? record->reject_field : "",
				    rows[row].reject ? rows[row].reject : "");
	}
}

/* One field, three roles and mapped. */
static void a_field_of_several_roles(void **state)
{
	static const char body[] =
		"{\"totalSize\":1,\"done\":true,\"records\":["
		"{\"Id\":\"00Q8d00000BvT3xEAF\",\"LastModifiedDate\":" WHEN "}]}";
	struct mapping_field field = { .field = "LastModifiedDate", .type = VALUE_DATETIME };
	struct mapping mapping = { .fields = &field, .count = 1, .shares = 1 };
	const struct sf_shape shape = { .stamp_field = "LastModifiedDate",
					.has_modified = true,
					.key_field = "LastModifiedDate",
					.key_type = VALUE_DATETIME };
	CLEANUP(sf_page_free) struct sf_page *reader = sf_page_new(&mapping, &shape);
	CLEANUP(record_page_free) struct record_page *page = NULL;
	struct error err;

	(void)state;
	assert_true(sf_page_feed(reader, body, strlen(body), &err));
	page = sf_page_end(reader, &err);
	assert_non_null(page);
	assert_int_equal(page->records[0].stamp_ms, INT64_C(1767323045000));
	assert_int_equal(page->records[0].modified_ms, INT64_C(1767323045000));
	assert_true(value_equal(&page->records[0].key, &page->records[0].values[0]));
	assert_memory_equal(page->records[0].key.text, "2026-01-02T03:04:05Z", 20);
}

/* --- mutants against a plain walk over json-c's tree of the whole body --- */

static struct json_object *at_path(struct json_object *object, const char *path)
{
	CLEANUP_FREE char *names = mem_strdup(path);
	char *rest = names;

	for (const char *name; (name = strsep(&rest, "."));)
		if (!json_object_object_get_ex(object, name, &object))
			return NULL;
	return object;
}

static void print_walked_value(FILE *out, const struct mapping_field *field,
			       struct json_object *value, bool *ret_bad)
{
	CLEANUP(arena_free) struct arena *arena = arena_new();
	bool number = field->type == VALUE_DECIMAL || field->type == VALUE_INTEGER;
	const char *text = value ? json_object_get_string(value) : NULL;
	size_t len = json_object_is_type(value, json_type_string)
			     ? (size_t)json_object_get_string_len(value)
		     : text ? strlen(text)
			    : 0;
	struct value made = { 0 };
	struct error err;

	if (json_object_is_type(value, json_type_int) &&
	    (strcmp(text, "18446744073709551615") == 0 ||
	     strcmp(text, "-9223372036854775808") == 0))
		*ret_bad = true; /* json-c could not hold it */
	else if (json_object_is_type(value, json_type_boolean) != (field->type == VALUE_BOOLEAN) &&
		 value)
		*ret_bad = true;
	else if ((json_object_is_type(value, json_type_int) ||
		  json_object_is_type(value, json_type_double)) != number &&
		 value)
		*ret_bad = true;
	else if (json_object_is_type(value, json_type_object) ||
		 json_object_is_type(value, json_type_array) ||
		 !value_canonical(field->type, field->scale, text, len, arena, &made, &err))
		*ret_bad = true;
	else
		print_value(out, &made);
}

static char *walk(struct json_object *body, const struct mapping *mapping)
{
	struct json_object *records = at_path(body, "records");
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < json_object_array_length(records); i++) {
		struct json_object *record = json_object_array_get_idx(records, i);
		const char *raw_id = json_object_get_string(at_path(record, "Id"));
		struct json_object *master = at_path(record, "MasterRecordId");
		char *values, id[19], master_id[19] = "-";
		size_t values_len;
		FILE *line = open_memstream(&values, &values_len);
		bool bad = false;

		assert_true(value_id18(raw_id, strlen(raw_id), id));
		if (master)
			assert_true(value_id18(json_object_get_string(master),
					       (size_t)json_object_get_string_len(master),
					       master_id));
		for (size_t k = 0; k < mapping->count && !bad; k++)
			print_walked_value(line, &mapping->fields[k],
					   at_path(record, mapping->fields[k].field), &bad);
		fclose(line);
		fprintf(out, "%s %s %s%s\n", id,
			json_object_get_boolean(at_path(record, "IsDeleted")) ? "deleted" : "live",
			master_id, bad ? " rejected" : values);
		free(values);
	}
	fclose(out);
	return text;
}

/* print_page() without stamps and names of fields, which walk() does not have. */
static char *print_plain(const struct record_page *page)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < page->count; i++) {
		const struct record *record = &page->records[i];

		fprintf(out, "%s %s %s", record->id, record->deleted ? "deleted" : "live",
			record->master_id ? record->master_id : "-");
		for (size_t k = 0; k < page->mapping->count && !record->reject; k++)
			print_value(out, &record->values[k]);
		fputs(record->reject ? " rejected\n" : "\n", out);
	}
	fclose(out);
	return text;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static size_t mutate(uint32_t *seed, char *body, size_t len)
{
	static const char alphabet[] = "\"\\{}[]:,0123456789eE.+-tfn uu00d8\x80\xc3 \n/aZ";
	unsigned rounds = 1 + next_random(seed) % 3;

	for (unsigned i = 0; i < rounds; i++) {
		size_t at = next_random(seed) % len, to = next_random(seed) % len;
		size_t span = 1 + next_random(seed) % 12;

		switch (next_random(seed) % 4) {
		case 0:
		case 1: body[at] = alphabet[next_random(seed) % (sizeof(alphabet) - 1)]; break;
		case 2: /* cut out */
			span = span < len - at ? span : len - at;
			memmove(body + at, body + at + span, len - at - span);
			len -= span;
			break;
		default: /* copy over */
			span = span < len - at ? span : len - at;
			span = span < len - to ? span : len - to;
			memmove(body + to, body + at, span);
		}
	}
	return len;
}

static void mutants_are_read_as_json_c_reads_them(void **state)
{
	static const char good[] = GOOD;
	CLEANUP(mapping_free) struct mapping *mapping = new_mapping();
	uint32_t seed = 66;
	size_t accepted = 0;

	(void)state;
	for (int i = 0; i < 30000; i++) {
		CLEANUP(record_page_free) struct record_page *page = NULL;
		char body[sizeof(good)];
		size_t len, step = 1 + next_random(&seed) % 1400;
		struct json_tokener *tokener;
		struct json_object *tree;
		struct error err;

		memcpy(body, good, sizeof(good));
		len = mutate(&seed, body, strlen(good));
		page = read_pieces(body, len, step, step, &err);
		if (!page)
			continue;
		accepted++;
		tokener = json_tokener_new_ex(64);
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		tree = json_tokener_parse_ex(tokener, body, (int)len);
		if (json_tokener_get_error(tokener) != json_tokener_success) {
			fail_msg("json-c refuses what was accepted: %.*s", (int)len, body);
		} else {
			CLEANUP_FREE char *want = walk(tree, mapping);
			CLEANUP_FREE char *got = print_plain(page);

			assert_string_equal(got, want);
		}
		json_object_put(tree);
		json_tokener_free(tokener);
	}
	assert_true(accepted > 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_comes_in_any_pieces),
		cmocka_unit_test(a_cut_page_is_no_page),
		cmocka_unit_test(wrong_answers_are_refused),
		cmocka_unit_test(values_by_type),
		cmocka_unit_test(a_bad_record_leaves_the_others),
		cmocka_unit_test(a_giant_record_is_refused),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(who_changed_it_and_the_key),
		cmocka_unit_test(a_field_of_several_roles),
		cmocka_unit_test(ids_only_wants_no_fields),
		cmocka_unit_test(mutants_are_read_as_json_c_reads_them),
	};

	return cmocka_run_group_tests_name("sf_page", tests, NULL, NULL);
}
