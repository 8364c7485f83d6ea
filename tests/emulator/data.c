/* data.c - in order: random numbers, rows, people, the few other objects, filling, edits. */
#include "data.h"

#include <json-c/json.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data_words.h"
#include "schema.h"
#include "schema_values.h"
#include "sfid.h"
#include "stamp.h"
#include "store.h"

#define SALESPEOPLE 6

static const char *const salespeople[SALESPEOPLE] = {
	"0058d000002Kp8A", "0058d000002Kp8B", "0058d000002Kp8C",
	"0058d000002Kp8D", "0058d000002Kp8E", "0058d000002Kp8F",
};

/* A row being written: values are put in the order of the statement's columns. */
struct row {
	sqlite3_stmt *statement;
	int at;
	uint64_t random;
};

uint64_t data_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

const char *data_salesperson(int which)
{
	static char id[SFID_SIZE];

	sfid_parse(salespeople[which % SALESPEOPLE], 15, id);
	return id;
}

/* Far apart for neighbours, whose streams would else be the same one, shifted. */
static uint64_t seed_of(uint64_t kind, int64_t number)
{
	uint64_t state = kind << 32 ^ (uint64_t)number;

	data_random(&state);
	return data_random(&state);
}

static uint64_t roll(struct row *in, uint64_t sides)
{
	return data_random(&in->random) % sides;
}

static void put_text(struct row *in, const char *text)
{
	sqlite3_bind_text(in->statement, ++in->at, text, -1, SQLITE_TRANSIENT);
}

static void put_int(struct row *in, int64_t number)
{
	sqlite3_bind_int64(in->statement, ++in->at, number);
}

static void put_real(struct row *in, double number)
{
	sqlite3_bind_double(in->statement, ++in->at, number);
}

static void put_null(struct row *in)
{
	in->at++; /* the bindings were cleared */
}

/* Sometimes null: `filled` of ten have a value. */
static void put_word(struct row *in, enum words list, unsigned filled)
{
	if (roll(in, 10) < filled)
		put_text(in, data_word(list, roll(in, 1000)));
	else
		put_null(in);
}

static void put_choice(struct row *in, const char *const *values, unsigned filled)
{
	size_t count = 0;

	while (values[count])
		count++;
	if (roll(in, 10) < filled)
		put_text(in, values[roll(in, count)]);
	else
		put_null(in);
}

static void put_phone(struct row *in, unsigned filled)
{
	char text[40];

	if (roll(in, 10) >= filled) {
		put_null(in);
		return;
	}
	snprintf(text, sizeof(text), "+%u (%03u) %07u", (unsigned)roll(in, 90) + 1,
		 (unsigned)roll(in, 1000), (unsigned)roll(in, 10000000));
	put_text(in, text);
}

static void put_remark(struct row *in)
{
	char text[32001] = "";
	size_t used = 0;
	uint64_t kind = roll(in, 100);
	int count = kind < 40 ? 0 : kind < 98 ? 1 : 120; /* now and then a long one */

	if (!count) {
		put_null(in);
		return;
	}
	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? "\n" : "",
					 data_word(WORDS_REMARK, roll(in, 1000)));
	put_text(in, text);
}

static void next_row(struct row *in)
{
	if (sqlite3_step(in->statement) != SQLITE_DONE)
		abort();
	sqlite3_reset(in->statement);
	sqlite3_clear_bindings(in->statement);
	in->at = 0;
}

/* When record `number` was last saved. */
static int64_t stamp_of(struct row *in, int64_t number)
{
	int64_t block = number / 5000, place = number % 5000;
	int64_t start = stamp_day(2019, 3, 1) * STAMP_DAY_S;

	if (place >= 1500 && place < 4100)
		return start + (1000 + block) * STAMP_DAY_S + 7200;
	if (place >= 4300 && place < 4700)
		return start + (1500 + block) * STAMP_DAY_S + 61;
	return start + (int64_t)roll(in, 2400) * STAMP_DAY_S + (int64_t)roll(in, STAMP_DAY_S);
}

