/* What is shown of a server's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "salesforce/sf_quote.h"

#define TEN   "0123456789"
#define FORTY TEN TEN TEN TEN
#define TOKEN "00D8d0000004QxR!AQ.CANARY_" FORTY FORTY "abcdef"
/* 200 bytes, each word short enough. */
#define WORDS "0123456789012345678 "
#define LONG  WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS

static void what_is_shown(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "Session expired or invalid", "Session expired or invalid" },
		{ "  two  blanks ", "  two  blanks " },
		{ FORTY, FORTY },
		{ FORTY "x", "…" },
		{ TOKEN, "…" },
		{ "Bearer " TOKEN " is refused", "Bearer … is refused" },
		{ "Authorization:Bearer " TOKEN, "Authorization:Bearer …" },
		{ "a\n" TOKEN "\tb\r", "a?…?b?" },
		{ "a" TOKEN TOKEN " b " TOKEN, "… b …" },
		/* Characters, not bytes. */
		{ "ää" TEN TEN TEN "ääääääää", "ää" TEN TEN TEN "ääääääää" },
		{ "ä" FORTY, "…" },
		/* What is cut off is looked at as well. */
		{ LONG, LONG },
		{ LONG "x", LONG },
		{ WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS "Bearer " TOKEN,
		  WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS "Bearer …" },
		{ WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS "0123456789012345678ä",
		  WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS "0123456789012345678" },
		{ LONG TOKEN, LONG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[SF_QUOTE_SIZE];

		assert_ptr_equal(sf_quote(rows[i].text, out), out);
		assert_string_equal(out, rows[i].want);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_shown) };

	return cmocka_run_group_tests_name("sf_quote", tests, NULL, NULL);
}
