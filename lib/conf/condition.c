#include "conf/condition.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

/* What would begin another clause, or ours a second time. */
static const char *const clauses[] = { "where", "order", "limit", "offset", "group", "having" };

/* Behind the quote that ends the literal at `text`; NULL if none does. */
static const char *skip_literal(const char *text)
{
	for (text++; *text && *text != '\''; text++)
		if (*text == '\\' && text[1])
			text++;
	return *text ? text + 1 : NULL;
}

/* A field's path, a word or a number. */
static size_t word_length(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || text[len] == '_' || text[len] == '.')
		len++;
	return len;
}

static const char *find_clause(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(clauses) / sizeof(clauses[0]); i++)
		if (strlen(clauses[i]) == len && strncasecmp(clauses[i], word, len) == 0)
			return clauses[i];
	return NULL;
}

static bool refuse(struct error *err, const char *why)
{
	return error_set(err, ERROR_HUMAN, "conf", "%s", why);
}

bool conf_condition_check(const char *text, struct error *err)
{
	int depth = 0;

	while (*text) {
		size_t len = word_length(text);
		const char *clause = depth == 0 ? find_clause(text, len) : NULL;

		if (clause)
			return error_set(
				err, ERROR_HUMAN, "conf",
				"expected one condition, without a clause of its own: `%s` "
				"does not belong here",
				clause);
		if (*text == '\'') {
			text = skip_literal(text);
			if (!text)
				return refuse(err, "a quote is not closed");
			continue;
		}
		if (*text == '"')
			return refuse(err, "SOQL quotes text with ', not with \"");
		depth += (*text == '(') - (*text == ')');
		if (depth < 0)
			return refuse(err, "a parenthesis is closed that was never opened");
		text += len ? len : 1;
	}
	return depth == 0 || refuse(err, "a parenthesis is not closed");
}
