/* The remote against a scripted server, with a keeper of the tests' own: what is asked, what comes
 * of each answer, and how often a call may ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "fake_keeper.h"
#include "http/http.h"
#include "loop/loop.h"
#include "peer.h"
#include "record/mapping.h"
#include "record/record.h"
#include "record/schema.h"
#include "remote/remote.h"
#include "salesforce/salesforce.h"
#include "salesforce/sf_usage.h"
#include "secret/secret.h"

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))

static struct {
	struct loop *loop;
	struct peer *peer;
	struct http_client *http;
	struct keeper keeper;
	struct sf_remote *owner;
	struct remote *remote;
	struct mapping *mapping;
} at;

static struct {
	unsigned ends;
	struct record_page *page;
	const struct schema *schema;
	bool changed;
	int64_t server_ms;
	struct error err;
	bool failed;
} got;

static int set_up(void **state)
{
	static const char *const hosts[] = { "name.invalid" };
	static const struct url_policy policy = { .allow_hosts = hosts,
						  .allow_count = 1,
						  .loopback_test = true };
	struct http_options options = { .user_agent = "test", .allow_plain = true };
	struct error err;

	(void)state;
	at.loop = loop_new();
	at.peer = peer_new(at.loop);
	at.http = http_client_new(at.loop, &options, &err);
	at.keeper = (struct keeper){ .loop = at.loop,
				     .instance_url = peer_url(at.peer),
				     .generation = 1 };
	at.owner = sf_remote_new(&(struct sf_remote_args){ .loop = at.loop,
							   .http = at.http,
							   .keeper = &at.keeper,
							   .policy = &policy,
							   .api_version = "66.0" });
	at.remote = sf_remote_interface(at.owner);
	at.mapping = mem_new(struct mapping);
	at.mapping->shares = 1;
	at.mapping->count = 1;
	at.mapping->fields = mem_array(struct mapping_field, 1);
	at.mapping->fields[0] = (struct mapping_field){ .field = mem_strdup("LastName"),
							.column = mem_strdup("last_name") };
	return at.http ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	record_page_free(TAKE(got.page));
	mapping_free(at.mapping);
	sf_remote_free(at.owner);
	http_client_free(at.http);
	peer_free(at.peer);
	loop_free(at.loop);
	return 0;
}

static void begin(void)
{
	record_page_free(TAKE(got.page));
	memset(&got, 0, sizeof(got));
}

static void wait_for_end(void)
{
	while (!got.ends)
		loop_once(at.loop);
	assert_int_equal(got.ends, 1);
}

static void note_error(const struct error *err)
{
	got.ends++;
	got.failed = err != NULL;
	if (err)
		got.err = *err;
}

static void have_schema(const struct schema *schema, bool changed, int64_t server_ms,
			const struct error *err, void *arg)
{
	assert_ptr_equal(arg, &at);
	got.schema = schema;
	got.changed = changed;
	got.server_ms = server_ms;
	note_error(err);
}

static void have_page(struct record_page *page, const struct error *err, void *arg)
{
	assert_ptr_equal(arg, &at);
	assert_int_equal(page == NULL, err != NULL);
	got.page = page;
	note_error(err);
}

#define DATE  "Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n"
#define JSON  "Content-Type: application/json;charset=UTF-8\r\n" DATE
#define USAGE "Sforce-Limit-Info: api-usage=18/15000\r\n"
#define LEAD                                                                                       \
	"{\"name\":\"Lead\",\"fields\":[{\"name\":\"Id\",\"type\":\"id\"},"                        \
	"{\"name\":\"LastName\",\"type\":\"string\"},"                                             \
	"{\"name\":\"SystemModstamp\",\"type\":\"datetime\"},"                                     \
	"{\"name\":\"IsDeleted\",\"type\":\"boolean\"}]}"
#define RECORD                                                                                     \
	"{\"Id\":\"00Q8d00000BvT3xEAF\",\"SystemModstamp\":\"2026-01-02T03:04:05.000+0000\","      \
	"\"IsDeleted\":false,\"LastName\":\"Okafor\"}"
#define NEXT "/services/data/v66.0/query/01g8d0000XyZ1AbAQK-2000"
#define PAGE "{\"totalSize\":1,\"done\":true,\"records\":[" RECORD "]}"
#define MORE                                                                                       \
	"{\"totalSize\":2,\"done\":false,\"nextRecordsUrl\":\"" NEXT "\",\"records\":[" RECORD "]" \
	"}"
#define FAILURE(code, message) "[{\"message\":\"" message "\",\"errorCode\":\"" code "\"}]"
#define NO_REST                FAILURE("INVALID_SESSION_ID", "This session is not valid for use with the REST API")
#define NO_QUOTA               FAILURE("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
#define SPENT                  FAILURE("INVALID_SESSION_ID", "Session expired or invalid")

static void describe_lead(void)
{
	peer_answer(at.peer, 200, JSON "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n", LEAD);
	begin();
	at.remote->ops->describe(at.remote, "Lead", have_schema, &at);
	wait_for_end();
	assert_false(got.failed);
}

static const struct remote_query *changes(void)
{
	static struct remote_query query;

	query = (struct remote_query){ .object = "Lead",
				       .mapping = at.mapping,
				       .order = REMOTE_BY_STAMP,
				       .from_ms = INT64_C(1767323045000),
				       .until_ms = INT64_C(1767326645000) };
	return &query;
}

static void read_changes(void)
{
	begin();
	at.remote->ops->read(at.remote, changes(), have_page, &at);
	assert_int_equal(got.ends, 0);
	wait_for_end();
}

static bool asked(size_t which, const char *text)
{
	return strstr(peer_request(at.peer, which), text) != NULL;
}

static void a_describe_is_asked_and_kept(void **state)
{
	(void)state;
	assert_null(at.remote->ops->schema(at.remote, "Lead"));
	assert_string_equal(at.remote->ops->org_id(at.remote), "");
	describe_lead();
	assert_true(got.changed);
	assert_int_equal(got.server_ms, INT64_C(1767323045000));
	assert_ptr_equal(at.remote->ops->schema(at.remote, "lead"), got.schema);
	assert_string_equal(at.remote->ops->org_id(at.remote), "00D8d0000004QxREAU");
	assert_true(asked(0, "GET /services/data/v66.0/sobjects/Lead/describe HTTP/1.1\r\n"));
	assert_true(asked(0, "Authorization: Bearer token-1\r\n"));
	assert_true(asked(0, "Accept: application/json\r\n"));
	assert_true(asked(0, "Sforce-Call-Options: client=leadsyncd\r\n"));
	assert_false(asked(0, "If-Modified-Since"));

	peer_answer(at.peer, 304, DATE, "");
	begin();
	at.remote->ops->describe(at.remote, "Lead", have_schema, &at);
	wait_for_end();
	assert_false(got.failed);
	assert_false(got.changed);
	assert_string_equal(got.schema->object, "Lead");
	assert_true(asked(1, "If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT\r\n"));
}

static void a_success_proves_the_token(void **state)
{
	static const struct {
		const char *name;
		int status;
		const char *body;
		uint64_t proved;
	} rows[] = {
		{ "not modified", 304, "", 1 },
		{ "an error", 404, FAILURE("NOT_FOUND", "x"), 0 },
		{ "trouble", 503, "", 0 },
	};

	(void)state;
	describe_lead();
	assert_int_equal(at.keeper.proved, 1);
	for (size_t i = 0; i < LEN(rows); i++) {
		at.keeper.proved = 0;
		peer_answer(at.peer, rows[i].status, JSON, rows[i].body);
		begin();
		at.remote->ops->describe(at.remote, "Lead", have_schema, &at);
		wait_for_end();
		if (at.keeper.proved != rows[i].proved)
			fail_msg("%s", rows[i].name);
	}
}

static void a_describe_that_fails_keeps_the_old_one(void **state)
{
	(void)state;
	describe_lead();
	peer_answer(at.peer, 404, JSON,
		    FAILURE("NOT_FOUND", "The requested resource does not exist"));
	begin();
	at.remote->ops->describe(at.remote, "Lead", have_schema, &at);
	wait_for_end();
	assert_true(got.failed);
	assert_int_equal(got.err.kind, ERROR_HUMAN);
	assert_string_equal(got.err.code, "NOT_FOUND");
	assert_non_null(at.remote->ops->schema(at.remote, "Lead"));

	begin();
	at.remote->ops->describe(at.remote, "../../x", have_schema, &at);
	assert_int_equal(got.ends, 0);
	wait_for_end();
	assert_string_equal(got.err.code, "no-such-object");
	assert_int_equal(peer_count(at.peer), 2);
}

static void pages_follow_one_another(void **state)
{
	CLEANUP_FREE char *next = NULL;

	(void)state;
	describe_lead();
	assert_int_equal(sf_remote_usage(at.owner).used, -1);
	peer_answer(at.peer, 200, JSON USAGE, MORE);
	read_changes();
	assert_false(got.failed);
	assert_int_equal(got.page->count, 1);
	assert_int_equal(got.page->total, 2);
	assert_int_equal(got.page->server_ms, INT64_C(1767323045000));
	assert_int_equal(got.page->bytes, strlen(MORE));
	assert_int_equal(sf_remote_usage(at.owner).used, 18);
	assert_int_equal(sf_remote_usage(at.owner).most, 15000);
	assert_true(asked(1, "GET /services/data/v66.0/queryAll/?q=SELECT%20Id%2CSystemModstamp%2C"
			     "IsDeleted%2CLastName%20FROM%20Lead%20WHERE%20"));
	assert_true(asked(1, "Sforce-Query-Options: batchSize=2000\r\n"));

	next = mem_strdup(got.page->next);
	peer_answer(at.peer, 200, JSON, PAGE);
	begin();
	at.remote->ops->read_more(at.remote, at.mapping, next, have_page, &at);
	wait_for_end();
	assert_false(got.failed);
	assert_null(got.page->next);
	assert_int_equal(got.page->count, 1);
	assert_int_equal(got.page->records[0].stamp_ms, INT64_C(1767323045000));
	assert_true(asked(2, "GET " NEXT " HTTP/1.1\r\n"));
	assert_true(asked(2, "Sforce-Query-Options: batchSize=2000\r\n"));
}

static void a_batch_holds_for_all_pages(void **state)
{
	struct remote_query query = *changes();
	CLEANUP_FREE char *next = NULL;

	(void)state;
	query.batch = 500;
	query.ids_only = true;
	describe_lead();
	peer_answer(at.peer, 200, JSON, MORE);
	begin();
	at.remote->ops->read(at.remote, &query, have_page, &at);
	wait_for_end();
	next = mem_strdup(got.page->next);
	peer_answer(at.peer, 200, JSON, PAGE);
	begin();
	at.remote->ops->read_more(at.remote, at.mapping, next, have_page, &at);
	wait_for_end();
	assert_false(got.failed);
	assert_true(value_is_null(&got.page->records[0].values[0]));
	assert_true(asked(1, "Sforce-Query-Options: batchSize=500\r\n"));
	assert_true(asked(2, "Sforce-Query-Options: batchSize=500\r\n"));
}

static void a_page_that_leads_to_itself_is_refused(void **state)
{
	CLEANUP_FREE char *next = NULL;

	(void)state;
	describe_lead();
	peer_answer(at.peer, 200, JSON, MORE);
	read_changes();
	next = mem_strdup(got.page->next);
	peer_answer(at.peer, 200, JSON, MORE);
	begin();
	at.remote->ops->read_more(at.remote, at.mapping, next, have_page, &at);
	wait_for_end();
	assert_true(got.failed);
	assert_int_equal(got.err.kind, ERROR_RETRY);
	assert_string_equal(got.err.code, "protocol");
}

#define WIDE                                                                                       \
	"{\"name\":\"Lead\",\"fields\":[{\"name\":\"Id\",\"type\":\"id\"},"                        \
	"{\"name\":\"LastName\",\"type\":\"string\"},"                                             \
	"{\"name\":\"Key__c\",\"type\":\"string\",\"externalId\":true},"                           \
	"{\"name\":\"Email\",\"type\":\"email\"},"                                                 \
	"{\"name\":\"LastModifiedDate\",\"type\":\"datetime\"},"                                   \
	"{\"name\":\"LastModifiedById\",\"type\":\"reference\"},"                                  \
	"{\"name\":\"MasterRecordId\",\"type\":\"reference\"},"                                    \
	"{\"name\":\"IsDeleted\",\"type\":\"boolean\"}]}"
#define WIDE_RECORD(by)                                                                            \
	"{\"Id\":\"00Q8d00000BvT3xEAF\",\"LastModifiedDate\":\"2026-01-02T03:04:05.000+0000\","    \
	"\"LastModifiedById\":\"" by "\",\"Key__c\":\"k1\",\"IsDeleted\":true,"                    \
	"\"MasterRecordId\":\"00Q8d00000BvT3yEAF\",\"LastName\":\"Okafor\"}"

static void describe_wide(void)
{
	peer_answer(at.peer, 200, JSON, WIDE);
	begin();
	at.remote->ops->describe(at.remote, "Lead", have_schema, &at);
	wait_for_end();
	assert_false(got.failed);
}

static void check_wide(bool by_us)
{
	const struct record *record;

	assert_false(got.failed);
	assert_int_equal(got.page->count, 1);
	record = &got.page->records[0];
	assert_true(record->deleted);
	assert_string_equal(record->master_id, "00Q8d00000BvT3yEAF");
	assert_int_equal(record->stamp_ms, INT64_C(1767323045000));
	assert_int_equal(record->modified_ms, INT64_C(1767323045000));
	assert_int_equal(record->by_us, by_us);
	assert_int_equal(record->key.len, 2);
	assert_memory_equal(record->key.text, "k1", 2);
	assert_memory_equal(record->values[0].text, "Okafor", 6);
}

/* The next page is read as the first was. */
static void picked_records(void **state)
{
	static const struct value picks[] = { { "a@b.example", 11 }, { "O'K@b.example", 13 } };
	struct remote_query query = { .object = "Lead",
				      .mapping = at.mapping,
				      .order = REMOTE_PICKED,
				      .pick_field = "Email",
				      .picks = picks,
				      .pick_count = LEN(picks),
				      .key_field = "Key__c" };
	CLEANUP_FREE char *next = NULL;

	(void)state;
	describe_wide();
	peer_answer(at.peer, 200, JSON,
		    "{\"totalSize\":2,\"done\":false,\"nextRecordsUrl\":\"" NEXT
		    "\",\"records\":[" WIDE_RECORD(FAKE_USER_ID) "]}");
	begin();
	at.remote->ops->read(at.remote, &query, have_page, &at);
	wait_for_end();
	check_wide(true);
	assert_true(asked(1,
			  "GET /services/data/v66.0/queryAll/?q=SELECT%20Id%2CLastModifiedDate%2C"
			  "IsDeleted%2CMasterRecordId%2CLastModifiedById%2CKey__c%2CLastName%20"
			  "FROM%20Lead%20WHERE%20Email%20IN%20%28%27a%40b.example%27%2C"
			  "%27O%5C%27K%40b.example%27%29 HTTP/1.1\r\n"));

	next = mem_strdup(got.page->next);
	describe_wide(); /* the schema that was asked with is gone */
	peer_answer(at.peer, 200, JSON,
		    "{\"totalSize\":2,\"done\":true,\"records\":[" WIDE_RECORD(
			    "0058d000002Kp7aAAC") "]}");
	begin();
	at.remote->ops->read_more(at.remote, at.mapping, next, have_page, &at);
	wait_for_end();
	check_wide(false);
}

