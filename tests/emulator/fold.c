/* fold.c - case is folded by the C library's tables, so UTF-8 must be the process's LC_CTYPE. */
#include "fold.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <wctype.h>

/* One folded character; a broken byte stands for itself. */
static unsigned next(const unsigned char **at, const unsigned char *end)
{
	unsigned one = *(*at)++;
	int more = one >= 0xf0 ? 3 : one >= 0xe0 ? 2 : one >= 0xc0 ? 1 : 0;

	if (one < 0x80)
		return one >= 'A' && one <= 'Z' ? one + 32 : one;
	if (more)
		one &= 0x3fu >> more;
	while (more-- && *at < end)
		one = one << 6 | (*(*at)++ & 0x3f);
	return (unsigned)towlower((wint_t)one);
}

static int compare(void *unused, int left_size, const void *left, int right_size, const void *right)
{
	const unsigned char *a = left, *a_end = a + left_size;
	const unsigned char *b = right, *b_end = b + right_size;

	(void)unused;
	while (a < a_end && b < b_end) {
		unsigned x = next(&a, a_end), y = next(&b, b_end);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return (a < a_end) - (b < b_end);
}

/* Goes back to the last % only, which is enough for this kind of pattern. */
static bool like(const unsigned char *at, const unsigned char *end, const unsigned char *pattern,
		 const unsigned char *pattern_end)
{
	const unsigned char *star = NULL, *retry = NULL;

	for (;;) {
		const unsigned char *was = pattern;
		unsigned want;

		if (pattern < pattern_end && *pattern == '%') {
			star = ++pattern;
			retry = at;
			continue;
		}
		if (at == end && pattern == pattern_end)
			return true;
		if (at < end && pattern < pattern_end) {
			bool any = *pattern == '_';

			if (*pattern == '\\' && pattern + 1 < pattern_end)
				pattern++;
			want = next(&pattern, pattern_end);
			if (next(&at, end) == want || any)
				continue;
			pattern = was;
		}
		if (!star || retry >= end)
			return false;
		next(&retry, end);
		at = retry;
		pattern = star;
	}
}

static void like_call(sqlite3_context *context, int count, sqlite3_value **values)
{
	const unsigned char *text = sqlite3_value_text(values[0]);
	const unsigned char *pattern = sqlite3_value_text(values[1]);

	(void)count;
	if (!text || !pattern)
		return;
	sqlite3_result_int(context, like(text, text + sqlite3_value_bytes(values[0]), pattern,
					 pattern + sqlite3_value_bytes(values[1])));
}

void fold_install(sqlite3 *db)
{
	sqlite3_create_collation(db, "sf_text", SQLITE_UTF8, NULL, compare);
	sqlite3_create_function(db, "sf_like", 2,
				SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
				like_call, NULL, NULL);
}
