/* query.h - /query, /queryAll and their next pages.
 *
 * A locator holds the numbers of the result's rows from when it was asked. Pages show present
 * values; a row deleted since leaves its page shorter, while totalSize stays. */
#pragma once
#include <stddef.h>

struct call;

/* /query/?q= and /queryAll/?q= (by the call's kind), and /query/<locator>. */
void query_run(struct call *call);
void query_more(struct call *call, const char *locator);

/* 0: as asked for by the client. */
void query_set_page_max(size_t rows);
void query_expire_locators(void);

/* A plan (plan.h) for records given by their rows: the fields named in `fields` (comma list), or
 * all if it is NULL. NULL with a problem if one of them is unknown. */
struct plan;
struct problem;
struct sobject;
struct plan *query_plan(const struct sobject *of, const char *fields, struct problem *err);

/* One record for a read. */
void query_read(struct call *call, const struct sobject *of, const char *id, const char *fields);
