/* random_people.c - in order: the job; people at the remote; people at the table; the end. */
#include "random_people.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/mem.h"

enum { HERE, THERE };

static const struct {
	const char *field, *column;
	char letter;
} fields[PEOPLE_FIELDS] = { { "LastName", "last_name", 'n' },
			    { "Email", "email", 'e' },
			    { "City", "city", 'c' },
			    { "Score__c", "score", 's' } };
enum { NAME, EMAIL, CITY, SCORE };

static char *in_capitals(const char *text)
{
	char *made = mem_strdup(text);

	for (char *at = made; *at; at++)
		*at = (char)toupper(*at);
	return made;
}

static void choose_rules(struct world *in)
{
	static const enum field_rule rules[] = { FIELD_RULE_REMOTE, FIELD_RULE_LOCAL,
						 FIELD_RULE_NEWEST, FIELD_RULE_NONBLANK };
	static const enum mapping_direction directions[] = { MAPPING_BOTH, MAPPING_BOTH, MAPPING_UP,
							     MAPPING_DOWN };

	world_both(in, "LastName", rules[below(4)], FIELD_BLANK_KEEP);
	world_both(in, "Email", rules[below(4)], FIELD_BLANK_CLEAR);
	world_both(in, "City", below(6) ? rules[below(4)] : FIELD_RULE_MANUAL,
		   below(4) ? FIELD_BLANK_CLEAR : (enum field_blank)below(3));
	world_both(in, "Score__c", rules[below(4)], FIELD_BLANK_CLEAR);
	world_rule(in, "Score__c")->direction = directions[below(4)];
}

struct people *people_new(struct world *in, bool aloud)
{
	struct people *made = mem_new(struct people);

	made->world = in;
	made->aloud = aloud;
	choose_rules(in);
	in->job.on_delete = (enum run_on_delete)below(3);
	in->job.delete_remote = below(2);
	in->job.guard_s = below(2) ? 10 : 0;
	in->job.match_count = below(4) != 0;
	in->fake->page_size = 1 + below(7);
	in->fake->most_changes = below(3) ? 0 : 1 + below(3);
	if (below(4) == 0)
		fake_field(in->fake, "City")->keeps = in_capitals;
	for (size_t i = 0; i < in->fake->count; i++) /* the usual seven are not of this story */
		in->fake->records[i].purged = true;
	return made;
}

void people_free(struct people *in)
{
	free(in);
}

/* --- values --- */

/* Whose value it is; 0: nobody's. */
static unsigned person_of(size_t field, const char *text)
{
	unsigned person, number;

	if (field == SCORE)
		return text ? (unsigned)(atol(text) / 1000) : 0;
	if (!text || tolower(*text) != fields[field].letter ||
	    sscanf(text + 1, "%u.%u", &person, &number) != 2)
		return 0;
	return person;
}

/* NULL: a blank. */
static const char *new_value(struct people *in, size_t field, unsigned person, bool may_be_blank,
			     char out[PEOPLE_TEXT])
{
	if (may_be_blank && below(4) == 0)
		return NULL;
	in->values++;
	if (field == SCORE)
		snprintf(out, PEOPLE_TEXT, "%u", person * 1000 + in->values % 1000);
	else
		snprintf(out, PEOPLE_TEXT, "%c%u.%u%s", fields[field].letter, person, in->values,
			 field == EMAIL ? "@example.com" : "");
	return out;
}

static void remember(struct people *in, int side, unsigned person, size_t field, const char *value)
{
	char *last = in->person[person].last[side][field];
	size_t len = value ? strnlen(value, PEOPLE_TEXT - 1) : 0;

	in->person[person].known[side][field] = true;
	in->person[person].estranged |= field == EMAIL && (!value || !strstr(value, ".0@"));
	if (len)
		memcpy(last, value, len);
	last[len] = '\0';
}

static unsigned anybody(struct people *in)
{
	/* Now and then one that is there already. */
	if (in->count && below(4) == 0)
		return 1 + below(in->count);
	if (in->count + 1 == PEOPLE_MOST)
		return in->count;
	return ++in->count;
}

static void start_value(struct people *in, size_t field, unsigned person, int side,
			char out[PEOPLE_TEXT], const char **ret)
{
	*ret = new_value(in, field, person, field == SCORE || field == CITY, out);
	if (field == EMAIL) {
		/* By which both sides know him. */
		snprintf(out, PEOPLE_TEXT, "e%u.0@example.com", person);
		*ret = below(8) ? out : NULL;
	}
	remember(in, side, person, field, *ret);
}

