/* sf_page.c - in order: the envelope, byte by byte; the end of a value; what a value is for.
 *
 *     {"totalSize":N,"done":B,"nextRecordsUrl":"/services/...","records":[{...},{...}]}
 *
 * Only the envelope is read here by hand. Whatever stands in it is cut out where it ends. Plain
 * records are read straight from their bytes; everything else json-c judges. */
#include "salesforce/sf_page.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "http/url.h"
#include "record/mapping.h"
#include "record/record.h"
#include "salesforce/sf_json.h"
#include "salesforce/sf_plan.h"
#include "salesforce/sf_record.h"

#define MOST_SLICE ((size_t)4 * 1024 * 1024)

enum place {
	AT_START,
	AT_FIRST_KEY,
	AT_KEY,
	AT_COLON,
	AT_VALUE,
	AT_COMMA, /* or the end of the envelope */
	AT_RECORDS,
	AT_FIRST_RECORD,
	AT_RECORD,
	AT_RECORD_COMMA, /* or the end of the records */
	AT_END,
};

enum gathering { GATHER_NOTHING, GATHER_KEY, GATHER_VALUE, GATHER_RECORD };

enum member {
	MEMBER_OTHER = 0,
	MEMBER_TOTAL = 1,
	MEMBER_DONE = 2,
	MEMBER_NEXT = 4,
	MEMBER_RECORDS = 8
};

struct sf_page {
	struct record_page *page; /* owned until sf_page_end() */
	struct sf_node *root;     /* owned */
	struct json_tokener *tokener;
	enum place place;

	/* The value being gathered: how far its end is. */
	enum gathering gathering;
	unsigned depth;
	bool in_string, escaped;
	size_t members; /* ':' outside of strings: all members of all its objects */
	char *carry;    /* its bytes of earlier pieces */
	size_t carry_len, carry_size;

	enum member member; /* whose value comes next */
	unsigned seen;      /* members there have been */
	bool done;
};

struct sf_page *sf_page_new(struct mapping *mapping, const struct sf_shape *shape)
{
	struct sf_page *in = mem_new(struct sf_page);

	in->page = record_page_new(mapping);
	in->root = sf_plan_new(mapping, shape);
	in->tokener = sf_json_tokener();
	return in;
}

void sf_page_free(struct sf_page *in)
{
	if (!in)
		return;
	record_page_free(in->page);
	sf_plan_free(in->root);
	json_tokener_free(in->tokener);
	free(in->carry);
	free(in);
}

/* --- the envelope --- */

static bool take_slice(struct sf_page *in, const char *slice, size_t len, struct error *err);
static bool try_record(struct sf_page *in, const char **at, const char *end);
static bool take_record(struct sf_page *in, const char *slice, size_t len, struct error *err);

static bool protocol(struct error *err, const char *what)
{
	return error_set(err, ERROR_RETRY, "protocol",
			 "the answer of a query is not what Salesforce sends: %s", what);
}

static bool is_json_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void gather(struct sf_page *in, enum gathering what)
{
	in->gathering = what;
	in->depth = 0;
	in->in_string = false;
	in->escaped = false;
	in->members = 0;
	in->carry_len = 0;
}

/* One byte between values. `*ret_used` is false if it is the first of a value to be gathered. */
static bool step(struct sf_page *in, char c, bool *ret_used, struct error *err)
{
	*ret_used = true;
	switch (in->place) {
	case AT_START:
		if (c != '{')
			return error_set(err, ERROR_RETRY, "not-json",
					 "a login or maintenance page instead of JSON");
		in->place = AT_FIRST_KEY;
		return true;
	case AT_FIRST_KEY:
	case AT_KEY:
		if (c == '}' && in->place == AT_FIRST_KEY) {
			in->place = AT_END;
			return true;
		}
		if (c != '"')
			return protocol(err, "a key was expected");
		*ret_used = false;
		gather(in, GATHER_KEY);
		return true;
	case AT_COLON:
		if (c != ':')
			return protocol(err, "a colon was expected");
		in->place = in->member == MEMBER_RECORDS ? AT_RECORDS : AT_VALUE;
		return true;
	case AT_VALUE:
		if (strchr(",:]}", c))
			return protocol(err, "a value was expected");
		*ret_used = false;
		gather(in, GATHER_VALUE);
		return true;
	case AT_COMMA:
		if (c != ',' && c != '}')
			return protocol(err, "a comma was expected");
		in->place = c == ',' ? AT_KEY : AT_END;
		return true;
	case AT_RECORDS:
		if (c != '[')
			return protocol(err, "records is not an array");
		in->place = AT_FIRST_RECORD;
		return true;
	case AT_FIRST_RECORD:
	case AT_RECORD:
		if (c == ']' && in->place == AT_FIRST_RECORD) {
			in->place = AT_COMMA;
			return true;
		}
		if (c != '{')
			return protocol(err, "a record is not an object");
		*ret_used = false;
		gather(in, GATHER_RECORD);
		return true;
	case AT_RECORD_COMMA:
		if (c != ',' && c != ']')
			return protocol(err, "a comma was expected between records");
		in->place = c == ',' ? AT_RECORD : AT_COMMA;
		return true;
	case AT_END: return protocol(err, "it goes on behind its end");
	}
	return protocol(err, "no such place");
}

