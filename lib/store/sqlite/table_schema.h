/* table_schema.h - what SQLite says of the job's own table. Only for this folder. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct error;

/* SQLite documentation, "Datatypes", section 3.1. */
enum affinity { AFFINITY_INTEGER, AFFINITY_TEXT, AFFINITY_NONE, AFFINITY_REAL, AFFINITY_NUMERIC };

struct table_column {
	char *name;
	enum affinity affinity;
	bool is_integer; /* declared INTEGER, to the letter */
	bool not_null, has_default, generated;
	int64_t key_part; /* 0: not in the primary key */
};

struct table_schema {
	bool found;
	bool is_table; /* neither view nor virtual */
	bool without_rowid;
	bool has_conflict_clause;
	bool counts_on; /* AUTOINCREMENT: a number is never given twice */
	bool ours;      /* made by us: the asker's to fill in */
	struct table_column *columns;
	size_t count;
	int64_t key_parts;
	const char *rowid; /* the column that is the rowid by another name; NULL: none */
};

bool table_schema_read(struct db *db, const char *table, struct table_schema *ret,
		       struct error *err);
void table_schema_clear(struct table_schema *in);

/* Ignores case; NULL if there is none. */
const struct table_column *table_schema_column(const struct table_schema *in, const char *name);
bool table_schema_is_rowid(const struct table_schema *in, const char *column);

/* Is there an index that makes `column` unique by itself? With `of_key` only the primary key's own
 * index counts, which an INTEGER PRIMARY KEY that is the rowid does not have. */
bool table_schema_is_unique(struct db *db, const char *table, const char *column, bool of_key,
			    bool *ret, struct error *err);
