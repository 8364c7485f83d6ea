#include "base/str.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

static bool is_alpha(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool str_is_name(const char *text)
{
	if (!is_alpha(*text))
		return false;
	for (; *text; text++)
		if (!is_alpha(*text) && !is_digit(*text) && *text != '_')
			return false;
	return true;
}

bool str_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Length of the valid UTF-8 character at `text`, 0 if there is none (RFC 3629 section 4). */
static size_t utf8_length(const unsigned char *text, size_t len)
{
	static const struct {
		unsigned char first, last; /* of the lead byte */
		unsigned char low, high;   /* of the second byte */
		unsigned char length;
	} forms[] = {
		{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (*text < forms[i].first || *text > forms[i].last)
			continue;
		if (forms[i].length > len)
			return 0;
		if (forms[i].length > 1 && (text[1] < forms[i].low || text[1] > forms[i].high))
			return 0;
		for (size_t k = 2; k < forms[i].length; k++)
			if (text[k] < 0x80 || text[k] > 0xbf)
				return 0;
		return forms[i].length;
	}
	return 0;
}

bool str_is_utf8(const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;

	while (len) {
		size_t step = utf8_length(at, len);

		if (!step || !*at)
			return false;
		at += step;
		len -= step;
	}
	return true;
}

char *str_snake_case(const char *api_name)
{
	size_t len = strlen(api_name), used = 0;
	char *out = mem_zeroed(2 * len + 1, 1);

	if (len > 3 && strcmp(api_name + len - 3, "__c") == 0)
		len -= 3;
	for (size_t i = 0; i < len; i++) {
		char c = api_name[i];
		bool upper = c >= 'A' && c <= 'Z';
		bool after_word =
			i && (islower((unsigned char)api_name[i - 1]) || is_digit(api_name[i - 1]));
		bool ends_acronym = i && i + 1 < len && isupper((unsigned char)api_name[i - 1]) &&
				    islower((unsigned char)api_name[i + 1]);

		if (c == '.' || c == '_') {
			if (used && out[used - 1] != '_')
				out[used++] = '_';
			continue;
		}
		if (upper && (after_word || ends_acronym) && out[used - 1] != '_')
			out[used++] = '_';
		out[used++] = (char)tolower((unsigned char)c);
	}
	return out;
}

void str_copy_printable(char *out, size_t size, const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t used = 0;

	while (len) {
		size_t step = utf8_length(at, len);
		/* C0, DEL, and C1 (U+0080 to U+009F), which terminals obey too. */
		bool plain = step && *at >= 0x20 && *at != 0x7f &&
			     !(step == 2 && at[0] == 0xc2 && at[1] < 0xa0);

		if (used + (plain ? step : 1) >= size)
			break;
		if (plain)
			memcpy(out + used, at, step);
		else
			out[used] = '?';
		used += plain ? step : 1;
		at += step ? step : 1;
		len -= step ? step : 1;
	}
	if (size)
		out[used] = '\0';
}