static void too_many_picks(void **state)
{
	struct value picks[1000];
	struct remote_query query = { .object = "Lead",
				      .mapping = at.mapping,
				      .order = REMOTE_PICKED,
				      .picks = picks,
				      .pick_count = LEN(picks) };

	(void)state;
	describe_wide();
	for (size_t i = 0; i < LEN(picks); i++)
		picks[i] = (struct value){ "00Q8d00000BvT3xEAF", 18 };
	begin();
	at.remote->ops->read(at.remote, &query, have_page, &at);
	assert_int_equal(got.ends, 0);
	wait_for_end();
	assert_int_equal(got.err.kind, ERROR_RETRY);
	assert_string_equal(got.err.code, "query-too-long");
	assert_int_equal(peer_count(at.peer), 1);

	query.pick_count = 200; /* as many as a request has changes */
	peer_answer(at.peer, 200, JSON, "{\"totalSize\":0,\"done\":true,\"records\":[]}");
	begin();
	at.remote->ops->read(at.remote, &query, have_page, &at);
	wait_for_end();
	assert_false(got.failed);
}

static void what_is_not_asked_fails_later(void **state)
{
	static const char *const nexts[] = { "",
					     "|",
					     "||",
					     "SystemModstamp|d|https://evil/x",
					     "SystemModstamp|d||https://evil/x",
					     "SystemModstamp|d|" NEXT,
					     "a b|||" NEXT,
					     "SystemModstamp|d|Key__c|" NEXT,
					     "SystemModstamp|d|Key__c:0|" NEXT,
					     "SystemModstamp|d|Key__c:99:0|" NEXT,
					     "SystemModstamp|d|:0:0|" NEXT,
					     "SystemModstamp|d|a b:0:0|" NEXT,
					     NEXT };

	(void)state;
	begin();
	at.remote->ops->read(at.remote, changes(), have_page, &at);
	assert_int_equal(got.ends, 0);
	wait_for_end();
	assert_string_equal(got.err.code, "no-schema");
	for (size_t i = 0; i < LEN(nexts); i++) {
		begin();
		at.remote->ops->read_more(at.remote, at.mapping, nexts[i], have_page, &at);
		assert_int_equal(got.ends, 0);
		wait_for_end();
		assert_string_equal(got.err.code, "bad-next");
	}
	assert_int_equal(peer_count(at.peer), 0);
}

