/* soql_parse.c - in order: the clauses, the condition tree, errors, freeing. */
#include "soql.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "problem.h"

#define SOQL_MAX  100000 /* characters */
#define DEPTH_MAX 200

struct parser {
	const char *source;
	const char *at; /* behind `token` */
	struct soql_token token;
	struct problem *err;
	int depth;
};

static struct soql_node *parse_logic(struct parser *in);

static void advance(struct parser *in)
{
	in->token = soql_next_token(&in->at);
}

static bool is_word(const struct parser *in, const char *word)
{
	return in->token.kind == SOQL_NAME && soql_is(in->token.text, word);
}

static bool is_symbol(const struct parser *in, const char *symbol)
{
	return in->token.kind == SOQL_SYMBOL && soql_is(in->token.text, symbol);
}

static bool take_word(struct parser *in, const char *word)
{
	if (!is_word(in, word))
		return false;
	advance(in);
	return true;
}

static bool take_symbol(struct parser *in, const char *symbol)
{
	if (!is_symbol(in, symbol))
		return false;
	advance(in);
	return true;
}

static bool unexpected(struct parser *in)
{
	struct soql_slice text = in->token.text;

	if (in->token.kind == SOQL_END)
		return soql_fail(in->err, in->source, text.at, "MALFORMED_QUERY",
				 "unexpected token: '<EOF>'");
	return soql_fail(in->err, in->source, text.at, "MALFORMED_QUERY",
			 "unexpected token: '%.*s'", (int)(text.length > 60 ? 60 : text.length),
			 text.at);
}

static bool take_name(struct parser *in, struct soql_slice *out)
{
	if (in->token.kind != SOQL_NAME)
		return unexpected(in);
	*out = in->token.text;
	advance(in);
	return true;
}

static bool is_reserved(const struct parser *in)
{
	static const char *const words[] = { "from",   "where",    "order",    "limit", "offset",
					     "group",  "with",     "using",    "for",   "all",
					     "having", "and",      "or",       "not",   "like",
					     "in",     "nulls",    "asc",      "desc",  "by",
					     "update", "includes", "excludes", NULL };

	for (size_t i = 0; words[i]; i++)
		if (is_word(in, words[i]))
			return true;
	return false;
}

static bool parse_function(struct parser *in, struct soql_select *out)
{
	advance(in); /* the opening parenthesis */
	if (soql_is(out->field, "count") && take_symbol(in, ")")) {
		out->kind = SOQL_COUNT;
		return true;
	}
	out->function = out->field;
	out->kind = soql_is(out->function, "fields") ? SOQL_FIELDS : SOQL_AGGREGATE;
	if (!take_name(in, &out->field))
		return false;
	return take_symbol(in, ")") || unexpected(in);
}

static bool parse_selects(struct parser *in, struct soql *out)
{
	do {
		struct soql_select one = { .kind = SOQL_FIELD };

		if (is_reserved(in) || !take_name(in, &one.field))
			return in->err->code ? false : unexpected(in);
		if (is_symbol(in, "(") && !parse_function(in, &one))
			return false;
		if (one.kind == SOQL_AGGREGATE && in->token.kind == SOQL_NAME && !is_reserved(in) &&
		    !take_name(in, &one.alias))
			return false;
		out->selects = mem_grow(out->selects, (out->select_count + 1) * sizeof(one));
		out->selects[out->select_count++] = one;
	} while (take_symbol(in, ","));
	return true;
}

static bool parse_value(struct parser *in, struct soql_node *into)
{
	struct soql_value one = { .kind = in->token.kind, .text = in->token.text };

	if (one.kind == SOQL_END || one.kind == SOQL_SYMBOL || one.kind == SOQL_BAD)
		return unexpected(in);
	if (one.kind == SOQL_NAME && is_reserved(in))
		return unexpected(in);
	advance(in);
	if (one.kind == SOQL_NAME && take_symbol(in, ":")) {
		if (in->token.kind != SOQL_NUMBER)
			return unexpected(in);
		one.count = in->token.text;
		advance(in);
	}
	into->values = mem_grow(into->values, (into->value_count + 1) * sizeof(one));
	into->values[into->value_count++] = one;
	return true;
}

