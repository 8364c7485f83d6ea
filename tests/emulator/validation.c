/* validation.c */
#include "validation.h"

#include "condition.h"
#include "json_in.h"
#include "mem.h"
#include "problem.h"
#include "schema.h"
#include "text.h"

struct rule {
	const struct sobject *of;
	struct condition when;
	const struct field *at;   /* where the message is shown; NULL: at the top of the page */
	struct json_object *spec; /* owned */
	struct rule *next;
};

static struct rule *rules;

void validation_clear(void)
{
	while (rules) {
		struct rule *next = rules->next;

		condition_free(&rules->when);
		json_object_put(rules->spec);
		free(rules);
		rules = next;
	}
}

bool validation_add(struct json_object *from, const char **why)
{
	const char *name = json_in_text(from, "object"), *at = json_in_text(from, "at");
	const struct sobject *of = name ? schema_find(name, strlen(name)) : NULL;
	struct rule made = { .of = of }, *rule, **end = &rules;

	*why = "give object, and message";
	if (!of || !json_in_text(from, "message") || !condition_read(of, from, &made.when, why))
		return false;
	made.at = at ? schema_field(of, at, strlen(at)) : NULL;
	made.spec = json_object_get(from);
	rule = mem_new(sizeof(*rule));
	*rule = made;
	while (*end)
		end = &(*end)->next;
	*end = rule;
	return true;
}

void validation_write(struct text *out)
{
	text_word(out, "{\"validations\":[");
	for (const struct rule *at = rules; at; at = at->next)
		text_printf(out, "%s%s",
			    json_object_to_json_string_ext(at->spec, JSON_C_TO_STRING_PLAIN),
			    at->next ? "," : "");
	text_word(out, "]}");
}

bool validation_allows(const struct sobject *of, int64_t row, const struct values *values,
		       struct problems *err)
{
	for (const struct rule *at = rules; at; at = at->next)
		if (at->of == of && condition_holds(&at->when, of, row, values))
			problem_add(err, "FIELD_CUSTOM_VALIDATION_EXCEPTION",
				    at->at ? at->at->name : NULL, "%s",
				    json_in_text(at->spec, "message"));
	return err->count == 0;
}