static void what_comes_of_each_answer(void **state)
{
	static const struct {
		const char *name;
		int status;
		const char *body;
		int second_status; /* 0: no second request may come */
		const char *second_body;
		const char *code; /* NULL: a page */
		enum error_kind kind;
	} rows[] = {
		{ "spent token", 401, SPENT, 200, PAGE, NULL, 0 },
		{ "spent twice", 401, SPENT, 401, SPENT, "INVALID_SESSION_ID", ERROR_LOGIN },
		{ "spent, then trouble", 401, SPENT, 503, "", "server-trouble", ERROR_RETRY },
		{ "401 as XML", 401, "<response/>", 200, PAGE, NULL, 0 },
		{ "no REST for it", 401, NO_REST, 0, NULL, "INVALID_SESSION_ID", ERROR_HUMAN },
		{ "301", 301, "", 200, PAGE, NULL, 0 },
		{ "302", 302, "", 302, "", "host-moved", ERROR_RETRY },
		{ "404 as HTML", 404, "<html>", 200, PAGE, NULL, 0 },
		{ "420", 420, "", 200, PAGE, NULL, 0 },
		{ "500", 500, FAILURE("UNKNOWN_EXCEPTION", "x"), 0, NULL, "UNKNOWN_EXCEPTION",
		  ERROR_RETRY },
		{ "503", 503, "<html>", 0, NULL, "server-trouble", ERROR_RETRY },
		{ "no quota", 403, NO_QUOTA, 0, NULL, "REQUEST_LIMIT_EXCEEDED", ERROR_QUOTA },
		{ "no locator", 400, FAILURE("INVALID_QUERY_LOCATOR", "x"), 0, NULL,
		  "INVALID_QUERY_LOCATOR", ERROR_STALE },
		{ "no field", 400, FAILURE("INVALID_FIELD", "x"), 0, NULL, "INVALID_FIELD",
		  ERROR_HUMAN },
		{ "not found", 404, FAILURE("NOT_FOUND", "x"), 0, NULL, "NOT_FOUND", ERROR_HUMAN },
		{ "html", 200, "<html>", 0, NULL, "not-json", ERROR_RETRY },
		{ "empty", 200, "", 0, NULL, "not-json", ERROR_RETRY },
		{ "204", 204, "", 0, NULL, "not-json", ERROR_RETRY },
		{ "304 unasked", 304, "", 0, NULL, "not-json", ERROR_RETRY },
		{ "cut", 200, "{\"totalSize\":1,\"done\":true,\"records\":[", 0, NULL, "protocol",
		  ERROR_RETRY },
		{ "an error as success", 200, SPENT, 0, NULL, "not-json", ERROR_RETRY },
	};

	(void)state;
	describe_lead();
	for (size_t i = 0; i < LEN(rows); i++) {
		size_t before = peer_count(at.peer);
		uint64_t generation = at.keeper.generation;
		char bearer[64];

		loop_test_advance(at.loop, 16 * 60 * 1000);
		peer_answer(at.peer, rows[i].status, JSON, rows[i].body);
		if (rows[i].second_status)
			peer_answer(at.peer, rows[i].second_status, JSON, rows[i].second_body);
		read_changes();
		if (got.failed != (rows[i].code != NULL) ||
		    (got.failed &&
		     (strcmp(got.err.code, rows[i].code) != 0 || got.err.kind != rows[i].kind)))
			fail_msg("%s: %s %s %s", rows[i].name, got.failed ? "failed" : "went well",
				 got.err.code, got.err.text);
		assert_int_equal(peer_count(at.peer) - before, rows[i].second_status ? 2 : 1);
		assert_int_equal(at.keeper.generation - generation, rows[i].second_status ? 1 : 0);
		snprintf(bearer, sizeof(bearer), "Bearer token-%d\r\n", (int)at.keeper.generation);
		assert_true(asked(peer_count(at.peer) - 1, bearer));
	}
}