/* --- at the remote --- */

static void make_record(struct people *in)
{
	unsigned person = anybody(in);
	char text[PEOPLE_FIELDS][PEOPLE_TEXT];
	const char *values[PEOPLE_FIELDS];

	for (size_t i = 0; i < PEOPLE_FIELDS; i++)
		start_value(in, i, person, THERE, text[i], &values[i]);
	fake_create(in->world->fake, 100 + ++in->made,
		    (const char *[FAKE_FIELDS]){ values[NAME], values[EMAIL], values[SCORE],
						 below(2) ? "true" : "false", values[CITY] });
	in->person[person].records++;
}

static unsigned number_of(const struct fake_record *record)
{
	return (unsigned)strtoul((char[13]){ record->id[3], record->id[4], record->id[5],
					     record->id[6], record->id[7], record->id[8],
					     record->id[9], record->id[10], record->id[11],
					     record->id[12], record->id[13], record->id[14] },
				 NULL, 10);
}

static struct fake_record *any_record(struct people *in)
{
	struct fake *fake = in->world->fake;

	for (unsigned tries = 0; fake->count > 7 && tries < 8; tries++) {
		struct fake_record *record = &fake->records[7 + below((unsigned)fake->count - 7)];

		if (!record->purged)
			return record;
	}
	return NULL;
}

static unsigned person_of_record(const struct people *in, const struct fake_record *record)
{
	return person_of(NAME, fake_value(in->world->fake, record, "LastName"));
}

static void edit_record(struct people *in)
{
	struct fake_record *record = any_record(in);
	size_t field = below(PEOPLE_FIELDS + 1);
	char text[PEOPLE_TEXT];
	unsigned person;
	const char *value;

	if (!record || record->deleted)
		return;
	if (field == PEOPLE_FIELDS) {
		fake_set(in->world->fake, number_of(record), "Active__c",
			 below(2) ? "true" : "false");
		return;
	}
	person = person_of_record(in, record);
	value = new_value(in, field, person, field != NAME, text);
	fake_set(in->world->fake, number_of(record), fields[field].field, value);
	remember(in, THERE, person, field, value);
}

static void end_record(struct people *in)
{
	struct fake_record *record = any_record(in);

	if (!record)
		return;
	in->person[person_of_record(in, record)].deleted = true;
	if (!record->deleted)
		fake_delete(in->world->fake, number_of(record));
	else if (below(2))
		fake_undelete(in->world->fake, number_of(record));
}

/* --- at the table --- */

static void quote(const char *value, char out[PEOPLE_TEXT + 4])
{
	if (value)
		snprintf(out, PEOPLE_TEXT + 4, "'%s'", value);
	else
		strcpy(out, "NULL");
}

static void run_sql(struct people *in, const char *sql)
{
	if (in->aloud)
		fprintf(stderr, "  table: %s\n", sql);
	world_sql(in->world, sql);
}

static void make_row(struct people *in)
{
	unsigned person = anybody(in);
	char text[PEOPLE_TEXT], quoted[PEOPLE_FIELDS][PEOPLE_TEXT + 4], sql[300];
	const char *value;

	for (size_t i = 0; i < PEOPLE_FIELDS; i++) {
		start_value(in, i, person, HERE, text, &value);
		quote(value, quoted[i]);
	}
	snprintf(sql, sizeof(sql),
		 "INSERT INTO contact (last_name, email, city, score, active)"
		 " VALUES (%s, %s, %s, %s, %u)",
		 quoted[NAME], quoted[EMAIL], quoted[CITY], quoted[SCORE], below(2));
	run_sql(in, sql);
	in->person[person].rows++;
}

/* 0: none. */
static int64_t any_row(struct people *in, unsigned *ret_person)
{
	char sql[120];
	int64_t rows = world_int(in->world, "SELECT count(*) FROM contact"), key;

	if (!rows)
		return 0;
	snprintf(sql, sizeof(sql), "SELECT id FROM contact ORDER BY id LIMIT 1 OFFSET %u",
		 below((unsigned)rows));
	key = world_int(in->world, sql);
	snprintf(sql, sizeof(sql), "SELECT last_name FROM contact WHERE id = %lld", (long long)key);
	*ret_person = person_of(NAME, world_text(in->world, sql));
	return key;
}

static const char *column_text(struct world *in, const char *column, int64_t key)
{
	char sql[120];

	snprintf(sql, sizeof(sql), "SELECT \"%s\" FROM contact WHERE id = %lld", column,
		 (long long)key);
	return world_text(in, sql);
}

