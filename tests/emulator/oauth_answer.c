/* oauth_answer.c */
#include "oauth_answer.h"

#include <strings.h>

#include "call.h"
#include "markup.h"
#include "refusal.h"

static enum oauth_form wanted(const struct call *call, const struct params *form)
{
	const char *format = form ? params_find(form, "format") : NULL;
	const char *accepted = call_header(call, "Accept");

	if (!format)
		format = call_param(call, "format");
	if (format && strcmp(format, "xml") == 0)
		return OAUTH_XML;
	if (format && strcmp(format, "urlencoded") == 0)
		return OAUTH_URLENCODED;
	if (format || !accepted)
		return OAUTH_JSON;
	if (strncasecmp(accepted, "application/xml", 15) == 0)
		return OAUTH_XML;
	if (strncasecmp(accepted, "application/x-www-form-urlencoded", 33) == 0)
		return OAUTH_URLENCODED;
	return OAUTH_JSON;
}

struct oauth_answer oauth_answer_begin(struct call *call, const struct params *form)
{
	struct oauth_answer out = { call, wanted(call, form), 0 };

	switch (out.form) {
	case OAUTH_JSON: text_char(&call->out, '{'); break;
	case OAUTH_URLENCODED:
		call->type = "application/x-www-form-urlencoded;charset=UTF-8";
		break;
	case OAUTH_XML:
		call->type = "application/xml;charset=UTF-8";
		text_word(&call->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><OAuth>");
		break;
	}
	return out;
}

void oauth_answer_add(struct oauth_answer *in, const char *name, const char *value)
{
	struct text *out = &in->call->out;
	bool is_first = in->count++ == 0;

	switch (in->form) {
	case OAUTH_JSON:
		text_printf(out, "%s\"%s\":", is_first ? "" : ",", name);
		text_json_word(out, value);
		break;
	case OAUTH_URLENCODED:
		text_printf(out, "%s%s=", is_first ? "" : "&", name);
		params_encode(value, out);
		break;
	case OAUTH_XML:
		text_printf(out, "<%s>", name);
		markup_escape(value, out);
		text_printf(out, "</%s>", name);
		break;
	}
}

void oauth_answer_end(struct oauth_answer *in)
{
	switch (in->form) {
	case OAUTH_JSON: text_char(&in->call->out, '}'); break;
	case OAUTH_URLENCODED: break;
	case OAUTH_XML: text_word(&in->call->out, "</OAuth>"); break;
	}
}

void oauth_answer_refuse(struct call *call, const struct params *form, const struct refusal *why)
{
	struct oauth_answer answer;

	call->out.used = 0;
	call->status = 400;
	answer = oauth_answer_begin(call, form);
	oauth_answer_add(&answer, "error", why->error);
	oauth_answer_add(&answer, "error_description", why->description);
	oauth_answer_end(&answer);
}
