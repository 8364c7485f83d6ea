/* fields.h - the field sync: a job's rules held against the object as our user sees it now.
 *
 * Asks for describes only; touches neither store nor record. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "record/mapping.h"

struct error;
struct fields;
struct loop;
struct run_job;

/* One rule, or one field without a rule. */
struct fields_line {
	const char *field;
	const char *column; /* NULL: not mapped */
	enum mapping_direction direction;
	const char *type;            /* the provider's word; "" for a field that is not there */
	int length;                  /* characters; 0: no limit known */
	bool writable;               /* by our user, on an existing record or a new one */
	const struct error *problem; /* why the rule is set aside; NULL: it holds */
	int line;                    /* of the rule in the conf; 0 without one */
};

struct fields_view {
	const char *object, *label;
	const struct fields_line *lines; /* what is mapped, as the rules stand; what is wrong; then
					    the fields nobody maps, by name */
	size_t count;
	size_t mapped, wrong;
};

/* Once, from the loop, with the handle dead; the view is good during the call, NULL with `err`. */
typedef void fields_done_fn(const struct fields_view *view, const struct error *err, void *arg);

/* The job is borrowed until the end. */
struct fields *fields_start(struct loop *loop, const struct run_job *job, fields_done_fn *done,
			    void *arg);
void fields_cancel(struct fields *in); /* NULL is allowed */
