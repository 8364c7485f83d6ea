/* denial.c - in order: the codes, the list, meeting one. */
#include "denial.h"

#include <stdio.h>

#include "json_in.h"
#include "mem.h"
#include "problem.h"
#include "schema.h"
#include "sfid.h"
#include "text.h"
#include "values.h"

/* What is said with a code when the test says nothing else. */
static const struct {
	const char *code;
	int status;
	const char *message;
} codes[] = {
	{ "UNABLE_TO_LOCK_ROW", 400,
	  "unable to obtain exclusive access to this record or 1 records: " },
	{ "ENTITY_IS_LOCKED", 400, "the entity is locked for editing" },
	{ "STORAGE_LIMIT_EXCEEDED", 403, "storage limit exceeded" },
	{ "INSUFFICIENT_ACCESS_OR_READONLY", 403, "insufficient access rights on object id" },
	{ "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", 400,
	  "insufficient access rights on cross-reference id" },
	{ "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", 400,
	  "PersonTrigger: execution of BeforeUpdate caused by: System.DmlException: "
	  "UNABLE_TO_LOCK_ROW" },
	{ "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", 400,
	  "The org is read-only during maintenance" },
	{ "DELETE_FAILED", 400, "Your attempt to delete the record could not be completed" },
	{ "SERVER_UNAVAILABLE", 503, "Server unavailable" },
	{ "UNKNOWN_EXCEPTION", 500, "An unexpected error occurred" },
	{ "FORBIDDEN", 403, "You do not have access to this object" },
	{ "INSUFFICIENT_ACCESS", 403, "You do not have access to this object" },
	{ "TXN_SECURITY_NO_ACCESS", 403, "The operation is blocked by a security policy" },
};

struct denial {
	struct problem problem;
	char code[64];
	bool is_lock;             /* its message ends with the id */
	const struct sobject *of; /* of these, NULL is any */
	bool what[3];
	char id[SFID_SIZE]; /* empty: any */
	const struct field *field;
	int64_t left, every, seen;
	struct json_object *spec; /* owned */
	struct denial *next;
};

static struct denial *denials;

void denial_clear(void)
{
	while (denials) {
		struct denial *next = denials->next;

		json_object_put(denials->spec);
		free(denials);
		denials = next;
	}
}

static bool read_what(struct json_object *from, struct denial *out)
{
	static const char *const names[] = { "create", "update", "delete" };
	const char *on = json_in_text(from, "on");
	bool any = false;

	for (size_t i = 0; i < 3; i++) {
		out->what[i] = !on || strcmp(on, names[i]) == 0;
		any = any || out->what[i];
	}
	return any;
}

static bool read_where(struct json_object *from, struct denial *out)
{
	const char *object = json_in_text(from, "object"), *id = json_in_text(from, "id");
	const char *field = json_in_text(from, "field");

	if (id && !sfid_parse(id, strlen(id), out->id))
		return false;
	out->of = object ? schema_find(object, strlen(object))
		  : id   ? schema_by_prefix(out->id)
			 : NULL;
	if ((object || id) && !out->of)
		return false;
	out->field = field && out->of ? schema_field(out->of, field, strlen(field)) : NULL;
	return !field || out->field;
}

static void word(struct json_object *from, struct denial *out)
{
	const char *code = json_in_text(from, "code"), *message = json_in_text(from, "message");
	int status = 400;

	snprintf(out->code, sizeof(out->code), "%s", code);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strcmp(codes[i].code, code) != 0)
			continue;
		status = codes[i].status;
		out->is_lock = i == 0 && !message;
		message = message ? message : codes[i].message;
	}
	problem_set(&out->problem, (int)json_in_int(from, "status", status), out->code, "%s",
		    message ? message : code);
	out->problem.has_fields = true;
	if (out->field)
		out->problem.fields[out->problem.field_count++] = out->field->name;
}

bool denial_add(struct json_object *from, const char **why)
{
	struct denial *out = mem_new(sizeof(*out)), **end = &denials;

	*out = (struct denial){ .left = json_in_int(from, "times", -1),
				.every = json_in_int(from, "every", 1) };
	*why = "give code, and on, object, id or field that are known";
	if (!json_in_text(from, "code") || out->every < 1 || !read_what(from, out) ||
	    !read_where(from, out)) {
		free(out);
		return false;
	}
	word(from, out);
	out->spec = json_object_get(from);
	while (*end)
		end = &(*end)->next;
	*end = out;
	return true;
}

void denial_write(struct text *out)
{
	text_word(out, "{\"denials\":[");
	for (const struct denial *at = denials; at; at = at->next)
		text_printf(out, "{\"remaining\":%lld,\"denial\":%s}%s", (long long)at->left,
			    json_object_to_json_string_ext(at->spec, JSON_C_TO_STRING_PLAIN),
			    at->next ? "," : "");
	text_word(out, "]}");
}

static bool meets(struct denial *in, enum denial_of what, const struct sobject *of, const char *id,
		  const struct values *values)
{
	if (!in->left || !in->what[what] || (in->of && in->of != of) ||
	    (*in->id && (!id || strcmp(in->id, id) != 0)) ||
	    (in->field && (!values || !values_find(values, in->field))))
		return false;
	return ++in->seen % in->every == 0;
}

bool denial_allows(enum denial_of what, const struct sobject *of, const char *id,
		   const struct values *values, struct problems *err)
{
	for (struct denial *at = denials; at; at = at->next) {
		struct problem *told = &err->list[0];

		if (!meets(at, what, of, id, values))
			continue;
		at->left -= at->left > 0;
		*told = at->problem;
		told->code = at->code;
		err->count = 1;
		if (at->is_lock && id)
			snprintf(told->message + strlen(told->message),
				 sizeof(told->message) - strlen(told->message), "%.15s", id);
		return false;
	}
	return true;
}