static bool parse_list(struct parser *in, struct soql_node *into)
{
	if (!take_symbol(in, "("))
		return unexpected(in);
	do {
		if (!parse_value(in, into))
			return false;
	} while (take_symbol(in, ","));
	return take_symbol(in, ")") || unexpected(in);
}

static bool parse_compare(struct parser *in, enum soql_compare *out)
{
	static const struct {
		const char *text;
		enum soql_compare compare;
	} known[] = { { "=", SOQL_EQ },  { "!=", SOQL_NE }, { "<>", SOQL_NE }, { "<", SOQL_LT },
		      { "<=", SOQL_LE }, { ">", SOQL_GT },  { ">=", SOQL_GE } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (take_symbol(in, known[i].text)) {
			*out = known[i].compare;
			return true;
		}
	}
	if (take_word(in, "like")) {
		*out = SOQL_LIKE;
	} else if (take_word(in, "in")) {
		*out = SOQL_IN;
	} else if (take_word(in, "not")) {
		*out = SOQL_NOT_IN;
		return take_word(in, "in") || unexpected(in);
	} else {
		return unexpected(in);
	}
	return true;
}

static void free_node(struct soql_node *in)
{
	if (!in)
		return;
	free_node(in->left);
	free_node(in->right);
	free(in->values);
	free(in);
}

static struct soql_node *parse_condition(struct parser *in)
{
	struct soql_node *out;
	bool good;

	if (take_symbol(in, "(")) {
		out = parse_logic(in);
		if (out && !take_symbol(in, ")")) {
			unexpected(in);
			free_node(out);
			out = NULL;
		}
		return out;
	}
	out = mem_new(sizeof(*out));
	out->kind = SOQL_CONDITION;
	good = is_reserved(in) ? unexpected(in) : take_name(in, &out->field);
	good = good && parse_compare(in, &out->compare);
	if (good)
		good = out->compare == SOQL_IN || out->compare == SOQL_NOT_IN
			       ? parse_list(in, out)
			       : parse_value(in, out);
	if (good)
		return out;
	free_node(out);
	return NULL;
}

static struct soql_node *join(enum soql_node_kind kind, struct soql_node *left,
			      struct soql_node *right)
{
	struct soql_node *out = mem_new(sizeof(*out));

	*out = (struct soql_node){ .kind = kind, .left = left, .right = right };
	return out;
}

static struct soql_node *parse_chain(struct parser *in)
{
	struct soql_node *out, *next;
	const char *word;
	enum soql_node_kind kind;

	if (take_word(in, "not")) {
		out = parse_condition(in);
		return out ? join(SOQL_NOT, out, NULL) : NULL;
	}
	out = parse_condition(in);
	if (!out || (!is_word(in, "and") && !is_word(in, "or")))
		return out;
	kind = is_word(in, "and") ? SOQL_AND : SOQL_OR;
	word = kind == SOQL_AND ? "and" : "or";
	while (take_word(in, word)) {
		next = parse_condition(in);
		if (!next) {
			free_node(out);
			return NULL;
		}
		out = join(kind, out, next);
	}
	return out;
}

static struct soql_node *parse_logic(struct parser *in)
{
	struct soql_node *out;

	if (++in->depth > DEPTH_MAX) {
		problem_set(in->err, 400, "QUERY_TOO_COMPLICATED",
			    "Query is either selecting too "
			    "many fields or the filter conditions are too complicated.");
		return NULL;
	}
	out = parse_chain(in);
	in->depth--;
	return out;
}

