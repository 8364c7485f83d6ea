/* Headers of an answer, row by row: what is read from them, and what is too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "http/answer.h"

#define NOW_MS 1767323045000 /* Fri, 02 Jan 2026 03:04:05 GMT */

static bool feed(struct answer *in, const char *const *lines, struct error *err)
{
	for (; *lines; lines++)
		if (**lines && !answer_header(in, *lines, strlen(*lines), err))
			return false;
	return true;
}

static void retry_after(void **state)
{
	static const struct {
		const char *date, *retry_after;
		int64_t want;
	} rows[] = {
		{ "", "", 0 },
		{ "", "Retry-After: 30\r\n", 30 },
		{ "", "retry-after:30\r\n", 30 },
		{ "", "Retry-After:   30  \r\n", 30 },
		{ "", "Retry-After: 0\r\n", 0 },
		{ "", "Retry-After: -5\r\n", 0 },
		{ "", "Retry-After: 1.5\r\n", 0 },
		{ "", "Retry-After: soon\r\n", 0 },
		{ "", "Retry-After:\r\n", 0 },
		{ "", "Retry-After: 86400\r\n", 3600 },
		{ "", "Retry-After: 99999999999999999999999999\r\n", 3600 },
		{ "", "Retry-After: Fri, 02 Jan 2026 03:05:05 GMT\r\n", 60 },
		{ "", "Retry-After: Fri, 02 Jan 2026 03:03:05 GMT\r\n", 0 },
		{ "", "Retry-After: Sat, 02 Jan 2027 03:03:05 GMT\r\n", 3600 },
		/* The server's clock is 10 minutes behind ours: its own counts. */
		{ "Date: Fri, 02 Jan 2026 02:54:05 GMT\r\n",
		  "Retry-After: Fri, 02 Jan 2026 02:55:05 GMT\r\n", 60 },
		{ "Date: nonsense\r\n", "Retry-After: Fri, 02 Jan 2026 03:05:05 GMT\r\n", 60 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *lines[] = { "HTTP/1.1 503 Busy\r\n", rows[i].date, rows[i].retry_after,
					"\r\n", NULL };
		struct answer in = { 0 };
		struct http_response got;
		struct error err;

		assert_true(feed(&in, lines, &err));
		answer_response(&in, NOW_MS, &got);
		assert_int_equal(got.retry_after_s, rows[i].want);
		assert_int_equal(got.status, 503);
		answer_done(&in);
	}
}

static void known_headers_are_read(void **state)
{
	static const char *const lines[] = { "HTTP/1.1 100 Continue\r\n",
					     "Sforce-Limit-Info: old\r\n",
					     "\r\n",
					     "HTTP/1.1 200 \r\n",
					     "content-type: application/json;charset=UTF-8\r\n",
					     "Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n",
					     "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n",
					     "Sforce-Limit-Info: api-usage=18/5000\r\n",
					     "Content-Typed: no\r\n",
					     "nonsense\r\n",
					     ": none\r\n",
					     "\r\n",
					     "Content-Type: a/trailer\r\n",
					     NULL };
	struct answer in = { 0 };
	struct http_response got;
	struct error err;

	(void)state;
	assert_true(feed(&in, lines, &err));
	answer_response(&in, 0, &got);
	assert_int_equal(got.status, 200);
	assert_string_equal(got.content_type, "application/json;charset=UTF-8");
	assert_int_equal(got.date_ms, NOW_MS);
	assert_string_equal(got.last_modified, "Thu, 01 Jan 2026 00:00:00 GMT");
	assert_string_equal(got.limit_info, "api-usage=18/5000");
	assert_string_equal(got.body, "");
	answer_done(&in);
}

static void what_is_no_answer_is_refused(void **state)
{
	static const struct {
		const char *line, *code;
	} rows[] = {
		{ "HTTP/1.1 20x Good\r\n", "protocol" },
		{ "HTTP/1.1\r\n", "protocol" },
		{ "HTTP/1.1 \r\n", "protocol" },
		{ "HTTP/1.1 099 Early\r\n", "protocol" },
	};
	struct answer in = { 0 };
	struct error err;
	char line[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		in = (struct answer){ 0 };
		assert_false(answer_header(&in, rows[i].line, strlen(rows[i].line), &err));
		assert_string_equal(err.code, rows[i].code);
		assert_int_equal(err.kind, ERROR_RETRY);
	}

	in = (struct answer){ 0 };
	memset(line, 'x', sizeof(line));
	assert_true(answer_header(&in, "HTTP/1.1 200 OK\r\n", 17, &err));
	for (size_t sum = 17; sum + sizeof(line) <= 65536; sum += sizeof(line))
		assert_true(answer_header(&in, line, sizeof(line), &err));
	assert_false(answer_header(&in, line, sizeof(line), &err));
	assert_string_equal(err.code, "too-large");

	/* A value too long for its place counts as absent. */
	in = (struct answer){ 0 };
	memcpy(line, "Date: ", 6);
	assert_true(answer_header(&in, line, sizeof(line), &err));
	assert_string_equal(in.date, "");
}

static void bodies_are_counted(void **state)
{
	static const struct {
		size_t decoded;
		int64_t wire;
		size_t most;
		const char *code; /* NULL: fine */
	} rows[] = {
		{ 65536, 65536, 65536, NULL },
		{ 65537, 65537, 65536, "too-large" },
		{ 1 << 20, 0, 1 << 30, NULL },
		{ 3 << 20, 0, 1 << 30, NULL }, /* curl's count lags by one read */
		{ 4 << 20, 0, 1 << 30, "too-large" },
		{ 200 << 20, 1 << 20, 1 << 30, NULL },
		{ 210 << 20, 1 << 20, 1 << 30, "too-large" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer in = { 0 };
		struct error err;
		bool fine = answer_count(&in, rows[i].decoded, rows[i].wire, rows[i].most, &err);

		assert_int_equal(fine, rows[i].code == NULL);
		if (!fine)
			assert_string_equal(err.code, rows[i].code);
	}
}

static void bodies_are_kept(void **state)
{
	struct answer in = { 0 };
	struct http_response got;

	(void)state;
	for (int i = 0; i < 10000; i++)
		answer_keep(&in, "0123456789", 10);
	answer_response(&in, 0, &got);
	assert_int_equal(got.body_len, 100000);
	assert_int_equal(strlen(got.body), 100000);
	assert_memory_equal(got.body + 99990, "0123456789", 11);
	answer_done(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retry_after),
		cmocka_unit_test(known_headers_are_read),
		cmocka_unit_test(what_is_no_answer_is_refused),
		cmocka_unit_test(bodies_are_counted),
		cmocka_unit_test(bodies_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