static void put_audit(struct row *in, int64_t number)
{
	int64_t stamp_s = stamp_of(in, number);
	int64_t modified_s = roll(in, 20) ? stamp_s : stamp_s - 86400;

	put_int(in, stamp_s);
	put_int(in, modified_s);
	put_int(in, modified_s - (int64_t)roll(in, 40000000));
	put_text(in, data_salesperson((int)roll(in, SALESPEOPLE)));
	put_text(in, data_salesperson((int)roll(in, SALESPEOPLE)));
	put_text(in, data_salesperson((int)roll(in, SALESPEOPLE)));
}

#define AUDIT                                                                                      \
	"SystemModstamp, LastModifiedDate, CreatedDate, OwnerId, CreatedById, LastModifiedById"
#define OWN "Lead_Score__c, Consent__c, Renewal_Date__c, Region__c"

static void put_own(struct row *in)
{
	if (roll(in, 10) < 8)
		put_real(in, (double)roll(in, 10000));
	else
		put_null(in);
	put_int(in, (int64_t)roll(in, 2));
	if (roll(in, 10) < 5)
		put_int(in, stamp_day(2020, 1, 1) + (int64_t)roll(in, 4000));
	else
		put_null(in);
	put_choice(in, schema_regions, 7);
}

/* FirstName, LastName, Name, Salutation, Title, Email */
static void put_person(struct row *in, int64_t number, const char *kind)
{
	const char *given = roll(in, 10) < 9 ? data_word(WORDS_FIRST, roll(in, 1000)) : NULL;
	const char *family = data_word(WORDS_LAST, roll(in, 1000));
	char text[200];

	put_text(in, given);
	put_text(in, family);
	snprintf(text, sizeof(text), "%s%s%s", given ? given : "", given ? " " : "", family);
	put_text(in, text);
	put_choice(in, schema_salutations, 4);
	put_word(in, WORDS_TITLE, 7);
	if (roll(in, 20) == 0) {
		put_null(in);
		return;
	}
	snprintf(text, sizeof(text),
		 roll(in, 10) ? "%s%lld@%s%llu.example" : "%s.O'Neil+%lld@%s%llu.EXAMPLE", kind,
		 (long long)(roll(in, 200) ? number : number / 2), kind,
		 (unsigned long long)roll(in, 400));
	put_text(in, text);
}

/* Street, City, State, PostalCode, Country, Latitude, Longitude */
static void put_address(struct row *in, unsigned filled)
{
	uint64_t where = roll(in, 1000);
	char code[16];

	if (roll(in, 10) >= filled) {
		in->at += 7;
		return;
	}
	put_word(in, WORDS_STREET, 8);
	put_text(in, data_word(WORDS_CITY, where));
	put_null(in);
	snprintf(code, sizeof(code), "%05u", (unsigned)roll(in, 100000));
	put_text(in, code);
	put_text(in, data_word(WORDS_COUNTRY, where));
	if (roll(in, 5)) {
		in->at += 2;
		return;
	}
	put_real(in, (double)roll(in, 1800000) / 10000 - 90);
	put_real(in, (double)roll(in, 3600000) / 10000 - 180);
}

static void fill_contact(struct row *in, int64_t number, int64_t accounts)
{
	char id[SFID_SIZE];

	in->random = seed_of(0xc0, number);
	sfid_make("003", number, id);
	put_text(in, id);
	put_person(in, number, "c");
	if (roll(in, 10) < 9)
		sfid_make("001", (int64_t)roll(in, 1 << 30) % accounts + 1, id);
	if (strncmp(id, "001", 3) == 0)
		put_text(in, id);
	else
		put_null(in);
	put_phone(in, 8);
	put_phone(in, 5);
	put_phone(in, 1);
	put_address(in, 7);
	put_word(in, WORDS_TITLE, 4); /* Department */
	put_word(in, WORDS_SOURCE, 6);
	if (roll(in, 10) < 6)
		put_int(in, stamp_day(1925, 1, 1) + (int64_t)roll(in, 29000));
	else
		put_null(in);
	put_remark(in);
	put_own(in);
	put_audit(in, number - 1);
	next_row(in);
}

