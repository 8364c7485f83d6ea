/* rest.h - everything under /services/data/: the table of routes, and the checks before each. */
#pragma once
#include <stdbool.h>

struct call;

/* Sets the call's kind, and gives what answers it. */
void (*rest_find(struct call *call))(struct call *call);

/* Version, session and the budget of calls, once for a call; false if it has ended. */
bool rest_admit(struct call *call);

/* The call has a Content-Type of JSON; false if it has ended. */
bool rest_has_json(struct call *call);
