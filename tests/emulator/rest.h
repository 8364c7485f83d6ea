/* rest.h - everything under /services/data/: the table of routes, and the checks before each. */
#pragma once

struct call;

/* Sets the call's kind, and gives what answers it. */
void (*rest_find(struct call *call))(struct call *call);
