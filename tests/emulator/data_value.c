/* data_value.c - values for any field, by its type. */
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data.h"
#include "data_words.h"
#include "schema.h"
#include "stamp.h"
#include "text.h"

/* As much of the text as the field holds, cut between characters. */
static struct json_object *fitting(const char *from, const struct field *field)
{
	size_t length = strlen(from), most = (size_t)field->length;

	if (field->length && length > most)
		length = most;
	while (length && ((unsigned char)from[length] & 0xc0) == 0x80)
		length--;
	return json_object_new_string_len(from, (int)length);
}

static struct json_object *one_of(const struct field *field, uint64_t which)
{
	size_t count = 0;

	while (field->values && field->values[count])
		count++;
	return count ? json_object_new_string(field->values[which % count])
		     : fitting(data_word(WORDS_SOURCE, which), field);
}

static struct json_object *text(const struct field *field, uint64_t which)
{
	static const struct {
		const char *part;
		enum words words;
	} lists[] = {
		{ "FirstName", WORDS_FIRST }, { "LastName", WORDS_LAST },
		{ "Company", WORDS_COMPANY }, { "Title", WORDS_TITLE },
		{ "City", WORDS_CITY },       { "Country", WORDS_COUNTRY },
		{ "Street", WORDS_STREET },
	};
	char made[60];

	switch ((int)field->type) {
	case FIELD_PICKLIST:
	case FIELD_MULTIPICKLIST: return one_of(field, which);
	case FIELD_PHONE:
		snprintf(made, sizeof(made), "+%llu", (unsigned long long)(which % 1000000000));
		return json_object_new_string(made);
	case FIELD_EMAIL:
		snprintf(made, sizeof(made), "edit%llu@random.example",
			 (unsigned long long)(which % 1000000000000));
		return json_object_new_string(made);
	case FIELD_URL:
		snprintf(made, sizeof(made), "https://edit%llu.example/",
			 (unsigned long long)(which % 1000000));
		return json_object_new_string(made);
	default: break;
	}
	if (field->flags & FIELD_EXTERNAL) {
		snprintf(made, sizeof(made), "R-%llu", (unsigned long long)which);
		return fitting(made, field);
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strstr(field->name, lists[i].part))
			return fitting(data_word(lists[i].words, which), field);
	return fitting(data_word(WORDS_REMARK, which), field);
}

static struct json_object *date(const struct field *field, uint64_t which)
{
	int64_t day = stamp_day(1950, 1, 1) + (int64_t)(which % 36500);
	char made[30];

	if (field->type == FIELD_DATE)
		stamp_format_day(day, made);
	else
		stamp_format(day * STAMP_DAY_S + (int64_t)(which % STAMP_DAY_S), made);
	return json_object_new_string(made);
}

static struct json_object *number(const struct field *field, uint64_t which)
{
	int digits = field->precision - (field->type == FIELD_INT ? 0 : field->scale);
	uint64_t whole = which % (uint64_t)pow(10, digits > 9 ? 9 : digits);

	if (field->type == FIELD_INT || !field->scale)
		return json_object_new_int64((int64_t)whole);
	return json_object_new_double((double)whole + (double)(which >> 32 & 0xff) / 256);
}

struct json_object *data_value(uint64_t *state, const struct field *field)
{
	uint64_t which = data_random(state);

	if (schema_is_id(field->type) || field->type == FIELD_ADDRESS)
		return NULL;
	if (field->flags & FIELD_NILLABLE && data_random(state) % 8 == 0)
		return NULL;
	if (field->type == FIELD_BOOLEAN)
		return json_object_new_boolean(which & 1);
	if (schema_is_number(field->type))
		return number(field, which);
	if (schema_is_text(field->type))
		return text(field, which);
	return date(field, which);
}
