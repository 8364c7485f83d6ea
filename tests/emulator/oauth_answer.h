/* oauth_answer.h - an answer of names and values, in the form the client wants: JSON, urlencoded or
 * XML. */
#pragma once

struct call;
struct params;
struct refusal;

enum oauth_form { OAUTH_JSON, OAUTH_URLENCODED, OAUTH_XML };

struct oauth_answer {
	struct call *call;
	enum oauth_form form;
	unsigned count;
};

/* The parameter `format` decides, then Accept. `form` may be NULL. */
struct oauth_answer oauth_answer_begin(struct call *call, const struct params *form);
void oauth_answer_add(struct oauth_answer *in, const char *name, const char *value);
void oauth_answer_end(struct oauth_answer *in);

/* Status 400, throwing away what was written before. */
void oauth_answer_refuse(struct call *call, const struct params *form, const struct refusal *why);
