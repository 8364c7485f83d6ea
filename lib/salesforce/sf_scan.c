/* sf_scan.c - the fast reader: most records are plain, and need no tree to be read.
 *
 * It goes over the bytes once, with the plan beside it. Every rule of JSON is kept, or the record
 * is left to json-c: a word, number or escape that is not exactly as RFC 8259 has it, a key twice
 * or missing, bytes that are not ASCII where nobody else checks them, a value not of its type. */
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "record/record.h"
#include "salesforce/sf_plan.h"
#include "salesforce/sf_record.h"

#define MOST_DEPTH  8
#define MOST_OTHERS 4    /* keys of one object that were not asked for */
#define MOST_FIELDS 1024 /* of one object; Salesforce has 800 */
/* What json-c holds for certain. */
#define MOST_DIGITS 18

struct scan {
	const char *at, *end;
	struct arena *arena;
	struct record *record;
	unsigned depth;
};

static bool scan_object(struct scan *in, const struct sf_node *node);
static bool skip_value(struct scan *in);

const char *sf_record_scan(const struct sf_node *root, const char *bytes, const char *end,
			   struct arena *arena, struct record *record)
{
	struct scan in = { bytes, end, arena, record, 0 };

	return scan_object(&in, root) ? in.at : NULL;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_space(struct scan *in)
{
	while (in->at < in->end &&
	       (*in->at == ' ' || *in->at == '\n' || *in->at == '\r' || *in->at == '\t'))
		in->at++;
}

/* The byte `c`, with white space around it. */
static bool skip_byte(struct scan *in, char c)
{
	skip_space(in);
	if (in->at == in->end || *in->at != c)
		return false;
	in->at++;
	skip_space(in);
	return true;
}

static bool read_hex(const char *text, unsigned *ret)
{
	unsigned value = 0;

	for (int i = 0; i < 4; i++) {
		char c = text[i];

		if (is_digit(c))
			value = value * 16 + (unsigned)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			value = value * 16 + (unsigned)((c | 32) - 'a') + 10;
		else
			return false;
	}
	*ret = value;
	return true;
}

static char *put_utf8(char *to, unsigned point)
{
	if (point < 0x80) {
		*to++ = (char)point;
	} else if (point < 0x800) {
		*to++ = (char)(0xc0 | point >> 6);
		*to++ = (char)(0x80 | (point & 63));
	} else if (point < 0x10000) {
		*to++ = (char)(0xe0 | point >> 12);
		*to++ = (char)(0x80 | (point >> 6 & 63));
		*to++ = (char)(0x80 | (point & 63));
	} else {
		*to++ = (char)(0xf0 | point >> 18);
		*to++ = (char)(0x80 | (point >> 12 & 63));
		*to++ = (char)(0x80 | (point >> 6 & 63));
		*to++ = (char)(0x80 | (point & 63));
	}
	return to;
}

/* "\uXXXX" at `from`, or two of them that are one character. NUL and half a pair are for json-c. */
static const char *undo_unicode(const char *from, const char *end, char **to)
{
	unsigned point, low;

	if (end - from < 6 || !read_hex(from + 2, &point) || !point ||
	    (point >= 0xdc00 && point <= 0xdfff))
		return NULL;
	from += 6;
	if (point >= 0xd800 && point <= 0xdbff) {
		if (end - from < 6 || from[0] != '\\' || from[1] != 'u' ||
		    !read_hex(from + 2, &low) || low < 0xdc00 || low > 0xdfff)
			return NULL;
		point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
		from += 6;
	}
	*to = put_utf8(*to, point);
	return from;
}

/* Escapes only ever get shorter. */
static bool undo_escapes(struct scan *in, struct sf_scalar *text)
{
	static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *from = text->text, *end = from + text->len;
	char *out = arena_copy(in->arena, text->text, text->len), *to = out;

	while (from < end) {
		const char *escape;

		if (*from != '\\') {
			*to++ = *from++;
		} else if (from[1] == 'u') {
			from = undo_unicode(from, end, &to);
			if (!from)
				return false;
		} else {
			escape = strchr(escapes, from[1]);
			if (!escape || !*escape)
				return false;
			*to++ = meant[escape - escapes];
			from += 2;
		}
	}
	text->text = out;
	text->len = (size_t)(to - out);
	return true;
}

/* Eight bytes at once: none of them ends or escapes a string, is a control byte or beyond ASCII. */
static bool is_plain(const char *bytes)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
	uint64_t word, quotes, escapes;

	memcpy(&word, bytes, 8);
	quotes = word ^ (ones * '"');
	escapes = word ^ (ones * '\\');
	return !((word | (word - ones * 0x20) | (quotes - ones) | (escapes - ones)) & highs);
}

/* At the opening quote; moves behind the closing one. The text still has its escapes. */
static bool find_quote(struct scan *in, struct sf_scalar *ret, bool *ret_escaped, bool *ret_ascii)
{
	const char *at = in->at + 1, *start = at;
	unsigned char all = 0;

	*ret_escaped = false;
	for (;; at++) {
		while (in->end - at >= 8 && is_plain(at))
			at += 8;
		if (at == in->end || (unsigned char)*at < 0x20)
			return false;
		if (*at == '"')
			break;
		all |= (unsigned char)*at;
		if (*at == '\\') {
			*ret_escaped = true;
			if (++at == in->end)
				return false;
			all |= (unsigned char)*at;
		}
	}
	*ret = (struct sf_scalar){ SF_JSON_STRING, start, (size_t)(at - start) };
	*ret_ascii = all < 0x80;
	in->at = at + 1;
	return true;
}