static bool is_null(const char *text)
{
	return !text || strcmp(text, "(null)") == 0;
}

static void edit_row(struct people *in)
{
	unsigned person;
	int64_t key = any_row(in, &person);
	size_t field = below(PEOPLE_FIELDS + 1);
	char text[PEOPLE_TEXT], quoted[PEOPLE_TEXT + 4], sql[200];
	const char *value;

	if (!key)
		return;
	if (field == PEOPLE_FIELDS) {
		snprintf(sql, sizeof(sql), "UPDATE contact SET active = %u WHERE id = %lld",
			 below(2), (long long)key);
		run_sql(in, sql);
		return;
	}
	value = new_value(in, field, person, field != NAME, text);
	quote(value, quoted);
	snprintf(sql, sizeof(sql), "UPDATE contact SET %s = %s WHERE id = %lld",
		 fields[field].column, quoted, (long long)key);
	/* A blank that stays one is nothing anybody gave him. */
	if (value || !is_null(column_text(in->world, fields[field].column, key)))
		remember(in, HERE, person, field, value);
	run_sql(in, sql);
}

static void end_row(struct people *in)
{
	unsigned person;
	int64_t key = any_row(in, &person);
	char sql[100];

	if (!key)
		return;
	snprintf(sql, sizeof(sql), "DELETE FROM contact WHERE id = %lld", (long long)key);
	run_sql(in, sql);
	in->person[person].deleted = true;
}

static void rename_key(struct people *in)
{
	unsigned person;
	int64_t key = any_row(in, &person);
	char sql[120];

	if (!key)
		return;
	snprintf(sql, sizeof(sql),
		 "UPDATE contact SET id = (SELECT max(id) + 1 FROM contact) WHERE id = %lld",
		 (long long)key);
	run_sql(in, sql);
}

void people_do(struct people *in)
{
	switch (below(20)) {
	case 0:
	case 1:
	case 2: make_record(in); break;
	case 3:
	case 4:
	case 5: make_row(in); break;
	case 6: end_record(in); break;
	case 7: end_row(in); break;
	case 8:
	case 9: rename_key(in); break;
	case 10:
	case 11:
	case 12:
	case 13: edit_record(in); break;
	default: edit_row(in); break;
	}
}

/* --- the end --- */

struct pair {
	const struct fake_record *record;
	int64_t key;
	unsigned person;
};

static bool equal(const char *here, const char *there)
{
	return is_null(here) || is_null(there) ? is_null(here) == is_null(there)
					       : strcmp(here, there) == 0;
}

static unsigned living_records(const struct people *in, unsigned person)
{
	const struct fake *fake = in->world->fake;
	unsigned count = 0;

	for (size_t i = 0; i < fake->count; i++)
		count += !fake->records[i].purged && !fake->records[i].deleted &&
			 person_of_record(in, &fake->records[i]) == person;
	return count;
}

static unsigned records_made_by_us(const struct people *in, unsigned person)
{
	const struct fake *fake = in->world->fake;
	unsigned count = 0;

	for (size_t i = 0; i < fake->count; i++)
		count += number_of(&fake->records[i]) > FAKE_MADE &&
			 person_of_record(in, &fake->records[i]) == person;
	return count;
}

/* One pair from beginning to end, whoever made what of it. */
static bool is_one(const struct people *in, unsigned number)
{
	const struct person *person = &in->person[number];

	if (person->deleted || person->records > 1 || person->rows > 1)
		return false;
	return person->records + person->rows == 1 ||
	       (in->world->job.match_count && !person->estranged &&
		!records_made_by_us(in, number));
}

/* A difference that is meant to be. */
static bool may_differ(struct people *in, const struct pair *pair, size_t field, const char *here,
		       const char *there)
{
	const struct mapping_rule *rule = world_rule(in->world, fields[field].field);
	bool one_is_blank = is_null(here) || is_null(there);

	if (rule->blank == FIELD_BLANK_FILL || (rule->blank == FIELD_BLANK_KEEP && one_is_blank))
		return true;
	/* A row that was made of its record is blank there, and wipes nothing. */
	if (rule->direction == MAPPING_UP && is_null(here))
		return true;
	/* What the remote makes of it is not put back. */
	if (rule->direction == MAPPING_UP && here && there && strcasecmp(here, there) == 0)
		return true;
	return world_is_open(in->world, pair->record->id, fields[field].field);
}