static void a_host_not_reached_costs_no_token(void **state)
{
	(void)state;
	describe_lead();
	at.keeper.instance_url = "http://127.0.0.1:1";
	read_changes();
	assert_string_equal(got.err.code, "connect");
	assert_int_equal(at.keeper.generation, 1);
	at.keeper.instance_url = "https://name.invalid";
	read_changes();
	assert_string_equal(got.err.code, "dns");
	assert_int_equal(got.err.kind, ERROR_RETRY);
	assert_int_equal(at.keeper.generation, 1); /* a good token stays good */
	at.keeper.instance_url = "https://not-admitted.example";
	read_changes();
	assert_string_equal(got.err.code, "url");
	at.keeper.trouble = "invalid_client";
	read_changes();
	assert_string_equal(got.err.code, "invalid_client");
	assert_int_equal(peer_count(at.peer), 1);
}

/* A maintenance page looks like a host that moved: it must not cost a token a call. */
static void a_moved_host_costs_a_token_in_15_minutes(void **state)
{
	(void)state;
	describe_lead();
	for (int i = 0; i < 6; i++) {
		if (i == 3)
			loop_test_advance(at.loop, 16 * 60 * 1000);
		peer_answer(at.peer, 302, JSON, "");
		if (i % 3 == 0)
			peer_answer(at.peer, 302, JSON, "");
		read_changes();
		assert_string_equal(got.err.code, "host-moved");
	}
	assert_int_equal(at.keeper.generation, 3);
	assert_int_equal(at.keeper.moved, 2);
	assert_int_equal(peer_count(at.peer), 1 + 8);
}

