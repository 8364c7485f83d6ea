/* value.c - in order: value_canonical, then a form a function, text first, then what they share.
 *
 * Nearly every value that arrives is canonical already, so each form begins by looking for that and
 * then borrows instead of copying. */
#include "record/value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "base/utc.h"

/* Salesforce has 18 digits; a double printed in full has a few more. */
#define MOST_NUMBER_TEXT 512
#define MOST_WHOLE       64
#define MOST_SCALE       64

/* What is being made canonical, already trimmed and not empty. */
struct form {
	const char *text;
	size_t len;
	int scale;
	struct arena *arena;
	struct value *ret;
};
/* False: not of the type. */
typedef bool form_fn(const struct form *in);

static form_fn text_form, boolean_form, integer_form, decimal_form, date_form, datetime_form,
	time_form, id_form, set_form;

static const struct {
	const char *name;
	const char *expected;
	form_fn *make;
} types[] = {
	[VALUE_TEXT] = { "text", "text in UTF-8 without NUL bytes", text_form },
	[VALUE_BOOLEAN] = { "boolean", "true or false", boolean_form },
	[VALUE_INTEGER] = { "integer", "a whole number of 64 bits", integer_form },
	[VALUE_DECIMAL] = { "decimal", "a decimal number such as 1234.5", decimal_form },
	[VALUE_DATE] = { "date", "a date such as 2026-01-02", date_form },
	[VALUE_DATETIME] = { "datetime", "a time such as 2026-01-02T03:04:05Z", datetime_form },
	[VALUE_TIME] = { "time", "a time of day such as 03:04:05", time_form },
	[VALUE_ID] = { "id", "an id of 15 or 18 characters with the right checksum", id_form },
	[VALUE_SET] = { "set", "members joined by ';', in UTF-8 without NUL bytes", set_form },
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void trim(const char **text, size_t *len)
{
	while (*len && is_space(**text)) {
		(*text)++;
		(*len)--;
	}
	while (*len && is_space((*text)[*len - 1]))
		(*len)--;
}

bool value_canonical(enum value_type type, int scale, const char *raw, size_t len,
		     struct arena *arena, struct value *ret, struct error *err)
{
	struct form in = { .text = raw, .len = raw ? len : 0, .scale = scale, .arena = arena };
	struct value made = { 0 };

	in.ret = &made;
	if (in.len)
		trim(&in.text, &in.len);
	if (!in.len) {
		*ret = type == VALUE_BOOLEAN ? (struct value){ "0", 1 } : (struct value){ 0 };
		return true;
	}
	if (in.len > UINT32_MAX || !types[type].make(&in))
		return error_set(err, ERROR_FIELD, "bad-value", "expected %s",
				 types[type].expected);
	*ret = made;
	return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (!a->text || !b->text)
		return !a->text && !b->text;
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

const char *value_type_name(enum value_type type)
{
	return types[type].name;
}

static bool borrow(const struct form *in)
{
	*in->ret = (struct value){ in->text, (uint32_t)in->len };
	return true;
}

static bool copy(const struct form *in, const char *text, size_t len)
{
	*in->ret = (struct value){ arena_copy(in->arena, text, len), (uint32_t)len };
	return true;
}

/* One pass for the two questions every text must answer; eight bytes at a time, for most text is
 * plain ASCII. */
static bool check_text(const char *text, size_t len, bool *ret_has_cr)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
	bool plain = true, has_cr = false;
	size_t at = 0;

	for (; plain && len - at >= 8; at += 8) {
		uint64_t word, below_14;

		memcpy(&word, text + at, 8);
		/* Exact for bytes below 0x80: is any of them less than 14, such as NUL and CR? */
		below_14 = (word - ones * 14) & ~word & highs;
		if (word & highs) {
			plain = false;
		} else if (below_14) {
			has_cr |= memchr(text + at, '\r', 8) != NULL;
			plain &= memchr(text + at, '\0', 8) == NULL;
		}
	}
	for (; plain && at < len; at++) {
		plain = (signed char)text[at] > 0; /* char is unsigned on ARM */
		has_cr |= text[at] == '\r';
	}
	*ret_has_cr = plain ? has_cr : memchr(text, '\r', len) != NULL;
	return plain || str_is_utf8(text, len);
}

static bool text_form(const struct form *in)
{
	bool has_cr;
	char *out;
	size_t used = 0;

	if (!check_text(in->text, in->len, &has_cr))
		return false;
	if (!has_cr)
		return borrow(in);
	out = arena_copy(in->arena, in->text, in->len);
	for (size_t i = 0; i < in->len; i++) {
		if (out[i] != '\r')
			out[used++] = out[i];
		else if (i + 1 == in->len || out[i + 1] != '\n')
			out[used++] = '\n';
	}
	out[used] = '\0';
	*in->ret = (struct value){ out, (uint32_t)used };
	return true;
}

/* "t" and "f" are PostgreSQL's. */
static bool boolean_form(const struct form *in)
{
	static const struct {
		const char *text;
		const char *value;
	} words[] = {
		{ "0", "0" },    { "1", "1" }, { "false", "0" },
		{ "true", "1" }, { "f", "0" }, { "t", "1" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].text) == in->len &&
		    strncasecmp(words[i].text, in->text, in->len) == 0) {
			*in->ret = (struct value){ words[i].value, 1 };
			return true;
		}
	}
	return false;
}

