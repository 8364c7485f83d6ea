/* batch.h - /composite/batch: up to 25 independent requests in one, each counted as a call. */
#pragma once

struct call;

void batch_run(struct call *call);