static bool scan_string(struct scan *in, struct sf_scalar *ret)
{
	bool escaped, ascii;

	return find_quote(in, ret, &escaped, &ascii) &&
	       (ascii || str_is_utf8(ret->text, ret->len)) && (!escaped || undo_escapes(in, ret));
}

static void skip_digits(struct scan *in)
{
	while (in->at < in->end && is_digit(*in->at))
		in->at++;
}

static bool scan_number(struct scan *in, struct sf_scalar *ret)
{
	const char *start = in->at, *digits;

	in->at += *in->at == '-';
	digits = in->at;
	skip_digits(in);
	if (in->at == digits || (*digits == '0' && in->at - digits > 1) ||
	    in->at - digits > MOST_DIGITS)
		return false;
	if (in->at < in->end && *in->at == '.') {
		digits = ++in->at;
		skip_digits(in);
		if (in->at == digits)
			return false;
	}
	if (in->at < in->end && (*in->at | 32) == 'e') {
		in->at++;
		if (in->at < in->end && (*in->at == '+' || *in->at == '-'))
			in->at++;
		digits = in->at;
		skip_digits(in);
		if (in->at == digits)
			return false;
	}
	*ret = (struct sf_scalar){ SF_JSON_NUMBER, start, (size_t)(in->at - start) };
	return true;
}

static bool scan_word(struct scan *in, const char *word, size_t len)
{
	if ((size_t)(in->end - in->at) < len || memcmp(in->at, word, len) != 0)
		return false;
	in->at += len;
	return true;
}

static bool scan_scalar(struct scan *in, struct sf_scalar *ret)
{
	if (in->at == in->end)
		return false;
	switch (*in->at) {
	case '"': return scan_string(in, ret);
	case 'n':
		*ret = (struct sf_scalar){ SF_JSON_NULL, NULL, 0 };
		return scan_word(in, "null", 4);
	case 't':
		*ret = (struct sf_scalar){ SF_JSON_BOOLEAN, "1", 1 };
		return scan_word(in, "true", 4);
	case 'f':
		*ret = (struct sf_scalar){ SF_JSON_BOOLEAN, "0", 1 };
		return scan_word(in, "false", 5);
	default: return scan_number(in, ret);
	}
}

static bool scan_member(struct scan *in, const struct sf_node *node)
{
	struct sf_scalar scalar;
	struct error why;

	if (node->count && in->at < in->end && *in->at == '{')
		return !node->field && !node->roles && scan_object(in, node);
	if (!scan_scalar(in, &scalar) || (node->count && scalar.kind != SF_JSON_NULL))
		return false;
	sf_plan_take_nothing(node, in->record);
	return sf_plan_take(node, &scalar, in->arena, in->record, &why);
}

/* A key without escapes; moves behind its colon. */
static bool scan_key(struct scan *in, struct sf_scalar *ret)
{
	bool escaped, ascii;

	skip_space(in);
	return in->at < in->end && *in->at == '"' && find_quote(in, ret, &escaped, &ascii) &&
	       !escaped && ascii && skip_byte(in, ':');
}

/* A comma, or the closing bracket. */
static bool scan_comma(struct scan *in, char close, bool *ret_more)
{
	skip_space(in);
	if (in->at == in->end || (*in->at != ',' && *in->at != close))
		return false;
	*ret_more = *in->at++ == ',';
	return true;
}

/* Keys that were not asked for, so that one that comes twice is seen. */
struct others {
	struct sf_scalar keys[MOST_OTHERS];
	size_t count;
};

static bool is_new(struct others *in, const struct sf_scalar *key)
{
	for (size_t i = 0; i < in->count; i++)
		if (in->keys[i].len == key->len &&
		    memcmp(in->keys[i].text, key->text, key->len) == 0)
			return false;
	if (in->count == MOST_OTHERS)
		return false;
	in->keys[in->count++] = *key;
	return true;
}

static bool is_met(uint64_t *met, size_t child)
{
	uint64_t bit = UINT64_C(1) << (child % 64);
	bool was = met[child / 64] & bit;

	met[child / 64] |= bit;
	return was;
}

static bool scan_object(struct scan *in, const struct sf_node *node)
{
	uint64_t met[MOST_FIELDS / 64] = { 0 };
	size_t count = 0, expected = 0;
	struct others others = { .count = 0 };
	bool more = true;

	if (node->count > MOST_FIELDS || ++in->depth > MOST_DEPTH || !skip_byte(in, '{'))
		return false;
	while (more) {
		const struct sf_node *child;
		struct sf_scalar key;

		if (!scan_key(in, &key))
			return false;
		child = sf_plan_find(node, expected, key.text, key.len);
		if (child) {
			expected = (size_t)(child - node->children) + 1;
			count++;
			if (is_met(met, expected - 1) || !scan_member(in, child))
				return false;
		} else if (!is_new(&others, &key) || !skip_value(in)) {
			return false;
		}
		if (!scan_comma(in, '}', &more))
			return false;
	}
	in->depth--;
	return count == node->count;
}

/* What was not asked for, such as `attributes`, must still be JSON. */
static bool skip_value(struct scan *in)
{
	struct others others = { .count = 0 };
	struct sf_scalar key;
	bool more = true;

	if (in->at == in->end || *in->at != '{')
		return scan_scalar(in, &key);
	if (++in->depth > MOST_DEPTH)
		return false;
	in->at++;
	while (more)
		if (!scan_key(in, &key) || !is_new(&others, &key) || !skip_value(in) ||
		    !scan_comma(in, '}', &more))
			return false;
	in->depth--;
	return true;
}