/* What a byte means to whoever looks for the end of a value. */
enum byte_class {
	BYTE_PLAIN,
	BYTE_QUOTE,
	BYTE_ESCAPE,
	BYTE_OPEN,
	BYTE_CLOSE,
	BYTE_COLON,
	BYTE_STOP,
	BYTE_CONTROL
};

static const unsigned char byte_classes[256] = {
	[0x00 ... 0x1f] = BYTE_CONTROL,
	['"'] = BYTE_QUOTE,
	['\\'] = BYTE_ESCAPE,
	['{'] = BYTE_OPEN,
	['['] = BYTE_OPEN,
	['}'] = BYTE_CLOSE,
	[']'] = BYTE_CLOSE,
	[':'] = BYTE_COLON,
	[','] = BYTE_STOP,
	[' '] = BYTE_STOP,
};

enum found { FOUND_NOTHING, FOUND_END, FOUND_STOP, FOUND_CONTROL };

/* Looks for the end of the value being gathered. FOUND_END: *at is its last byte. FOUND_STOP: *at
 * is the first byte behind it (a number or word has no end of its own). */
static enum found find_end(struct sf_page *in, const char **at, const char *end)
{
	for (const char *c = *at; c < end; c++) {
		enum byte_class class = byte_classes[(unsigned char)*c];

		if (class == BYTE_PLAIN && !in->escaped)
			continue;
		*at = c;
		if (in->in_string) {
			if (class == BYTE_CONTROL)
				return FOUND_CONTROL;
			if (in->escaped) {
				in->escaped = false;
			} else if (class == BYTE_ESCAPE) {
				in->escaped = true;
			} else if (class == BYTE_QUOTE) {
				in->in_string = false;
				if (!in->depth)
					return FOUND_END;
			}
			continue;
		}
		switch (class) {
		case BYTE_QUOTE: in->in_string = true; break;
		case BYTE_OPEN: in->depth++; break;
		case BYTE_CLOSE:
			if (!in->depth)
				return FOUND_STOP;
			if (!--in->depth)
				return FOUND_END;
			break;
		case BYTE_COLON: in->members++; break;
		case BYTE_CONTROL:
		case BYTE_STOP:
			if (!in->depth)
				return FOUND_STOP;
			break;
		case BYTE_PLAIN:
		case BYTE_ESCAPE: break;
		}
	}
	*at = end;
	return FOUND_NOTHING;
}

static bool carry(struct sf_page *in, const char *bytes, size_t len, struct error *err)
{
	size_t need = in->carry_len + len + 1;

	if (need > MOST_SLICE)
		return protocol(err, "a record of more than 4 MiB");
	if (need > in->carry_size) {
		in->carry_size = need > 2 * in->carry_size ? need + 1024 : 2 * in->carry_size;
		in->carry = mem_resize(in->carry, in->carry_size, 1);
	}
	memcpy(in->carry + in->carry_len, bytes, len);
	in->carry_len += len;
	in->carry[in->carry_len] = '\0';
	return true;
}

/* Goes on gathering at *at; moves it behind what belongs to the value. */
static bool gather_more(struct sf_page *in, const char **at, const char *end, struct error *err)
{
	const char *start = *at;
	enum found found = find_end(in, at, end);
	size_t len;

	if (found == FOUND_CONTROL)
		return protocol(err, "a control character in a string");
	if (found == FOUND_END)
		(*at)++;
	len = (size_t)(*at - start);
	if (found == FOUND_NOTHING)
		return carry(in, start, len, err);
	/* A record that came in one piece is parsed where it lies; scalars are few, and json-c
	 * wants a NUL behind a number. */
	if (in->gathering == GATHER_RECORD && !in->carry_len && len < MOST_SLICE)
		return take_slice(in, start, len, err);
	return carry(in, start, len, err) && take_slice(in, in->carry, in->carry_len, err);
}

static bool is_record_due(const struct sf_page *in)
{
	return in->place == AT_FIRST_RECORD || in->place == AT_RECORD;
}

bool sf_page_feed(struct sf_page *in, const char *bytes, size_t len, struct error *err)
{
	const char *at = bytes, *end = bytes + len;

	in->page->bytes += len;
	while (at < end) {
		bool used = true;

		if (in->gathering != GATHER_NOTHING) {
			if (!gather_more(in, &at, end, err))
				return false;
		} else if (is_json_space(*at)) {
			at++;
		} else if (*at == '{' && is_record_due(in) && try_record(in, &at, end)) {
			continue;
		} else if (!step(in, *at, &used, err)) {
			return false;
		} else if (used) {
			at++;
		}
	}
	return true;
}

struct record_page *sf_page_end(struct sf_page *in, struct error *err)
{
	const unsigned needed = MEMBER_TOTAL | MEMBER_DONE | MEMBER_RECORDS;

