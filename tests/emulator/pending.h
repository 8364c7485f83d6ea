/* pending.h - writes whose answer was lost, and which the org carries out later.
 *
 * A request is admitted when it comes, and done when the emulator's clock has come so far: before
 * the next request is looked at, in the order of their times, with stamps of those times. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct call;
struct text;

/* Takes a copy of a REST call with this URI; false if the org does not admit it, and then the call
 * has ended. */
bool pending_take(struct call *call, const char *uri, int64_t after_s);

/* Carries out what is due. */
void pending_run(void);

/* What is to come is forgotten. */
void pending_clear(void);
void pending_write(struct text *out);
