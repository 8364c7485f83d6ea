/* Writing against a scripted server: what is on the wire, how each write ends, and that none is sent
 * twice that may have been done. */
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
#include "remote/remote.h"
#include "salesforce/salesforce.h"
#include "secret/secret.h"

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))
#define ID_A      "00Q8d00000BvT3xEAF"
#define ID_B      "00Q8d00000BvT3yEAF"
#define DATE      "Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n"
#define JSON      "Content-Type: application/json;charset=UTF-8\r\n" DATE
#define DATE_MS   INT64_C(1767323045000)

enum field { NAME, EMAIL, BIRTH, FIELDS };

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
	struct remote_written written;
	struct error err;
} got;

static struct mapping *new_mapping(void)
{
	static const struct {
		const char *name;
		enum value_type type;
	} fields[FIELDS] = {
		[NAME] = { "LastName", VALUE_TEXT },
		[EMAIL] = { "Email", VALUE_TEXT },
		[BIRTH] = { "Birthdate", VALUE_DATE },
	};
	struct mapping *mapping = mem_new(struct mapping);

	mapping->shares = 1;
	mapping->count = FIELDS;
	mapping->fields = mem_array(struct mapping_field, FIELDS);
	for (size_t i = 0; i < FIELDS; i++)
		mapping->fields[i] = (struct mapping_field){ .field = mem_strdup(fields[i].name),
							     .column = mem_strdup("c"),
							     .type = fields[i].type,
							     .direction = MAPPING_BOTH };
	return mapping;
}

static int set_up(void **state)
{
	static const char *const hosts[] = { "name.invalid" };
	static const struct url_policy policy = { .allow_hosts = hosts,
						  .allow_count = 1,
						  .loopback_test = true };
	struct http_options options = { .user_agent = "test", .allow_plain = true };
	struct error err;

	(void)state;
	memset(&got, 0, sizeof(got));
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
	at.mapping = new_mapping();
	return at.http ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	remote_results_free(TAKE(got.written.results));
	mapping_free(at.mapping);
	sf_remote_free(at.owner);
	http_client_free(at.http);
	peer_free(at.peer);
	loop_free(at.loop);
	return 0;
}

static void have_written(const struct remote_written *written, void *arg)
{
	assert_ptr_equal(arg, &at);
	assert_int_equal(written->results != NULL, written->end == REMOTE_ANSWERED);
	assert_int_equal(written->err != NULL, written->end != REMOTE_ANSWERED);
	got.ends++;
	got.written = *written;
	if (written->err)
		got.err = *written->err;
}

/* Two changes: of the name, and of the address. All that is passed in is gone once it has begun. */
static struct remote_call *begin(enum remote_operation operation)
{
	char ids[2][19] = { ID_A, ID_B }, keys[2][3] = { "k1", "k2" }, name[] = "Okafor";
	struct value values[2][FIELDS] = { { [NAME] = { name, 6 } }, { [EMAIL] = { NULL, 0 } } };
	bool set[2][FIELDS] = { { [NAME] = true }, { [EMAIL] = true } };
	bool by_id = operation == REMOTE_UPDATE || operation == REMOTE_DELETE,
	     by_key = operation == REMOTE_UPSERT, has_values = operation != REMOTE_DELETE;
	struct remote_change changes[2];
	struct remote_batch batch = { .operation = operation,
				      .object = "Lead",
				      .key_field = by_key ? "Key__c" : NULL,
				      .mapping = at.mapping,
				      .changes = changes,
				      .count = LEN(changes) };
	struct remote_call *call;

	for (size_t i = 0; i < LEN(changes); i++)
		changes[i] = (struct remote_change){ .id = by_id ? ids[i] : NULL,
						     .key = by_key ? keys[i] : NULL,
						     .values = has_values ? values[i] : NULL,
						     .set = has_values ? set[i] : NULL };
	remote_results_free(TAKE(got.written.results));
	memset(&got, 0, sizeof(got));
	call = at.remote->ops->write(at.remote, &batch, have_written, &at);
	assert_int_equal(got.ends, 0);
	memset(ids, 'x', sizeof(ids));
	memset(keys, 'x', sizeof(keys));
	memset(name, 'x', sizeof(name));
	memset(set, 0, sizeof(set));
	memset(changes, 0, sizeof(changes));
	return call;
}

