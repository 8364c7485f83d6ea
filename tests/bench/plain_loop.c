/* plain_loop.c - the peer that a pull is measured against: no network, no ledger, no care.
 *
 * Reads query pages from files, parses each with json-c, and upserts every record's fields into one
 * table, one transaction a page. Prints {"records":N,"seconds":S,"cpu_us_per_record":U}.
 *
 *     plain_loop DATABASE FIELD,FIELD,... PAGE... */
#include <json-c/json.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define MOST_FIELDS 100

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "plain_loop: %s\n", what);
	exit(1);
}

static void run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(sqlite3_errmsg(db));
}

static char *read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	char *text;
	long len;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (len = ftell(file)) < 0)
		die(path);
	rewind(file);
	text = malloc((size_t)len + 1);
	if (!text || fread(text, 1, (size_t)len, file) != (size_t)len)
		die(path);
	fclose(file);
	*ret_len = (size_t)len;
	return text;
}

/* Values as they come: numbers and booleans as SQLite's own, all else as text. */
static void bind(sqlite3_stmt *upsert, int position, struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null: sqlite3_bind_null(upsert, position); break;
	case json_type_boolean:
	case json_type_int:
		sqlite3_bind_int64(upsert, position, json_object_get_int64(value));
		break;
	case json_type_double:
	case json_type_object:
	case json_type_array:
	case json_type_string:
		sqlite3_bind_text(upsert, position, json_object_get_string(value), -1,
				  SQLITE_STATIC);
		break;
	}
}

static size_t apply_page(sqlite3 *db, sqlite3_stmt *upsert, char **fields, int count,
			 const char *path)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *page, *records;
	size_t len, records_count;
	char *text = read_file(path, &len);

	page = json_tokener_parse_ex(tokener, text, (int)len);
	if (!json_object_object_get_ex(page, "records", &records))
		die(path);
	records_count = json_object_array_length(records);
	run(db, "BEGIN IMMEDIATE");
	for (size_t i = 0; i < records_count; i++) {
		struct json_object *record = json_object_array_get_idx(records, i);

		for (int k = 0; k < count; k++)
			bind(upsert, k + 1, json_object_object_get(record, fields[k]));
		if (sqlite3_step(upsert) != SQLITE_DONE)
			die(sqlite3_errmsg(db));
		sqlite3_reset(upsert);
	}
	run(db, "COMMIT");
	json_object_put(page);
	json_tokener_free(tokener);
	free(text);
	return records_count;
}

static sqlite3_stmt *prepare(sqlite3 *db, char **fields, int count)
{
	char table[8192] = "CREATE TABLE t (", insert[8192] = "INSERT INTO t VALUES (",
	     update[8192] = "";
	sqlite3_stmt *upsert;

	for (int i = 0; i < count; i++) {
		snprintf(table + strlen(table), sizeof(table) - strlen(table), "%s\"%s\"%s",
			 i ? ", " : "", fields[i], i ? "" : " TEXT PRIMARY KEY");
		snprintf(insert + strlen(insert), sizeof(insert) - strlen(insert), "%s?",
			 i ? ", " : "");
		if (i)
			snprintf(update + strlen(update), sizeof(update) - strlen(update),
				 "%s\"%s\" = excluded.\"%s\"", i > 1 ? ", " : "", fields[i],
				 fields[i]);
	}
	strcat(table, ")");
	snprintf(insert + strlen(insert), sizeof(insert) - strlen(insert),
		 ") ON CONFLICT DO UPDATE SET %s", update);
	run(db, table);
	if (sqlite3_prepare_v2(db, insert, -1, &upsert, NULL) != SQLITE_OK)
		die(sqlite3_errmsg(db));
	return upsert;
}

static double now_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	char *fields[MOST_FIELDS];
	sqlite3_stmt *upsert;
	size_t records = 0;
	double wall, cpu;
	sqlite3 *db;
	int count = 0;

	if (argc < 4)
		die("usage: plain_loop DATABASE FIELD,FIELD,... PAGE...");
	for (char *name = strtok(argv[2], ","); name && count < MOST_FIELDS;
	     name = strtok(NULL, ","))
		fields[count++] = name;
	if (sqlite3_open(argv[1], &db) != SQLITE_OK)
		die(sqlite3_errmsg(db));
	run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -4096;"
		"PRAGMA wal_autocheckpoint = 4000");
	upsert = prepare(db, fields, count);
	wall = now_s(CLOCK_MONOTONIC);
	cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 3; i < argc; i++)
		records += apply_page(db, upsert, fields, count, argv[i]);
	wall = now_s(CLOCK_MONOTONIC) - wall;
	cpu = now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("{\"records\":%zu,\"seconds\":%.3f,\"cpu_us_per_record\":%.2f}\n", records, wall,
	       cpu * 1e6 / (double)records);
	sqlite3_finalize(upsert);
	sqlite3_close(db);
	return 0;
}
