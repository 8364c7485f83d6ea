/* faults.h - what a test wants to go wrong with the next requests of a kind. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kind.h"

struct call;
struct json_object;
struct text;

/* What happens to an answer on its way out. A negative count is none. */
struct fault_shape {
	int64_t delay_ms;
	bool reset;
	bool hang;
	bool truncate_gzip;
	int64_t cut_after;
	int64_t truncate_body;
	int64_t slow_bytes; /* 0: at once */
	int64_t slow_ms;
	int64_t later_s; /* of FAULT_LATER */
};

/* Reads a fault as the admin API describes it; false with a reason if it is none. */
bool faults_add(struct json_object *from, const char **why);
void faults_clear(void);
void faults_write(struct text *out);

enum fault_way {
	FAULT_NONE,    /* or one of transport only */
	FAULT_INSTEAD, /* the call is answered by it alone */
	FAULT_LATER    /* so it is, and done after `later_s` */
};

/* Takes the fault that meets this call, if any; the shape is always set. With `commit` the call is
 * done first, and faults_answer() then hides its answer. */
enum fault_way faults_meet(struct call *call, struct fault_shape *shape);
void faults_answer(struct call *call);