	if (in->place == AT_START)
		error_set(err, ERROR_RETRY, "not-json", "an empty answer instead of JSON");
	else if (in->place != AT_END)
		protocol(err, "it ends too early");
	else if ((in->seen & needed) != needed)
		protocol(err, "totalSize, done or records is missing");
	else if (in->done && in->page->next)
		protocol(err, "it is done and names a next page");
	else if (!in->done && !in->page->next)
		protocol(err, "it is not done and names no next page");
	else if (!in->done && !in->page->count)
		protocol(err, "it is not done and holds no records");
	else
		return TAKE(in->page);
	return NULL;
}

/* --- a value of the envelope --- */

static bool take_key(struct sf_page *in, const char *key, struct error *err);
static bool take_value(struct sf_page *in, struct json_object *value, struct error *err);

/* json-c's tree of a slice, checked; false with `err` if it is none. */
static bool parse_slice(struct sf_page *in, const char *slice, size_t len, bool has_nul,
			struct json_object **ret, struct error *err)
{
	json_tokener_reset(in->tokener);
	*ret = json_tokener_parse_ex(in->tokener, slice, (int)(len + has_nul));
	if (json_tokener_get_error(in->tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(in->tokener) != len)
		return protocol(err, "it is not valid JSON");
	return sf_json_members(*ret) == in->members ||
	       protocol(err, "a key stands in an object twice");
}

static bool take_slice(struct sf_page *in, const char *slice, size_t len, struct error *err)
{
	enum gathering what = in->gathering;
	struct json_object *made = NULL;
	bool ok;

	in->gathering = GATHER_NOTHING;
	in->carry_len = 0;
	if (what == GATHER_RECORD)
		return take_record(in, slice, len, err);
	ok = parse_slice(in, slice, len, true, &made, err);
	if (ok && what == GATHER_KEY)
		ok = take_key(in, json_object_get_string(made), err);
	else if (ok)
		ok = take_value(in, made, err);
	json_object_put(made);
	return ok;
}

/* A record that is whole in this piece and plain, as most are; moves behind it. */
static bool try_record(struct sf_page *in, const char **at, const char *end)
{
	struct record_page *page = in->page;
	const char *last = (size_t)(end - *at) < MOST_SLICE ? end : *at + MOST_SLICE;
	const char *behind =
		sf_record_scan(in->root, *at, last, page->arena, record_page_add(page));

	if (!behind) {
		page->count--;
		return false;
	}
	*at = behind;
	in->place = AT_RECORD_COMMA;
	return true;
}

static bool take_record(struct sf_page *in, const char *slice, size_t len, struct error *err)
{
	struct record_page *page = in->page;
	struct json_object *made = NULL;
	struct record *record;
	const char *at = slice;
	bool ok;

	if (try_record(in, &at, slice + len))
		return true;
	in->place = AT_RECORD_COMMA;
	record = record_page_add(page);
	ok = parse_slice(in, slice, len, false, &made, err) &&
	     sf_record_read(in->root, made, page->arena, record, err);
	if (record->reject)
		memset(record->values, 0, page->mapping->count * sizeof(*record->values));
	json_object_put(made);
	return ok;
}

static bool take_key(struct sf_page *in, const char *key, struct error *err)
{
	static const struct {
		const char *key;
		enum member member;
	} members[] = {
		{ "totalSize", MEMBER_TOTAL },
		{ "done", MEMBER_DONE },
		{ "nextRecordsUrl", MEMBER_NEXT },
		{ "records", MEMBER_RECORDS },
	};

	in->member = MEMBER_OTHER;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (strcmp(key, members[i].key) == 0)
			in->member = members[i].member;
	if (in->seen & in->member)
		return protocol(err, "a key stands in the envelope twice");
	in->seen |= in->member;
	in->place = AT_COLON;
	return true;
}

static bool take_next(struct sf_page *in, struct json_object *value, struct error *err)
{
	const char *path = json_object_get_string(value);

	/* A NUL inside would end the text before the check does. */
	if (!json_object_is_type(value, json_type_string) ||
	    strlen(path) != (size_t)json_object_get_string_len(value) || !url_is_server_path(path))
		return protocol(err, "nextRecordsUrl is not a path of the API");
	in->page->next = mem_strdup(path);
	return true;
}

static bool take_value(struct sf_page *in, struct json_object *value, struct error *err)
{
	in->place = AT_COMMA;
	switch (in->member) {
	case MEMBER_TOTAL:
		if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
			return protocol(err, "totalSize is not a count");
		in->page->total = json_object_get_int64(value);
		return true;
	case MEMBER_DONE:
		if (!json_object_is_type(value, json_type_boolean))
			return protocol(err, "done is not a boolean");
		in->done = json_object_get_boolean(value);
		return true;
	case MEMBER_NEXT: return take_next(in, value, err);
	case MEMBER_RECORDS:
	case MEMBER_OTHER: return true;
	}
	return true;
}