static void fill_lead(struct row *in, int64_t number)
{
	static const char *const statuses[] = { "Open - Not Contacted", "Working - Contacted",
						"Closed - Not Converted", NULL };
	char id[SFID_SIZE];

	in->random = seed_of(0x1ead, number);
	sfid_make("00Q", number, id);
	put_text(in, id);
	put_person(in, number, "l");
	put_text(in, data_word(WORDS_COMPANY, roll(in, 1000)));
	put_phone(in, 8);
	put_phone(in, 5);
	put_address(in, 7);
	put_word(in, WORDS_SOURCE, 7);
	put_choice(in, statuses, 10);
	put_choice(in, schema_industries, 6);
	put_choice(in, schema_ratings, 5);
	if (roll(in, 10) < 5)
		put_real(in, (double)roll(in, 900000) * (roll(in, 4) ? 1000 : 12345));
	else
		put_null(in);
	if (roll(in, 10) < 6)
		put_int(in, (int64_t)roll(in, 50000));
	else
		put_null(in);
	if (roll(in, 3) == 0)
		put_text(in, "https://www.müller-söhne.example/über?a=1&b=100%25");
	else
		put_null(in);
	put_remark(in);
	put_own(in);
	put_audit(in, number - 1);
	next_row(in);
}

static void fill_account(struct row *in, int64_t number)
{
	char id[SFID_SIZE], name[100];

	in->random = seed_of(0xacc, number);
	sfid_make("001", number, id);
	put_text(in, id);
	snprintf(name, sizeof(name), "%s %lld", data_word(WORDS_COMPANY, roll(in, 1000)),
		 (long long)number);
	put_text(in, name);
	put_choice(in, schema_industries, 7);
	put_phone(in, 8);
	put_audit(in, number - 1);
	next_row(in);
}

static void fill_users(void)
{
	struct row in = {
		.statement = store_prepare(
			"INSERT INTO User(Id, Username, FirstName, LastName, Name, Alias, "
			"CommunityNickname, Email, IsActive, UserType, TimeZoneSidKey, "
			"LocaleSidKey, "
			"LanguageLocaleKey, CreatedDate, LastModifiedDate, SystemModstamp) "
			"VALUES(?, ?, "
			"?, ?, ?, ?, ?, ?, 1, 'Standard', 'GMT', 'en_US', 'en_US', 1551430000, "
			"1551430000, 1551430000)"),
	};

	for (int i = -1; i < SALESPEOPLE; i++) {
		const char *given = i < 0 ? "Sync" : data_word(WORDS_FIRST, (uint64_t)i * 5);
		const char *family = i < 0 ? "User" : data_word(WORDS_LAST, (uint64_t)i * 3 + 1);
		char text[200];

		put_text(&in, i < 0 ? SFID_USER : data_salesperson(i));
		snprintf(text, sizeof(text), i < 0 ? "sync@acme.example" : "sales%d@acme.example",
			 i);
		put_text(&in, text);
		put_text(&in, given);
		put_text(&in, family);
		snprintf(text, sizeof(text), "%s %s", given, family);
		put_text(&in, text);
		put_text(&in, i < 0 ? "sync" : "sales");
		put_text(&in, i < 0 ? "sync" : "sales");
		snprintf(text, sizeof(text), i < 0 ? "ops@acme.example" : "sales%d@acme.example",
			 i);
		put_text(&in, text);
		next_row(&in);
	}
	sqlite3_finalize(in.statement);
	store_run("INSERT INTO Organization(Id, Name, OrganizationType, InstanceName, IsSandbox, "
		  "LanguageLocaleKey, DefaultLocaleSidKey, TimeZoneSidKey, CreatedDate, "
		  "LastModifiedDate, SystemModstamp) VALUES('" SFID_ORG "', 'Acme Ltd', 'Developer "
		  "Edition', 'EUX1', 0, 'en_US', 'en_US', 'GMT', 1551430000, 1551430000, "
		  "1551430000)");
}

#define NAMES "FirstName, LastName, Name, Salutation, Title, Email"

