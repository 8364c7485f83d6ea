/* counters.h - how many requests came, by kind and by the status they were answered with. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kind.h"

struct text;

void counters_add(enum kind kind);
void counters_add_status(int status, bool faulted);
void counters_reset(void);
void counters_write(struct text *out);