static void wait_for_end(void)
{
	while (!got.ends)
		loop_once(at.loop);
	assert_int_equal(got.ends, 1);
}

static void write_two(enum remote_operation operation)
{
	begin(operation);
	wait_for_end();
}

static bool asked(size_t which, const char *part)
{
	return strstr(peer_request(at.peer, which), part) != NULL;
}

#define DONE(id)     "{\"id\":\"" id "\",\"success\":true,\"errors\":[]}"
#define UPSERTED(id) "{\"id\":\"" id "\",\"success\":true,\"errors\":[],\"created\":true}"
#define BOTH         "[" DONE(ID_A) "," DONE(ID_B) "]"
#define REFUSED(code, field)                                                                       \
	"{\"success\":false,\"errors\":[{\"statusCode\":\"" code "\",\"message\":\"x\","           \
	"\"fields\":[\"" field "\"]}]}"
#define FAILURE(code) "[{\"message\":\"x\",\"errorCode\":\"" code "\"}]"
#define HTML          "<html>sorry</html>"

static void each_operation_on_the_wire(void **state)
{
	static const struct {
		enum remote_operation operation;
		const char *line, *body, *answer;
		bool created;
	} rows[] = {
		{ REMOTE_CREATE, "POST /services/data/v66.0/composite/sobjects HTTP/1.1\r\n",
		  "\r\n\r\n{\"allOrNone\":false,\"records\":["
		  "{\"attributes\":{\"type\":\"Lead\"},\"LastName\":\"Okafor\"},"
		  "{\"attributes\":{\"type\":\"Lead\"},\"Email\":null}]}",
		  BOTH, true },
		{ REMOTE_UPDATE, "PATCH /services/data/v66.0/composite/sobjects HTTP/1.1\r\n",
		  "\r\n\r\n{\"allOrNone\":false,\"records\":["
		  "{\"attributes\":{\"type\":\"Lead\"},\"id\":\"" ID_A
		  "\",\"LastName\":\"Okafor\"},"
		  "{\"attributes\":{\"type\":\"Lead\"},\"id\":\"" ID_B "\",\"Email\":null}]}",
		  BOTH, false },
		{ REMOTE_UPSERT,
		  "PATCH /services/data/v66.0/composite/sobjects/Lead/Key__c HTTP/1.1\r\n",
		  "\r\n\r\n{\"allOrNone\":false,\"records\":["
		  "{\"attributes\":{\"type\":\"Lead\"},\"Key__c\":\"k1\",\"LastName\":\"Okafor\"},"
		  "{\"attributes\":{\"type\":\"Lead\"},\"Key__c\":\"k2\",\"Email\":null}]}",
		  "[" UPSERTED(ID_A) "," UPSERTED(ID_B) "]", true },
		{ REMOTE_DELETE,
		  "DELETE /services/data/v66.0/composite/sobjects?ids=" ID_A "," ID_B
		  "&allOrNone=false HTTP/1.1\r\n",
		  NULL, BOTH, false },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		const char *request, *end;

		peer_answer(at.peer, 200, JSON, rows[i].answer);
		write_two(rows[i].operation);
		request = peer_request(at.peer, i);
		assert_memory_equal(request, rows[i].line, strlen(rows[i].line));
		assert_true(asked(i, "\r\nAuthorization: Bearer token-1\r\n"));
		assert_true(asked(i, "\r\nAccept: application/json\r\n"));
		assert_true(asked(i, "\r\nSforce-Call-Options: client=leadsyncd\r\n"));
		assert_true(asked(i, "\r\nSforce-Auto-Assign: FALSE\r\n"));
		assert_true(asked(i, "\r\nSforce-Mru: updateMru=false\r\n"));
		assert_int_equal(asked(i, "\r\nContent-Type: application/json\r\n"),
				 rows[i].body != NULL);
		end = strstr(request, "\r\n\r\n");
		assert_string_equal(end, rows[i].body ? rows[i].body : "\r\n\r\n");

		assert_int_equal(got.written.end, REMOTE_ANSWERED);
		assert_int_equal(got.written.server_ms, DATE_MS);
		assert_int_equal(got.written.results->count, 2);
		for (size_t k = 0; k < 2; k++) {
			const struct remote_result *result = &got.written.results->records[k];

			assert_int_equal(result->outcome, REMOTE_DONE);
			assert_int_equal(result->created, rows[i].created);
			assert_string_equal(result->id, k ? ID_B : ID_A);
		}
	}
	assert_int_equal(at.keeper.proved, 1);
}