static bool parse_orders(struct parser *in, struct soql *out)
{
	if (!take_word(in, "by"))
		return unexpected(in);
	do {
		struct soql_order one = { 0 };

		if (!take_name(in, &one.field))
			return false;
		if (take_word(in, "desc"))
			one.descending = true;
		else
			take_word(in, "asc");
		if (take_word(in, "nulls")) {
			if (take_word(in, "first"))
				one.nulls = SOQL_NULLS_FIRST;
			else if (take_word(in, "last"))
				one.nulls = SOQL_NULLS_LAST;
			else
				return unexpected(in);
		}
		out->orders = mem_grow(out->orders, (out->order_count + 1) * sizeof(one));
		out->orders[out->order_count++] = one;
	} while (take_symbol(in, ","));
	return true;
}

static bool parse_number(struct parser *in, int64_t *out)
{
	*out = 0;
	if (in->token.kind != SOQL_NUMBER || in->token.text.length > 9)
		return unexpected(in);
	for (size_t i = 0; i < in->token.text.length; i++) {
		char one = in->token.text.at[i];

		if (one < '0' || one > '9')
			return unexpected(in);
		*out = *out * 10 + (one - '0');
	}
	advance(in);
	return true;
}

static bool parse_query(struct parser *in, struct soql *out)
{
	if (!take_word(in, "select") || !parse_selects(in, out))
		return in->err->code ? false : unexpected(in);
	if (!take_word(in, "from") || !take_name(in, &out->from))
		return in->err->code ? false : unexpected(in);
	if (in->token.kind == SOQL_NAME && !is_reserved(in) && !take_name(in, &out->alias))
		return false;
	if (take_word(in, "where")) {
		out->where = parse_logic(in);
		if (!out->where)
			return false;
	}
	if (take_word(in, "with") && !take_word(in, "security_enforced"))
		return unexpected(in);
	if (take_word(in, "order") && !parse_orders(in, out))
		return false;
	if (take_word(in, "limit") && !parse_number(in, &out->limit))
		return false;
	if (take_word(in, "offset") && !parse_number(in, &out->offset))
		return false;
	if (in->token.kind != SOQL_END)
		return unexpected(in);
	if (out->offset > 2000)
		return problem_set(in->err, 400, "NUMBER_OUTSIDE_VALID_RANGE",
				   "Maximum SOQL offset allowed is 2000");
	return true;
}

bool soql_parse(const char *source, struct soql *out, struct problem *err)
{
	struct parser in = { .source = source, .at = source, .err = err };

	*out = (struct soql){ .source = source, .limit = -1, .offset = -1 };
	*err = (struct problem){ 0 };
	if (strlen(source) > SOQL_MAX)
		return problem_set(err, 400, "MALFORMED_QUERY",
				   "SOQL statements cannot be longer than %d characters.",
				   SOQL_MAX);
	advance(&in);
	if (parse_query(&in, out))
		return true;
	soql_free(out);
	return false;
}

void soql_free(struct soql *in)
{
	free(in->selects);
	free_node(in->where);
	free(in->orders);
	*in = (struct soql){ 0 };
}

bool soql_fail(struct problem *err, const char *source, const char *at, const char *code,
	       const char *format, ...)
{
	char reason[700];
	const char *from = source, *end;
	int row = 1, column = 1;
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	for (const char *c = source; c < at; c++) {
		column++;
		if (*c == '\n') {
			row++;
			column = 1;
			from = c + 1;
		}
	}
	if (at - from > 30)
		from = at - 30;
	while (((unsigned char)*from & 0xc0) == 0x80) /* not inside a character */
		from++;
	end = at + strcspn(at, "\n");
	if (end - at > 30)
		end = at + 30;
	while (end > at && ((unsigned char)*end & 0xc0) == 0x80)
		end--;
	return problem_set(err, 400, code, "\n%.*s\n%*s^\nERROR at Row:%d:Column:%d\n%s",
			   (int)(end - from), from, (int)(at - from), "", row, column, reason);
}
