/* soql.h - the text of a query, read into a tree. Names are not looked up here: see plan.h.
 *
 * The grammar is Salesforce's, with its refusals: AND and OR are not mixed without parentheses, and
 * NOT stands alone before one condition. Slices point into the source, which must outlive the tree.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct problem;

struct soql_slice {
	const char *at;
	size_t length;
};

enum soql_token_kind {
	SOQL_END,
	SOQL_NAME,
	SOQL_STRING,
	SOQL_NUMBER,
	SOQL_DATE,
	SOQL_DATETIME,
	SOQL_SYMBOL,
	SOQL_BAD,
};

struct soql_token {
	enum soql_token_kind kind;
	struct soql_slice text;
};

enum soql_compare {
	SOQL_EQ,
	SOQL_NE,
	SOQL_LT,
	SOQL_LE,
	SOQL_GT,
	SOQL_GE,
	SOQL_LIKE,
	SOQL_IN,
	SOQL_NOT_IN
};

/* A literal as written: a name is true, false, null or a relative date such as LAST_N_DAYS:3. */
struct soql_value {
	enum soql_token_kind kind;
	struct soql_slice text;
	struct soql_slice count; /* behind the colon of a relative date */
};

enum soql_node_kind { SOQL_AND, SOQL_OR, SOQL_NOT, SOQL_CONDITION };

struct soql_node {
	enum soql_node_kind kind;
	struct soql_node *left, *right; /* owned */
	struct soql_slice field;
	enum soql_compare compare;
	struct soql_value *values; /* owned */
	size_t value_count;
};

enum soql_select_kind { SOQL_FIELD, SOQL_FIELDS, SOQL_COUNT, SOQL_AGGREGATE };

struct soql_select {
	enum soql_select_kind kind;
	struct soql_slice function; /* of an aggregate */
	struct soql_slice field;    /* or the group of FIELDS() */
	struct soql_slice alias;
};

enum soql_nulls { SOQL_NULLS_DEFAULT, SOQL_NULLS_FIRST, SOQL_NULLS_LAST };

struct soql_order {
	struct soql_slice field;
	bool descending;
	enum soql_nulls nulls;
};

struct soql {
	const char *source;
	struct soql_select *selects; /* owned */
	size_t select_count;
	struct soql_slice from, alias;
	struct soql_node *where;   /* owned; NULL if none */
	struct soql_order *orders; /* owned */
	size_t order_count;
	int64_t limit, offset; /* -1: none */
};

struct soql_token soql_next_token(const char **at);

/* The text of a string literal without its quotes and escapes, to be freed; with `like`, \% and \_
 * and \\ keep their backslash, for the pattern. NULL if an escape is not allowed. */
char *soql_unquote(struct soql_slice literal, bool like);

bool soql_parse(const char *source, struct soql *out, struct problem *err);
void soql_free(struct soql *in);

bool soql_is(struct soql_slice name, const char *word);

/* Sets the problem with the text around `at`, a caret and row and column, as Salesforce does. */
bool soql_fail(struct problem *err, const char *source, const char *at, const char *code,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A relative date as days [start, end) since 1970, in UTC. False if the name is none. */
bool soql_relative_days(const struct soql_value *value, int64_t today, int64_t *start,
			int64_t *end);