static void large_pages_make_small_batches(void **state)
{
	static const unsigned want[] = { 2000, 1000, 500, 250, 200, 200 };
	size_t len = (size_t)17 * 1024 * 1024;
	CLEANUP_FREE char *body = mem_zeroed(len + 1, 1);

	(void)state;
	describe_lead();
	memset(body, ' ', len);
	memcpy(body, PAGE, strlen(PAGE));
	for (size_t i = 0; i < LEN(want); i++) {
		char header[64];

		peer_answer(at.peer, 200, JSON, body);
		read_changes();
		assert_false(got.failed);
		snprintf(header, sizeof(header), "batchSize=%u\r\n", want[i]);
		assert_true(asked(i + 1, header));
	}
}

/* The next try of a page that was too much for the link or the server gets through. */
static void pages_that_fail_by_size_make_small_batches(void **state)
{
	CLEANUP_FREE char *next = NULL, *fat = mem_zeroed(200001, 1);

	(void)state;
	describe_lead();
	peer_answer(at.peer, 200, JSON, MORE);
	read_changes();
	next = mem_strdup(got.page->next);

	begin();
	at.remote->ops->read_more(at.remote, at.mapping, next, have_page, &at);
	while (peer_count(at.peer) < 3)
		loop_once(at.loop);
	loop_test_advance(at.loop, 151 * 1000);
	wait_for_end();
	assert_string_equal(got.err.code, "timeout");
	peer_answer(at.peer, 500, JSON, FAILURE("QUERY_TIMEOUT", "x"));
	read_changes();
	assert_string_equal(got.err.code, "QUERY_TIMEOUT");
	memset(fat, 'x', 200000);
	memcpy(fat, "X: ", 3);
	memcpy(fat + 199998, "\r\n", 2);
	peer_answer(at.peer, 200, fat, PAGE);
	read_changes();
	assert_string_equal(got.err.code, "too-large");
	peer_answer(at.peer, 503, JSON, "");
	read_changes();
	assert_string_equal(got.err.code, "server-trouble");
	peer_answer(at.peer, 200, JSON, PAGE);
	begin();
	at.remote->ops->read_more(at.remote, at.mapping, next, have_page, &at);
	wait_for_end();
	assert_false(got.failed);
	assert_true(asked(2, "batchSize=2000\r\n"));
	assert_true(asked(3, "batchSize=1000\r\n"));
	assert_true(asked(4, "batchSize=500\r\n"));
	assert_true(asked(5, "batchSize=250\r\n"));
	assert_true(asked(6, "batchSize=250\r\n"));
}