/* Somebody gave it to him, and nobody on that side has since given him another. */
static void check_value(struct people *in, const struct pair *pair, size_t field, const char *text)
{
	const struct person *person = &in->person[pair->person];
	const struct mapping_rule *rule = world_rule(in->world, fields[field].field);
	bool found = is_null(text) && (rule->direction != MAPPING_BOTH ||
				       !person->known[HERE][field] || !person->known[THERE][field]);

	if (!is_null(text) && person_of(field, text) != pair->person)
		fail_msg("%s of %s, person %u, holds another's: %s", fields[field].field,
			 pair->record->id, pair->person, text);
	/* What the remote made of a value is an edit of whoever saved the record before it was read
	 * back, and may so be the later one. */
	if (!is_one(in, pair->person) || rule->blank == FIELD_BLANK_FILL ||
	    rule->blank == FIELD_BLANK_KEEP ||
	    fake_field(in->world->fake, fields[field].field)->keeps)
		return;
	for (int side = HERE; side <= THERE; side++)
		found |= person->known[side][field] &&
			 strcasecmp(person->last[side][field], is_null(text) ? "" : text) == 0;
	if (!found)
		fail_msg("%s of %s, person %u, holds %s: last given were '%s' here, '%s' there",
			 fields[field].field, pair->record->id, pair->person, text,
			 person->last[HERE][field], person->last[THERE][field]);
}

static void check_field(struct people *in, const struct pair *pair, size_t field)
{
	char here[200];
	const char *there = fake_value(in->world->fake, pair->record, fields[field].field);

	snprintf(here, sizeof(here), "%s", column_text(in->world, fields[field].column, pair->key));
	if (!equal(here, there) && !may_differ(in, pair, field, here, there))
		fail_msg("%s of %s is %s here, %s there", fields[field].field, pair->record->id,
			 here, there ? there : "null");
	check_value(in, pair, field, here);
	check_value(in, pair, field, there);
}

static void check_active(struct people *in, const struct pair *pair)
{
	const char *there = fake_value(in->world->fake, pair->record, "Active__c");
	bool here = strcmp(column_text(in->world, "active", pair->key), "1") == 0;

	if (here != (there && strcmp(there, "true") == 0))
		fail_msg("Active__c of %s is %d here, %s there", pair->record->id, here, there);
}

/* A record that lives: a pair, or there is a reason why not. */
static void check_record(struct people *in, const struct fake_record *record)
{
	struct pair pair = { record, 0, person_of_record(in, record) };
	const struct person *person = &in->person[pair.person];
	char sql[200];

	snprintf(sql, sizeof(sql),
		 "SELECT c.id FROM leadsync_link AS l JOIN contact AS c ON c.id = l.key WHERE"
		 " l.remote_id = '%s' AND l.state = 0",
		 record->id);
	pair.key = world_int(in->world, sql);
	if (!pair.key) {
		if (!person->deleted && person->records + person->rows <= 2 &&
		    !world_is_open(in->world, record->id, NULL))
			fail_msg("%s, person %u, has no row", record->id, pair.person);
		return;
	}
	for (size_t i = 0; i < PEOPLE_FIELDS; i++)
		check_field(in, &pair, i);
	check_active(in, &pair);
}

/* Nobody is there more often than he was made. */
static void check_person(struct people *in, unsigned number)
{
	const struct person *person = &in->person[number];
	unsigned records = living_records(in, number);
	char sql[120];
	int64_t rows;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM contact WHERE last_name LIKE 'n%u.%%'",
		 number);
	rows = world_int(in->world, sql);
	if (records_made_by_us(in, number) > person->rows)
		fail_msg("person %u: %u rows were made, and %u records of them", number,
			 person->rows, records_made_by_us(in, number));
	if (rows > person->rows + person->records && !person->deleted)
		fail_msg("person %u: %lld rows", number, (long long)rows);
	if (person->deleted || person->rows + person->records != 1)
		return;
	if (rows != 1 || records != 1)
		fail_msg("person %u was made once: %lld rows, %u records", number, (long long)rows,
			 records);
}

void people_check(struct people *in)
{
	struct world *world = in->world;

	for (size_t i = 7; i < world->fake->count; i++)
		if (!world->fake->records[i].deleted)
			check_record(in, &world->fake->records[i]);
	for (unsigned i = 1; i <= in->count; i++)
		check_person(in, i);
	assert_int_equal(world_int(world, "SELECT count(*) - count(DISTINCT key) FROM leadsync_link"
					  " WHERE key IS NOT NULL"),
			 0);
	assert_string_equal(world_text(world, "PRAGMA integrity_check"), "ok");
}
