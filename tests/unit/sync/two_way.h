/* two_way.h - a scenario of both directions: before, change, run, after; each also run twice (the
 * second run writes nothing on either side), cut at every commit of the store and at every call of
 * the remote, and then resumed to the same end. A write that is cut off was not done, or was done,
 * or is done minutes later. */
#pragma once
#include "world.h"

struct two_way {
	const char *name;
	void (*before)(struct world *in); /* what is there; may be NULL */
	void (*change)(struct world *in); /* then, before the run that is looked at; may be NULL */
	void (*after)(struct world *in); /* what it must have come to, however often it was cut; may
					     be NULL */
	void (*once)(struct world *in);  /* what it must have cost, uncut; may be NULL */
	unsigned runs;                   /* that it takes to settle; 0: one */
	int64_t wait_s;                  /* before each of them but the first; 0: a minute */
	const char *fails; /* the code of the run's failure: then it is neither repeated nor cut */
	bool odd;          /* the sides are not simply equal: `after` says all */
	bool not_cut;
};

int two_way_main(int argc, char **argv, const char *group, const struct two_way *table,
		 size_t count);

/* What scenarios are made of; records by number. */
void loaded(struct world *in);
void loaded_as(struct world *in, const char *field, enum field_rule rule, enum field_blank blank);
void edit(struct world *in, unsigned number, const char *set);
void drop(struct world *in, unsigned number);
int64_t rows(struct world *in);
void row_holds(struct world *in, unsigned number, const char *column, const char *value);
void record_holds(struct world *in, unsigned number, const char *field, const char *value);
void both_hold(struct world *in, unsigned number, const char *field, const char *column,
	       const char *value);

/* How often our changes of this record held that field. */
unsigned sent(struct world *in, unsigned number, const char *field);