/* What a query wanted fewer of is halved from there. */
static void a_small_batch_is_halved_too(void **state)
{
	struct remote_query query = *changes();

	(void)state;
	query.batch = 500;
	describe_lead();
	for (size_t i = 0; i < 4; i++) {
		peer_answer(at.peer, 500, JSON, FAILURE("QUERY_TIMEOUT", "x"));
		begin();
		at.remote->ops->read(at.remote, &query, have_page, &at);
		wait_for_end();
	}
	assert_true(asked(1, "batchSize=500\r\n"));
	assert_true(asked(2, "batchSize=250\r\n"));
	assert_true(asked(3, "batchSize=200\r\n"));
	assert_true(asked(4, "batchSize=200\r\n"));
}

static void a_cancel_is_silent(void **state)
{
	struct remote_call *call;

	(void)state;
	describe_lead();
	begin();
	/* before the token, before the answer, and what never began */
	call = at.remote->ops->read(at.remote, changes(), have_page, &at);
	at.remote->ops->cancel(call);
	call = at.remote->ops->read(at.remote, changes(), have_page, &at);
	while (peer_count(at.peer) < 2)
		loop_once(at.loop);
	at.remote->ops->cancel(call);
	call = at.remote->ops->read_more(at.remote, at.mapping, "", have_page, &at);
	at.remote->ops->cancel(call);
	call = at.remote->ops->describe(at.remote, "Lead", have_schema, &at);
	at.remote->ops->cancel(call);
	at.remote->ops->cancel(NULL);
	peer_answer(at.peer, 200, JSON, PAGE);
	read_changes();
	assert_int_equal(got.ends, 1);
}

