/* sf_page.c - in order: the envelope, byte by byte; the end of a value; a record and its fields.
 *
 *     {"totalSize":N,"done":B,"nextRecordsUrl":"/services/...","records":[{...},{...}]}
 *
 * Only the envelope is read here by hand. Whatever stands in it is cut out where it ends and given
 * to json-c, which is the judge of what is JSON. */
#include "salesforce/sf_page.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utc.h"
#include "http/url.h"
#include "record/mapping.h"
#include "record/record.h"

#define MOST_SLICE ((size_t)4 * 1024 * 1024)
#define MOST_DEPTH 32

/* What a member of a record is for. One field may be both a system field and mapped. */
enum role { ROLE_NONE, ROLE_ID, ROLE_STAMP, ROLE_DELETED, ROLE_MASTER };

/* The keys that were asked for, in the order of the query, as a tree: "Owner.Email" is a node Owner
 * with a node Email below. */
struct node {
	char *key;
	enum role role;
	const struct mapping_field *field; /* NULL if only a system field or a relationship */
	size_t value;                      /* index of the field's value in the record */
	struct node *children;
	size_t count;
};

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
	struct node root;
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

/* --- the plan --- */

static struct node *find_child(const struct node *in, const char *key, size_t len)
{
	for (size_t i = 0; i < in->count; i++)
		if (strncmp(in->children[i].key, key, len) == 0 && !in->children[i].key[len])
			return &in->children[i];
	return NULL;
}

static struct node *plan_key(struct node *in, const char *key, size_t len)
{
	struct node *child = find_child(in, key, len);

	if (child)
		return child;
	in->children = mem_resize(in->children, in->count + 1, sizeof(*in->children));
	child = &in->children[in->count++];
	*child = (struct node){ .key = mem_strndup(key, len) };
	return child;
}

static void plan_system(struct node *root, const char *key, enum role role)
{
	plan_key(root, key, strlen(key))->role = role;
}

static void plan_field(struct node *root, const struct mapping_field *field, size_t value)
{
	const char *path = field->field;
	struct node *node = root;

	for (const char *dot; (dot = strchr(path, '.')); path = dot + 1)
		node = plan_key(node, path, (size_t)(dot - path));
	node = plan_key(node, path, strlen(path));
	node->field = field;
	node->value = value;
}

static void free_node(struct node *in)
{
	for (size_t i = 0; i < in->count; i++) {
		free_node(&in->children[i]);
		free(in->children[i].key);
	}
	free(in->children);
}

struct sf_page *sf_page_new(struct mapping *mapping, const struct sf_shape *shape)
{
	struct sf_page *in = mem_new(struct sf_page);

	in->page = record_page_new(mapping);
	plan_system(&in->root, "Id", ROLE_ID);
	if (shape->stamp_field)
		plan_system(&in->root, shape->stamp_field, ROLE_STAMP);
	if (shape->has_deleted)
		plan_system(&in->root, "IsDeleted", ROLE_DELETED);
	if (shape->has_master)
		plan_system(&in->root, "MasterRecordId", ROLE_MASTER);
	for (size_t i = 0; i < mapping->count && !shape->ids_only; i++)
		plan_field(&in->root, &mapping->fields[i], i);
	in->tokener = json_tokener_new_ex(MOST_DEPTH);
	if (!in->tokener)
		abort();
	json_tokener_set_flags(in->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	return in;
}

void sf_page_free(struct sf_page *in)
{
	if (!in)
		return;
	record_page_free(in->page);
	free_node(&in->root);
	json_tokener_free(in->tokener);
	free(in->carry);
	free(in);
}

/* --- the envelope --- */

static bool take_slice(struct sf_page *in, const char *slice, size_t len, struct error *err);

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
	else
		return TAKE(in->page);
	return NULL;
}

/* --- a value of the envelope --- */

static bool take_key(struct sf_page *in, const char *key, struct error *err);
static bool take_value(struct sf_page *in, struct json_object *value, struct error *err);
static bool take_record(struct sf_page *in, struct json_object *record, struct error *err);

/* Members of all objects below: fewer than colons means that a key stood there twice, of which
 * json-c keeps the last. */
static size_t count_members(struct json_object *in)
{
	size_t count = 0;

	if (json_object_is_type(in, json_type_object)) {
		json_object_object_foreach(in, key, value)
		{
			(void)key;
			count += 1 + count_members(value);
		}
	} else if (json_object_is_type(in, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(in); i++)
			count += count_members(json_object_array_get_idx(in, i));
	}
	return count;
}

