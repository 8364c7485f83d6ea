/* counts.h - what a run did at Salesforce, for the commands that tell of runs. */
#pragma once

struct json_object;

/* A line of its own, if it did anything there. */
void counts_print(struct json_object *run);
