#include "conf/closest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MOST_DISTANCE 2
#define MOST_LENGTH   64

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Levenshtein's, with one row of the table; both words are short. */
static unsigned distance(const char *a, const char *b)
{
	size_t len_a = strlen(a), len_b = strlen(b);
	unsigned row[MOST_LENGTH + 1];

	for (size_t k = 0; k <= len_b; k++)
		row[k] = (unsigned)k;
	for (size_t i = 0; i < len_a; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i + 1;
		for (size_t k = 0; k < len_b; k++) {
			unsigned above = row[k + 1];
			bool same = tolower((unsigned char)a[i]) == tolower((unsigned char)b[k]);

			row[k + 1] = least(diagonal + !same, least(above, row[k]) + 1);
			diagonal = above;
		}
	}
	return row[len_b];
}

void conf_closest_try(struct conf_closest *in, const char *word)
{
	unsigned far;

	if (strlen(in->wrong) > MOST_LENGTH || strlen(word) > MOST_LENGTH)
		return;
	far = distance(in->wrong, word);
	if (far <= MOST_DISTANCE && far < strlen(word) && (!in->best || far < in->distance)) {
		in->best = word;
		in->distance = far;
	}
}

const char *conf_closest_hint(const struct conf_closest *in, char out[CONF_CLOSEST_HINT_SIZE])
{
	if (!in->best)
		return "";
	snprintf(out, CONF_CLOSEST_HINT_SIZE, "; did you mean `%s`?", in->best);
	return out;
}