static void usage_is_parsed(void **state)
{
	static const struct {
		const char *text;
		long used, most; /* most 0: not said */
	} rows[] = {
		{ "api-usage=18/15000", 18, 15000 },
		{ "api-usage=18/15000; per-app-api-usage=17/250(appName=leadsync)", 18, 15000 },
		{ "per-app-api-usage=17/250(appName=leadsync); api-usage=18/15000", 18, 15000 },
		{ "per-app-api-usage=17/250(appName=x)", 0, 0 },
		{ "", 0, 0 },
		{ "api-usage=", 0, 0 },
		{ "api-usage=x/5", 0, 0 },
		{ "api-usage=5", 0, 0 },
		{ "api-usage=5/0", 0, 0 },
		{ "api-usage=99999999999999999999/5", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct sf_usage usage = { 0, 0 };

		assert_int_equal(sf_usage_parse(rows[i].text, &usage), rows[i].most != 0);
		assert_int_equal(usage.used, rows[i].used);
		assert_int_equal(usage.most, rows[i].most);
	}
}

static int start(void **state)
{
	struct error err;
	bool locked;

	(void)state;
	return secret_start(&locked, &err) ? 0 : -1;
}

#define REMOTE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		REMOTE_TEST(a_describe_is_asked_and_kept),
		REMOTE_TEST(a_success_proves_the_token),
		REMOTE_TEST(a_describe_that_fails_keeps_the_old_one),
		REMOTE_TEST(pages_follow_one_another),
		REMOTE_TEST(a_batch_holds_for_all_pages),
		REMOTE_TEST(a_page_that_leads_to_itself_is_refused),
		REMOTE_TEST(picked_records),
		REMOTE_TEST(too_many_picks),
		REMOTE_TEST(what_is_not_asked_fails_later),
		REMOTE_TEST(what_comes_of_each_answer),
		REMOTE_TEST(a_host_not_reached_costs_no_token),
		REMOTE_TEST(a_moved_host_costs_a_token_in_15_minutes),
		REMOTE_TEST(large_pages_make_small_batches),
		REMOTE_TEST(pages_that_fail_by_size_make_small_batches),
		REMOTE_TEST(a_small_batch_is_halved_too),
		REMOTE_TEST(a_cancel_is_silent),
		cmocka_unit_test(usage_is_parsed),
	};

	return cmocka_run_group_tests_name("sf_remote", tests, start, NULL);
}