/* The blame is laid on what was sent, though the batch is gone by then. */
static void each_change_by_itself(void **state)
{
	(void)state;
	peer_answer(at.peer, 200, JSON,
		    "[" REFUSED("STRING_TOO_LONG", "lastname") "," DONE(ID_B) "]");
	write_two(REMOTE_UPDATE);
	assert_int_equal(got.written.end, REMOTE_ANSWERED);
	assert_int_equal(got.written.results->records[0].outcome, REMOTE_REFUSED);
	assert_int_equal(got.written.results->records[0].err.kind, ERROR_FIELD);
	assert_int_equal(got.written.results->records[0].field_count, 1);
	assert_string_equal(got.written.results->records[0].fields[0], "LastName");
	assert_int_equal(got.written.results->records[1].outcome, REMOTE_DONE);

	peer_answer(at.peer, 200, JSON, "[" REFUSED("ENTITY_IS_DELETED", "Id") "," DONE(ID_B) "]");
	write_two(REMOTE_DELETE);
	assert_int_equal(got.written.results->records[0].outcome, REMOTE_GONE);
	assert_string_equal(got.written.results->records[0].id, ID_A);
}

static void how_each_answer_ends(void **state)
{
	static const struct {
		const char *name;
		int status;
		const char *body;
		int second_status; /* 0: no second request may come */
		const char *second_body;
		unsigned tokens; /* given up */
		enum remote_end end;
		enum error_kind kind;
		const char *code;
	} rows[] = {
		{ "spent token", 401, FAILURE("INVALID_SESSION_ID"), 200, BOTH, 1, REMOTE_ANSWERED,
		  0, "" },
		{ "spent twice", 401, FAILURE("INVALID_SESSION_ID"), 401,
		  FAILURE("INVALID_SESSION_ID"), 1, REMOTE_NOT_DONE, ERROR_LOGIN,
		  "INVALID_SESSION_ID" },
		{ "spent, then trouble", 401, FAILURE("INVALID_SESSION_ID"), 500, HTML, 1,
		  REMOTE_UNKNOWN, ERROR_RETRY, "server-trouble" },
		{ "spent, then refused", 401, "", 400, FAILURE("INVALID_FIELD"), 1, REMOTE_NOT_DONE,
		  ERROR_HUMAN, "INVALID_FIELD" },
		{ "spent, says a 500", 500, FAILURE("INVALID_SESSION_ID"), 0, NULL, 1,
		  REMOTE_UNKNOWN, ERROR_LOGIN, "INVALID_SESSION_ID" },
		{ "moved", 420, "", 200, BOTH, 1, REMOTE_ANSWERED, 0, "" },
		{ "moved twice", 420, "", 420, "", 1, REMOTE_NOT_DONE, ERROR_RETRY, "host-moved" },
		{ "sent elsewhere", 301, "", 0, NULL, 1, REMOTE_UNKNOWN, ERROR_RETRY,
		  "host-moved" },
		{ "sent to a login page", 302, HTML, 0, NULL, 1, REMOTE_UNKNOWN, ERROR_RETRY,
		  "host-moved" },
		{ "an edge that knows nothing", 404, HTML, 0, NULL, 1, REMOTE_UNKNOWN, ERROR_RETRY,
		  "host-moved" },
		{ "304", 304, "", 0, NULL, 0, REMOTE_UNKNOWN, ERROR_RETRY, "protocol" },
		{ "a bad body", 400, FAILURE("JSON_PARSER_ERROR"), 0, NULL, 0, REMOTE_NOT_DONE,
		  ERROR_RECORD, "JSON_PARSER_ERROR" },
		{ "a field of all", 400, FAILURE("INVALID_FIELD_FOR_INSERT_UPDATE"), 0, NULL, 0,
		  REMOTE_NOT_DONE, ERROR_FIELD, "INVALID_FIELD_FOR_INSERT_UPDATE" },
		{ "no such field", 400, FAILURE("INVALID_FIELD"), 0, NULL, 0, REMOTE_NOT_DONE,
		  ERROR_HUMAN, "INVALID_FIELD" },
		{ "no such object", 404, FAILURE("NOT_FOUND"), 0, NULL, 0, REMOTE_NOT_DONE,
		  ERROR_HUMAN, "NOT_FOUND" },
		{ "400 without a word", 400, "", 0, NULL, 0, REMOTE_UNKNOWN, ERROR_HUMAN,
		  "http-4xx" },
		{ "no quota", 403, FAILURE("REQUEST_LIMIT_EXCEEDED"), 0, NULL, 0, REMOTE_NOT_DONE,
		  ERROR_QUOTA, "REQUEST_LIMIT_EXCEEDED" },
		{ "a firewall", 403, HTML, 0, NULL, 0, REMOTE_UNKNOWN, ERROR_RETRY, "http-403" },
		{ "406", 406, HTML, 0, NULL, 0, REMOTE_UNKNOWN, ERROR_RETRY, "http-406" },
		{ "429", 429, "", 0, NULL, 0, REMOTE_NOT_DONE, ERROR_RETRY, "http-429" },
		{ "500", 500, FAILURE("UNKNOWN_EXCEPTION"), 0, NULL, 0, REMOTE_UNKNOWN, ERROR_RETRY,
		  "UNKNOWN_EXCEPTION" },
		{ "502", 502, HTML, 0, NULL, 0, REMOTE_UNKNOWN, ERROR_RETRY, "server-trouble" },
		{ "503", 503, HTML, 0, NULL, 0, REMOTE_UNKNOWN, ERROR_RETRY, "server-trouble" },
		{ "504", 504, "", 0, NULL, 0, REMOTE_UNKNOWN, ERROR_RETRY, "server-trouble" },
		{ "unavailable", 503, FAILURE("SERVER_UNAVAILABLE"), 0, NULL, 0, REMOTE_NOT_DONE,
		  ERROR_RETRY, "SERVER_UNAVAILABLE" },
		{ "maintenance", 503,
		  FAILURE("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"), 0, NULL, 0,
		  REMOTE_NOT_DONE, ERROR_RETRY,
		  "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE" },
		{ "html", 200, HTML, 0, NULL, 0, REMOTE_UNKNOWN, ERROR_RETRY, "protocol" },
		{ "nothing", 200, "", 0, NULL, 0, REMOTE_UNKNOWN, ERROR_RETRY, "protocol" },
		{ "204", 204, "", 0, NULL, 0, REMOTE_UNKNOWN, ERROR_RETRY, "protocol" },
		{ "one of two", 200, "[" DONE(ID_A) "]", 0, NULL, 0, REMOTE_UNKNOWN, ERROR_RETRY,
		  "protocol" },
		{ "in another order", 200, "[" DONE(ID_B) "," DONE(ID_A) "]", 0, NULL, 0,
		  REMOTE_UNKNOWN, ERROR_RETRY, "protocol" },
		{ "an error as success", 200, FAILURE("INVALID_SESSION_ID"), 0, NULL, 0,
		  REMOTE_UNKNOWN, ERROR_RETRY, "protocol" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		size_t before = peer_count(at.peer);
		uint64_t generation = at.keeper.generation;
		char bearer[64];

		loop_test_advance(at.loop, 16 * 60 * 1000);
		peer_answer(at.peer, rows[i].status, JSON, rows[i].body);
		if (rows[i].second_status)
			peer_answer(at.peer, rows[i].second_status, JSON, rows[i].second_body);
		write_two(REMOTE_UPDATE);
		if (got.written.end != rows[i].end || strcmp(got.err.code, rows[i].code) != 0 ||
		    (got.written.err && got.err.kind != rows[i].kind))
			fail_msg("%s: %d %s %s", rows[i].name, got.written.end, got.err.code,
				 got.err.text);
		if (rows[i].end != REMOTE_ANSWERED) {
			assert_int_equal(got.written.at, 2);
			assert_null(got.written.field);
		}
		assert_int_equal(got.written.server_ms, DATE_MS);
		assert_int_equal(peer_count(at.peer) - before, rows[i].second_status ? 2 : 1);
		assert_int_equal(at.keeper.generation - generation, rows[i].tokens);
		if (rows[i].second_status) {
			snprintf(bearer, sizeof(bearer), "Bearer token-%d\r\n",
				 (int)at.keeper.generation);
			assert_true(asked(before + 1, bearer));
			assert_string_equal(strstr(peer_request(at.peer, before), "\r\n\r\n"),
					    strstr(peer_request(at.peer, before + 1), "\r\n\r\n"));
		}
	}
}

static void what_did_not_leave(void **state)
{
	static const struct {
		const char *instance_url, *trouble, *code;
	} rows[] = {
		{ "http://127.0.0.1:1", NULL, "connect" },
		{ "https://name.invalid", NULL, "dns" },
		{ "https://not-admitted.example", NULL, "url" },
		{ NULL, "invalid_client", "invalid_client" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		at.keeper.instance_url = rows[i].instance_url;
		at.keeper.trouble = rows[i].trouble;
		write_two(REMOTE_CREATE);
		assert_int_equal(got.written.end, REMOTE_NOT_DONE);
		assert_string_equal(got.err.code, rows[i].code);
		assert_int_equal(got.written.server_ms, 0);
		assert_int_equal(got.written.at, 2);
	}
	assert_int_equal(peer_count(at.peer), 0);
	assert_int_equal(at.keeper.generation, 1);
}

/* Also on a connection that was used before, which curl would try again on a new one. */
static void what_left_and_was_not_answered(void **state)
{
	static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n[" DONE(ID_A);
	static const struct {
		const char *name, *bytes;
		enum peer_then then;
		const char *code;
	} rows[] = {
		{ "closed", "", PEER_CLOSE, "reset" },
		{ "torn down", "", PEER_RESET, "reset" },
		{ "cut", cut, PEER_CLOSE, "reset" },
		{ "no HTTP", "SSH-2.0-x\r\n\r\n", PEER_CLOSE, "protocol" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		size_t before = peer_count(at.peer);

		peer_answer(at.peer, 200, JSON, BOTH);
		write_two(REMOTE_UPDATE);
		assert_int_equal(got.written.end, REMOTE_ANSWERED);
		peer_answer_raw(at.peer, rows[i].bytes, strlen(rows[i].bytes), rows[i].then);
		write_two(REMOTE_UPDATE);
		if (got.written.end != REMOTE_UNKNOWN || got.err.kind != ERROR_RETRY ||
		    strcmp(got.err.code, rows[i].code) != 0)
			fail_msg("%s: %d %s %s", rows[i].name, got.written.end, got.err.code,
				 got.err.text);
		assert_int_equal(got.written.server_ms, 0);
		assert_int_equal(peer_count(at.peer) - before, 2);
	}
}

static void what_takes_too_long(void **state)
{
	(void)state;
	begin(REMOTE_UPSERT);
	while (peer_count(at.peer) < 1)
		loop_once(at.loop);
	loop_test_advance(at.loop, 619 * 1000);
	loop_once(at.loop);
	assert_int_equal(got.ends, 0);
	loop_test_advance(at.loop, 2 * 1000);
	wait_for_end();
	assert_int_equal(got.written.end, REMOTE_UNKNOWN);
	assert_string_equal(got.err.code, "timeout");
	assert_int_equal(peer_count(at.peer), 1);
}

static void what_cannot_be_built(void **state)
{
	static const struct {
		const char *id, *birth;
		size_t at;
		int field; /* FIELDS: none */
		enum error_kind kind;
		const char *code;
	} rows[] = {
		{ ID_B, "1979-02-30", 1, BIRTH, ERROR_FIELD, "bad-value" },
		{ ID_A, "1979-02-28", 1, FIELDS, ERROR_BUG, "doubled-key" },
		{ "x", "1979-02-28", 1, FIELDS, ERROR_BUG, "bad-id" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct value values[FIELDS] = { [BIRTH] = { "1979-02-28", 10 } };
		struct value others[FIELDS] = { [BIRTH] = { rows[i].birth, 10 } };
		bool set[FIELDS] = { [BIRTH] = true };
		struct remote_change changes[] = { { ID_A, NULL, values, set },
						   { rows[i].id, NULL, others, set } };
		struct remote_batch batch = { .operation = REMOTE_UPDATE,
					      .object = "Lead",
					      .mapping = at.mapping,
					      .changes = changes,
					      .count = LEN(changes) };

		memset(&got, 0, sizeof(got));
		at.remote->ops->write(at.remote, &batch, have_written, &at);
		assert_int_equal(got.ends, 0);
		wait_for_end();
		assert_int_equal(got.written.end, REMOTE_NOT_DONE);
		assert_int_equal(got.err.kind, rows[i].kind);
		assert_string_equal(got.err.code, rows[i].code);
		assert_int_equal(got.written.at, rows[i].at);
		assert_ptr_equal(got.written.field, rows[i].field == FIELDS
							    ? NULL
							    : &at.mapping->fields[rows[i].field]);
	}
	assert_int_equal(peer_count(at.peer), 0);
}

static void a_batch_too_large_says_what_fits(void **state)
{
	enum { COUNT = 4, EACH = 2 * 1024 * 1024 };
	CLEANUP_FREE char *text = mem_zeroed(EACH + 1, 1);
	struct value values[FIELDS] = { [NAME] = { text, EACH } };
	bool set[FIELDS] = { [NAME] = true };
	struct remote_change changes[COUNT];
	struct remote_batch batch = { .operation = REMOTE_CREATE,
				      .object = "Lead",
				      .mapping = at.mapping,
				      .changes = changes,
				      .count = COUNT };

	(void)state;
	memset(text, 'x', EACH);
	for (size_t i = 0; i < COUNT; i++)
		changes[i] = (struct remote_change){ .values = values, .set = set };
	at.remote->ops->write(at.remote, &batch, have_written, &at);
	wait_for_end();
	assert_int_equal(got.written.end, REMOTE_NOT_DONE);
	assert_int_equal(got.err.kind, ERROR_RETRY);
	assert_string_equal(got.err.code, "batch-too-large");
	assert_int_equal(got.written.at, 2);
	assert_int_equal(peer_count(at.peer), 0);
}

/* Before the token, before the answer, before a second token, and what never began. */
static void a_cancel_is_silent(void **state)
{
	struct remote_batch nothing = { .operation = REMOTE_CREATE,
					.object = "Lead",
					.mapping = at.mapping };
	struct remote_call *call;

	(void)state;
	call = begin(REMOTE_UPDATE);
	at.remote->ops->cancel(call);
	call = begin(REMOTE_DELETE);
	while (peer_count(at.peer) < 1)
		loop_once(at.loop);
	at.remote->ops->cancel(call);
	peer_answer(at.peer, 401, JSON, "");
	call = begin(REMOTE_UPSERT);
	while (at.keeper.generation < 2)
		loop_once(at.loop);
	at.remote->ops->cancel(call);
	call = at.remote->ops->write(at.remote, &nothing, have_written, &at);
	at.remote->ops->cancel(call);
	assert_int_equal(at.mapping->shares, 1);

	peer_answer(at.peer, 200, JSON, BOTH);
	write_two(REMOTE_UPDATE);
	assert_int_equal(got.written.end, REMOTE_ANSWERED);
	assert_int_equal(got.ends, 1);
	assert_int_equal(peer_count(at.peer), 3);
	assert_int_equal(at.mapping->shares, 1);
}

static int start(void **state)
{
	struct error err;
	bool locked;

	(void)state;
	return secret_start(&locked, &err) ? 0 : -1;
}

#define WRITING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WRITING_TEST(each_operation_on_the_wire),
		WRITING_TEST(each_change_by_itself),
		WRITING_TEST(how_each_answer_ends),
		WRITING_TEST(what_did_not_leave),
		WRITING_TEST(what_left_and_was_not_answered),
		WRITING_TEST(what_takes_too_long),
		WRITING_TEST(what_cannot_be_built),
		WRITING_TEST(a_batch_too_large_says_what_fits),
		WRITING_TEST(a_cancel_is_silent),
	};

	return cmocka_run_group_tests_name("sf_writing", tests, start, NULL);
}
