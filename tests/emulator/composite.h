/* composite.h - /composite: up to 25 requests in one call, where later ones may name what earlier
 * ones answered, and which may all be one transaction. */
#pragma once

struct call;

void composite_run(struct call *call);
