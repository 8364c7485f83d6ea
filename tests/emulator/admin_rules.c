/* admin_rules.c - what an administrator sets up: rules, validations, flows, denials. */
#include "admin.h"

#include <string.h>

#include "call.h"
#include "denial.h"
#include "flow.h"
#include "json_in.h"
#include "rules.h"
#include "validation.h"

void admin_set_rules(struct call *call, struct json_object *in)
{
	const char *duplicates = json_in_text(in, "duplicates");
	enum rules_duplicates how = RULES_DUPLICATES_OFF;

	if (duplicates && strcmp(duplicates, "block") == 0)
		how = RULES_DUPLICATES_BLOCK;
	else if (json_in_bool(in, "duplicates"))
		how = RULES_DUPLICATES_ALERT;
	rules_set(how, json_in_bool(in, "assignment"));
	text_word(&call->out, "{\"ok\":true}");
}

static void add(struct call *call, struct json_object *in,
		bool (*adder)(struct json_object *from, const char **why),
		void (*writer)(struct text *out))
{
	const char *why = "";

	if (adder(in, &why))
		writer(&call->out);
	else
		call_error(call, 400, "EMULATOR", why);
}

void admin_add_validation(struct call *call, struct json_object *in)
{
	add(call, in, validation_add, validation_write);
}

void admin_add_flow(struct call *call, struct json_object *in)
{
	add(call, in, flow_add, flow_write);
}

void admin_add_denial(struct call *call, struct json_object *in)
{
	add(call, in, denial_add, denial_write);
}

void admin_write_validations(struct call *call)
{
	validation_write(&call->out);
}

void admin_write_flows(struct call *call)
{
	flow_write(&call->out);
}

void admin_write_denials(struct call *call)
{
	denial_write(&call->out);
}

void admin_clear_validations(struct call *call)
{
	validation_clear();
	validation_write(&call->out);
}

void admin_clear_flows(struct call *call)
{
	flow_clear();
	flow_write(&call->out);
}

void admin_clear_denials(struct call *call)
{
	denial_clear();
	denial_write(&call->out);
}
