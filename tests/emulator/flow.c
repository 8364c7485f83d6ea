/* flow.c */
#include "flow.h"

#include <ctype.h>

#include "condition.h"
#include "json_in.h"
#include "mem.h"
#include "problem.h"
#include "schema.h"
#include "text.h"

struct flow {
	const struct sobject *of;
	struct condition when;
	struct values set;
	struct json_object *spec; /* owned */
	struct flow *next;
};

static struct flow *flows;

static void free_flow(struct flow *in)
{
	condition_free(&in->when);
	values_free(&in->set);
	json_object_put(in->spec);
	free(in);
}

void flow_clear(void)
{
	while (flows) {
		struct flow *next = flows->next;

		free_flow(flows);
		flows = next;
	}
}

static bool read_set(struct flow *in, struct json_object *from)
{
	struct json_object *set;
	struct problems err = { 0 };

	if (!json_object_object_get_ex(from, "set", &set))
		return json_object_object_get_ex(from, "upper", NULL);
	return json_object_is_type(set, json_type_object) &&
	       values_read(in->of, set, &in->set, &err) && values_check_formats(&in->set, &err);
}

bool flow_add(struct json_object *from, const char **why)
{
	const char *name = json_in_text(from, "object");
	const struct sobject *of = name ? schema_find(name, strlen(name)) : NULL;
	struct json_object *when = NULL;
	struct flow *flow, **end = &flows;

	*why = "give object, and set with values that fit, or upper";
	if (!of)
		return false;
	json_object_object_get_ex(from, "when", &when);
	flow = mem_new(sizeof(*flow));
	*flow = (struct flow){ .of = of, .spec = json_object_get(from) };
	if (!read_set(flow, from) || !condition_read(of, when, &flow->when, why)) {
		free_flow(flow);
		return false;
	}
	while (*end)
		end = &(*end)->next;
	*end = flow;
	return true;
}

void flow_write(struct text *out)
{
	text_word(out, "{\"flows\":[");
	for (const struct flow *at = flows; at; at = at->next)
		text_printf(out, "%s%s",
			    json_object_to_json_string_ext(at->spec, JSON_C_TO_STRING_PLAIN),
			    at->next ? "," : "");
	text_word(out, "]}");
}

static void upper(const struct flow *in, struct values *values)
{
	const char *name = json_in_text(in->spec, "upper");
	const struct field *field = name ? schema_field(in->of, name, strlen(name)) : NULL;
	struct value *value = field ? values_find(values, field) : NULL;

	for (char *at = value && value->text ? value->text : ""; *at; at++)
		*at = (char)toupper((unsigned char)*at);
}

void flow_run(const struct sobject *of, int64_t row, struct values *values)
{
	for (const struct flow *at = flows; at; at = at->next) {
		if (at->of != of || !condition_holds(&at->when, of, row, values))
			continue;
		for (size_t i = 0; i < at->set.count; i++)
			values_set(values, &at->set.list[i]);
		upper(at, values);
	}
}
