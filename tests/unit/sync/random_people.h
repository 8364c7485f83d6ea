/* random_people.h - those who edit on both sides of a random history, and what they remember. */
#pragma once
#include "world.h"

/* Whoever is the same person on both sides has one number, which stands in every value that is his:
 * "c3.17" is the 17th value, a city of person 3. */
#define PEOPLE_MOST   64
#define PEOPLE_FIELDS 4 /* those with such values */
#define PEOPLE_TEXT   32

struct person {
	unsigned records, rows; /* that people made, ever */
	bool deleted;           /* something of him was, so that less is known of the end */
	bool estranged; /* his e-mail address was or became another, so that he may be two */
	bool known[2][PEOPLE_FIELDS];
	char last[2][PEOPLE_FIELDS][PEOPLE_TEXT]; /* what the table's and the remote's people last
						     gave him; "": nothing */
};

struct people {
	struct world *world;
	struct person person[PEOPLE_MOST];
	unsigned count;
	unsigned values;
	unsigned made; /* records by people */
	bool aloud;
};

unsigned below(unsigned most); /* the history's chance */

/* Chooses the job's rules by chance. */
struct people *people_new(struct world *in, bool aloud);
void people_free(struct people *in);

/* One edit, or somebody made or deleted. */
void people_do(struct people *in);

/* The end, when all is quiet. */
void people_check(struct people *in);