void data_fill(int64_t contacts, int64_t leads)
{
	int64_t accounts = 200; /* the same for every size, so that the first contacts are too */
	struct row row = { 0 };

	store_begin();
	fill_users();
	row.statement = store_prepare("INSERT INTO Account(Id, Name, Industry, Phone, " AUDIT
				      ") VALUES(?,?,?,?, ?,?,?,?,?,?)");
	for (int64_t i = 1; i <= accounts; i++)
		fill_account(&row, i);
	sqlite3_finalize(row.statement);
	row.statement = store_prepare(
		"INSERT INTO Contact(Id, " NAMES
		", AccountId, Phone, MobilePhone, Fax, MailingStreet, "
		"MailingCity, MailingState, MailingPostalCode, MailingCountry, MailingLatitude, "
		"MailingLongitude, Department, LeadSource, Birthdate, Description, " OWN ", " AUDIT
		") VALUES(?, ?,?,?,?,?,?, ?,?,?,?, ?,?,?,?,?,?,?, ?,?,?,?, ?,?,?,?, ?,?,?,?,?,?)");
	for (int64_t i = 1; i <= contacts; i++)
		fill_contact(&row, i, accounts);
	sqlite3_finalize(row.statement);
	row.statement = store_prepare(
		"INSERT INTO Lead(Id, " NAMES ", Company, Phone, MobilePhone, Street, City, State, "
		"PostalCode, Country, Latitude, Longitude, LeadSource, Status, Industry, Rating, "
		"AnnualRevenue, NumberOfEmployees, Website, Description, " OWN ", " AUDIT
		") VALUES(?, ?,?,?,?,?,?, ?,?,?, ?,?,?,?,?,?,?, ?,?,?,?, ?,?,?,?, ?,?,?,?, "
		"?,?,?,?,?,?)");
	for (int64_t i = 1; i <= leads; i++)
		fill_lead(&row, i);
	sqlite3_finalize(row.statement);
	store_set_meta("filled", 1);
	store_commit();
}

static void set(struct json_object *in, const char *name, const char *text)
{
	json_object_object_add(in, name, text ? json_object_new_string(text) : NULL);
}

static void set_some(struct json_object *in, uint64_t *state, const char *object)
{
	bool lead = strcmp(object, "Lead") == 0;
	uint64_t which = data_random(state);
	char text[60];

	switch (data_random(state) % 8) {
	case 0: set(in, "Title", which % 6 ? data_word(WORDS_TITLE, which) : NULL); break;
	case 1: set(in, "FirstName", which % 6 ? data_word(WORDS_FIRST, which) : NULL); break;
	case 2: set(in, "LastName", data_word(WORDS_LAST, which)); break;
	case 3: set(in, lead ? "City" : "MailingCity", data_word(WORDS_CITY, which)); break;
	case 4: set(in, "Description", which % 6 ? data_word(WORDS_REMARK, which) : NULL); break;
	case 5:
		json_object_object_add(in, "Lead_Score__c",
				       json_object_new_int((int)(which % 10000)));
		break;
	case 6:
		snprintf(text, sizeof(text), "+%llu", (unsigned long long)(which % 1000000000));
		set(in, "Phone", text);
		break;
	default:
		json_object_object_add(in, "Consent__c", json_object_new_boolean(which & 1));
		break;
	}
}

struct json_object *data_edit(uint64_t *state, const char *object)
{
	struct json_object *out = json_object_new_object();

	for (uint64_t left = data_random(state) % 4 + 1; left; left--)
		set_some(out, state, object);
	return out;
}

struct json_object *data_record(uint64_t *state, const char *object)
{
	struct json_object *out = data_edit(state, object);
	uint64_t which = data_random(state);
	char text[80];

	set(out, "LastName", data_word(WORDS_LAST, which));
	set(out, "FirstName", data_word(WORDS_FIRST, which >> 8));
	if (strcmp(object, "Lead") == 0)
		set(out, "Company", data_word(WORDS_COMPANY, which >> 16));
	snprintf(text, sizeof(text), "new%llu@random.example", (unsigned long long)(which >> 24));
	set(out, "Email", text);
	return out;
}
