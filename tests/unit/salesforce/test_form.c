/* Forms that hold secrets: every byte of a value arrives as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "salesforce/sf_form.h"
#include "secret/secret.h"

#define LEN(rows) (sizeof(rows) / sizeof(rows[0]))

static void a_form_is_encoded(void **state)
{
	CLEANUP(secret_free) struct secret *secret = secret_new("a+b&c=%\xc3\xa9 ~", 11);
	const struct sf_form_field fields[] = {
		{ "grant_type", .text = "authorization_code" },
		{ "code", .text = "aPrxYz==" },
		{ "client_id", .text = "3MVG9.example&x" },
		{ "client_secret", .secret = secret },
		{ "redirect_uri", .text = "http://localhost:8765/callback" },
		{ "empty", .text = "" },
		{ "left_out" },
	};
	CLEANUP(secret_free) struct secret *form = NULL;
	struct error err;
	const char *text;
	size_t len;

	(void)state;
	form = sf_form_make(fields, LEN(fields), &err);
	assert_non_null(form);
	text = secret_open(form, &len);
	assert_string_equal(text, "grant_type=authorization_code&code=aPrxYz%3D%3D&"
				  "client_id=3MVG9.example%26x&"
				  "client_secret=a%2Bb%26c%3D%25%C3%A9%20~&"
				  "redirect_uri=http%3A%2F%2Flocalhost%3A8765%2Fcallback&empty=");
	assert_int_equal(len, strlen(text));
	secret_close(form);
}

/* All 256 bytes, NUL too. */
static void every_byte_is_encoded(void **state)
{
	CLEANUP(secret_free) struct secret *secret = NULL;
	CLEANUP(secret_free) struct secret *form = NULL;
	char bytes[256], want[3 * 256 + 3] = "s=", *to = want + 2;
	struct error err;
	size_t len;

	(void)state;
	for (int i = 0; i < 256; i++) {
		bytes[i] = (char)i;
		if (i &&
		    strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", i))
			to += sprintf(to, "%c", i);
		else
			to += sprintf(to, "%%%02X", (unsigned)i);
	}
	secret = secret_new(bytes, sizeof(bytes));
	form = sf_form_make(&(struct sf_form_field){ "s", .secret = secret }, 1, &err);
	assert_string_equal(secret_open(form, &len), want);
	secret_close(form);
}

static void an_endless_secret_is_refused(void **state)
{
	static char bytes[32 * 1024 + 1];
	struct error err;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t len = 32 * 1024 - 4; len < 32 * 1024; len++) {
		CLEANUP(secret_free) struct secret *secret = secret_new(bytes, len);
		CLEANUP(secret_free)
		struct secret *form =
			sf_form_make(&(struct sf_form_field){ "s", .secret = secret }, 1, &err);

		assert_int_equal(form != NULL, len <= 32 * 1024 - 3);
		if (!form) {
			assert_int_equal(err.kind, ERROR_HUMAN);
			assert_string_equal(err.code, "secret-too-long");
			assert_null(strstr(err.text, "xxx"));
		}
	}
}

static int start(void **state)
{
	struct error err;
	bool locked;

	(void)state;
	return secret_start(&locked, &err) ? 0 : -1;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_is_encoded),
		cmocka_unit_test(every_byte_is_encoded),
		cmocka_unit_test(an_endless_secret_is_refused),
	};

	return cmocka_run_group_tests_name("sf_form", tests, start, NULL);
}