static bool take_slice(struct sf_page *in, const char *slice, size_t len, struct error *err)
{
	enum gathering what = in->gathering;
	bool has_nul = what != GATHER_RECORD;
	struct json_object *made;
	bool ok = false;

	json_tokener_reset(in->tokener);
	made = json_tokener_parse_ex(in->tokener, slice, (int)(len + has_nul));
	in->gathering = GATHER_NOTHING;
	in->carry_len = 0;
	if (json_tokener_get_error(in->tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(in->tokener) != len)
		protocol(err, "it is not valid JSON");
	else if (count_members(made) != in->members)
		protocol(err, "a key stands in an object twice");
	else if (what == GATHER_KEY)
		ok = take_key(in, json_object_get_string(made), err);
	else if (what == GATHER_VALUE)
		ok = take_value(in, made, err);
	else
		ok = take_record(in, made, err);
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

/* --- a record --- */

struct taking {
	struct sf_page *page;
	struct record *record;
	struct error *err;
};

static void reject(struct taking *in, const struct node *node, const char *why)
{
	struct arena *arena = in->page->page->arena;
	struct error *reason;

	if (in->record->reject)
		return;
	reason = arena_take(arena, sizeof(*reason));
	error_set(reason, ERROR_RECORD, "bad-value", "%s: %s", node->field->field, why);
	in->record->reject = reason;
	in->record->reject_field =
		arena_copy(arena, node->field->field, strlen(node->field->field));
}

/* What json-c makes of whole numbers that do not fit into its 64 bits. */
static bool is_saturated(const char *text)
{
	return strcmp(text, "18446744073709551615") == 0 ||
	       strcmp(text, "-9223372036854775808") == 0;
}

/* The text of a JSON value that may stand for a field of this type; false if it may not. json-c
 * keeps the source text of a double, so no digit of it is lost. */
static bool raw_text(struct json_object *value, enum value_type type, const char **ret, size_t *len)
{
	enum json_type got = json_object_get_type(value);
	bool is_number = type == VALUE_INTEGER || type == VALUE_DECIMAL;

	switch (got) {
	case json_type_null:
		*ret = NULL;
		*len = 0;
		return true;
	case json_type_string:
		*ret = json_object_get_string(value);
		*len = (size_t)json_object_get_string_len(value);
		return !is_number && type != VALUE_BOOLEAN;
	case json_type_boolean:
		*ret = json_object_get_boolean(value) ? "1" : "0";
		*len = 1;
		return type == VALUE_BOOLEAN;
	case json_type_double:
	case json_type_int:
		*ret = json_object_to_json_string_length(value, JSON_C_TO_STRING_PLAIN, len);
		return is_number && !(got == json_type_int && is_saturated(*ret));
	case json_type_object:
	case json_type_array: break;
	}
	return false;
}

static void take_field(struct taking *in, const struct node *node, struct json_object *value)
{
	struct arena *arena = in->page->page->arena;
	struct value made;
	struct error why;
	const char *raw;
	size_t len;

	if (!raw_text(value, node->field->type, &raw, &len)) {
		reject(in, node, "a JSON value of another type, or a number of too many digits");
		return;
	}
	if (!value_canonical(node->field->type, node->field->scale, raw, len, arena, &made, &why)) {
		reject(in, node, why.text);
		return;
	}
	/* Borrowed from the JSON object, which ends with this record. */
	if (raw && made.text >= raw && made.text <= raw + len)
		made.text = arena_copy(arena, made.text, made.len);
	in->record->values[node->value] = made;
}

static bool take_id(struct taking *in, struct json_object *value, const char **ret)
{
	char id[19];

	if (!json_object_is_type(value, json_type_string) ||
	    !value_id18(json_object_get_string(value), (size_t)json_object_get_string_len(value),
			id))
		return protocol(in->err, "a record's Id is no id");
	*ret = arena_copy(in->page->page->arena, id, 18);
	return true;
}

static bool take_system(struct taking *in, const struct node *node, struct json_object *value)
{
	switch (node->role) {
	case ROLE_NONE: return true;
	case ROLE_ID: return take_id(in, value, &in->record->id);
	case ROLE_MASTER: return !value || take_id(in, value, &in->record->master_id);
	case ROLE_STAMP:
		if (!json_object_is_type(value, json_type_string) ||
		    !utc_parse(json_object_get_string(value),
			       (size_t)json_object_get_string_len(value), &in->record->stamp_ms))
			return protocol(in->err, "a record's stamp is no time");
		return true;
	case ROLE_DELETED:
		if (!json_object_is_type(value, json_type_boolean))
			return protocol(in->err, "IsDeleted is not a boolean");
		in->record->deleted = json_object_get_boolean(value);
		return true;
	}
	return true;
}

static bool take_object(struct taking *in, const struct node *node, struct json_object *object);

/* All below a relationship that is null is null. */
static void take_nothing(struct taking *in, const struct node *node)
{
	for (size_t i = 0; i < node->count; i++) {
		if (node->children[i].field)
			take_field(in, &node->children[i], NULL);
		take_nothing(in, &node->children[i]);
	}
}

static bool take_member(struct taking *in, const struct node *node, struct json_object *value)
{
	if (node->count) {
		if (!value)
			take_nothing(in, node);
		else if (!json_object_is_type(value, json_type_object))
			return protocol(in->err, "a relationship is not an object");
		else if (!take_object(in, node, value))
			return false;
	}
	if (node->field)
		take_field(in, node, value);
	return take_system(in, node, value);
}

/* Keys come in the order of the query, so the expected one is tried first. Each child is met at
 * most once, for an object has no key twice; so their number tells whether one is missing. */
static bool take_object(struct taking *in, const struct node *node, struct json_object *object)
{
	size_t met = 0, expected = 0;

	json_object_object_foreach(object, key, value)
	{
		const struct node *child = NULL;

		if (expected < node->count && strcmp(node->children[expected].key, key) == 0)
			child = &node->children[expected];
		else
			child = find_child(node, key, strlen(key));
		if (!child)
			continue;
		expected = (size_t)(child - node->children) + 1;
		met++;
		if (!take_member(in, child, value))
			return false;
	}
	return met == node->count || protocol(in->err, "a record lacks a field that was asked for");
}

static bool take_record(struct sf_page *in, struct json_object *record, struct error *err)
{
	struct taking taking = { in, record_page_add(in->page), err };

	in->place = AT_RECORD_COMMA;
	if (!take_object(&taking, &in->root, record))
		return false;
	if (taking.record->reject)
		memset(taking.record->values, 0,
		       in->page->mapping->count * sizeof(*taking.record->values));
	return true;
}