/* A number read as text: digits without leading zeros, the point before digits[point] (which may
 * lie outside of them). No digits: zero. */
struct number {
	bool negative;
	size_t count;
	long point;
	char digits[MOST_NUMBER_TEXT + 1];
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* `text` begins behind the E. */
static bool read_exponent(const char *text, const char *end, long *ret)
{
	bool negative = false;
	long value = 0;

	if (text < end && (*text == '+' || *text == '-'))
		negative = *text++ == '-';
	if (text == end)
		return false;
	for (; text < end; text++) {
		if (!is_digit(*text))
			return false;
		/* Far outside of any number that is let through; only must not overflow. */
		if (value < 100000)
			value = value * 10 + (*text - '0');
	}
	*ret = negative ? -value : value;
	return true;
}

static bool read_number(const char *text, size_t len, struct number *ret)
{
	const char *at = text, *end = text + len;
	bool has_point = false, has_digit = false;
	long exponent = 0;

	ret->negative = false;
	ret->count = 0;
	ret->point = 0;
	if (len > MOST_NUMBER_TEXT)
		return false;
	if (*at == '-' || *at == '+')
		ret->negative = *at++ == '-';
	for (; at < end && (is_digit(*at) || (*at == '.' && !has_point)); at++) {
		if (*at == '.') {
			has_point = true;
			continue;
		}
		has_digit = true;
		if (ret->count || *at != '0') {
			ret->digits[ret->count++] = *at;
			ret->point += !has_point;
		} else if (has_point) {
			ret->point--;
		}
	}
	if (!has_digit)
		return false;
	if (at < end) {
		if ((*at != 'e' && *at != 'E') || !read_exponent(at + 1, end, &exponent))
			return false;
		ret->point += exponent;
	}
	return true;
}

/* Rounds half away from zero to `scale` digits after the point; drops trailing zeros. */
static void round_number(struct number *in, int scale)
{
	long keep = in->point + scale;

	if (keep < 0) {
		in->count = 0;
	} else if ((size_t)keep < in->count) {
		bool up = in->digits[keep] >= '5';

		in->count = (size_t)keep;
		for (size_t i = in->count; up && i-- > 0;) {
			up = in->digits[i] == '9';
			in->digits[i] = up ? '0' : (char)(in->digits[i] + 1);
		}
		/* Every digit kept was a 9, or none was kept. */
		if (up) {
			memmove(in->digits + 1, in->digits, in->count);
			in->digits[0] = '1';
			in->count++;
			in->point++;
		}
	}
	while (in->count && in->digits[in->count - 1] == '0')
		in->count--;
}

/* `out` has room for sign, zero, point, MOST_WHOLE and MOST_SCALE digits. */
static size_t print_number(const struct number *in, char *out)
{
	char *at = out;

	if (!in->count) {
		*at = '0';
		return 1;
	}
	if (in->negative)
		*at++ = '-';
	if (in->point <= 0)
		*at++ = '0';
	for (long i = 0; i < in->point; i++)
		*at++ = i < (long)in->count ? in->digits[i] : '0';
	if ((long)in->count > in->point) {
		*at++ = '.';
		for (long i = in->point; i < (long)in->count; i++)
			*at++ = i < 0 ? '0' : in->digits[i];
	}
	return (size_t)(at - out);
}

static bool is_canonical_number(const char *text, size_t len, int scale)
{
	const char *at = text, *end = text + len, *whole;

	at += *at == '-';
	whole = at;
	while (at < end && is_digit(*at))
		at++;
	if (at == whole || at - whole > MOST_WHOLE || (*whole == '0' && at - whole > 1))
		return false;
	if (at == end)
		return *text != '-' || *whole != '0';
	if (*at != '.' || end - at - 1 > scale || end - at == 1 || end[-1] == '0')
		return false;
	for (at++; at < end; at++)
		if (!is_digit(*at))
			return false;
	return true;
}

static bool decimal_form(const struct form *in)
{
	char out[MOST_WHOLE + MOST_SCALE + 4];
	struct number number;
	int scale = in->scale < 0 ? 0 : in->scale > MOST_SCALE ? MOST_SCALE : in->scale;

	if (is_canonical_number(in->text, in->len, scale))
		return borrow(in);
	if (!read_number(in->text, in->len, &number))
		return false;
	round_number(&number, scale);
	if (number.count && number.point > MOST_WHOLE)
		return false;
	return copy(in, out, print_number(&number, out));
}

static bool integer_form(const struct form *in)
{
	static const char most[] = "9223372036854775807", least[] = "9223372036854775808";
	char out[MOST_WHOLE + 4];
	struct number number;
	const char *limit;

	if (in->len < 19 && is_canonical_number(in->text, in->len, 0))
		return borrow(in);
	if (!read_number(in->text, in->len, &number))
		return false;
	while (number.count && number.digits[number.count - 1] == '0')
		number.count--;
	/* Something behind the point, or more than 64 bits. */
	if (number.count && ((long)number.count > number.point || number.point > 19))
		return false;
	limit = number.negative ? least : most;
	if (number.count && number.point == 19) {
		print_number(&number, out);
		if (memcmp(out + number.negative, limit, 19) > 0)
			return false;
	}
	return copy(in, out, print_number(&number, out));
}

static bool date_form(const struct form *in)
{
	return utc_is_date(in->text, in->len) && borrow(in);
}

/* SQL writes a blank where ISO 8601 has a T, PostgreSQL "+00", SQLite no offset for UTC. */
static bool read_datetime(const char *text, size_t len, int64_t *ret_ms)
{
	char iso[48];
	size_t at = 19;

	if (len < 19 || len > sizeof(iso) - 4)
		return false;
	memcpy(iso, text, len);
	if (iso[10] == ' ')
		iso[10] = 'T';
	while (at < len && (iso[at] == '.' || is_digit(iso[at])))
		at++;
	if (at == len) {
		iso[len++] = 'Z';
	} else if (len - at == 3 && (iso[at] == '+' || iso[at] == '-')) {
		iso[len++] = '0';
		iso[len++] = '0';
	}
	return utc_parse(iso, len, ret_ms);
}

static bool two_digits(const char *text, char most)
{
	return is_digit(text[0]) && is_digit(text[1]) && text[0] <= most;
}

/* "03:04:05" */
static bool is_clock(const char *text)
{
	return two_digits(text, '2') && (text[0] < '2' || text[1] <= '3') && text[2] == ':' &&
	       two_digits(text + 3, '5') && text[5] == ':' && two_digits(text + 6, '5');
}

/* "2026-01-02T03:04:05.000+0000", which nearly all are: UTC already, so nothing is to be shifted.
 */
static bool is_salesforce_datetime(const char *text, size_t len)
{
	return len == 28 && utc_is_date(text, 10) && text[10] == 'T' && is_clock(text + 11) &&
	       text[19] == '.' && is_digit(text[20]) && is_digit(text[21]) && is_digit(text[22]) &&
	       memcmp(text + 23, "+0000", 5) == 0;
}

static bool datetime_form(const struct form *in)
{
	char out[UTC_TEXT_SIZE];
	int64_t ms;

	if (is_salesforce_datetime(in->text, in->len)) {
		memcpy(out, in->text, 19);
		out[19] = 'Z';
		return copy(in, out, 20);
	}
	if (!read_datetime(in->text, in->len, &ms))
		return false;
	utc_format(ms, out);
	if (in->len == strlen(out) && memcmp(in->text, out, in->len) == 0)
		return borrow(in);
	/* An offset can carry it over the edge of the years there are. */
	return utc_parse(out, strlen(out), &ms) && copy(in, out, strlen(out));
}

/* "03:04:05", and Salesforce's "03:04:05.000Z". */
static bool time_form(const struct form *in)
{
	const char *text = in->text;
	size_t at = 8;

	if (in->len < 8 || !is_clock(text))
		return false;
	if (at < in->len && text[at] == '.') {
		for (at++; at < in->len && is_digit(text[at]); at++)
			;
		if (at == 9)
			return false;
	}
	if (at < in->len && text[at] == 'Z')
		at++;
	*in->ret = (struct value){ text, 8 };
	return at == in->len;
}

static bool id_form(const struct form *in)
{
	char id[19];

	if (!value_id18(in->text, in->len, id))
		return false;
	return in->len == 18 ? borrow(in) : copy(in, id, 18);
}

static int by_bytes(const void *left, const void *right)
{
	const struct value *a = left, *b = right;
	int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* The members of a set, trimmed, without empty ones; at most as many as there are ';' and one. */
static size_t split_set(const char *text, size_t len, struct value *members)
{
	const char *end = text + len;
	size_t count = 0;

	for (const char *at = text; at <= end;) {
		const char *stop = memchr(at, ';', (size_t)(end - at));
		const char *member = at;
		size_t member_len;

		stop = stop ? stop : end;
		member_len = (size_t)(stop - at);
		trim(&member, &member_len);
		if (member_len)
			members[count++] = (struct value){ member, (uint32_t)member_len };
		at = stop + 1;
	}
	return count;
}

static size_t sort_set(struct value *members, size_t count)
{
	size_t kept = 0;

	qsort(members, count, sizeof(*members), by_bytes);
	for (size_t i = 0; i < count; i++)
		if (!kept || by_bytes(&members[kept - 1], &members[i]) != 0)
			members[kept++] = members[i];
	return kept;
}

static size_t count_bytes(const char *text, size_t len, char wanted)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += text[i] == wanted;
	return count;
}

static bool set_form(const struct form *in)
{
	CLEANUP_FREE struct value *members = NULL;
	struct value text;
	size_t count, used = 0;
	char *out;

	if (!text_form(in))
		return false;
	text = *in->ret;
	if (!memchr(text.text, ';', text.len))
		return true;
	members = mem_array(struct value, count_bytes(text.text, text.len, ';') + 1);
	count = split_set(text.text, text.len, members);
	count = sort_set(members, count);
	if (!count) {
		*in->ret = (struct value){ 0 };
		return true;
	}
	out = arena_copy(in->arena, text.text, text.len);
	for (size_t i = 0; i < count; i++) {
		if (i)
			out[used++] = ';';
		memcpy(out + used, members[i].text, members[i].len);
		used += members[i].len;
	}
	out[used] = '\0';
	if (used == text.len && memcmp(out, text.text, used) == 0)
		out = NULL; /* was canonical: goes on borrowing */
	*in->ret = out ? (struct value){ out, (uint32_t)used } : text;
	return true;
}
