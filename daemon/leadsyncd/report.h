/* report.h - what the control socket tells, as JSON: the shapes that `leadsync --json` prints. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account;
struct connect_found;
struct daemon;
struct error;
struct fields_view;
struct job;
struct job_view;
struct json_object;
struct store_conflict_line;
struct store_due_line;
struct store_reject_line;
struct sync_run_row;
struct sync_summary;

/* {"version":1} to put members into. The caller owns what these return, or gives it away by adding
 * it. */
struct json_object *report_new(void);

struct json_object *report_daemon(const struct daemon *daemon);
struct json_object *report_account(const struct account *account, const struct daemon *daemon);

/* What `leadsync connect` needs to know before it begins. */
struct json_object *report_login_needs(struct account *account, const struct daemon *daemon);
struct json_object *report_found(const struct connect_found *found);

/* How many sealed values each key holds; null where the vault does not say. */
struct json_object *report_keys(const struct daemon *daemon);

struct json_object *report_fields(const char *job, const struct fields_view *view);

/* `summary` is what the job's ledger holds, or NULL with the reason in `unknown`. */
struct json_object *report_job(const struct job *job, const struct sync_summary *summary,
			       const struct error *unknown, int64_t now_ms);
struct json_object *report_view(const struct job_view *view);
struct json_object *report_run_row(const struct sync_run_row *row);

/* A value of the ledger longer than that is cut, and ends with an ellipsis then. */
#define REPORT_VALUE_MOST ((size_t)1000)

struct json_object *report_reject(const struct store_reject_line *line);
struct json_object *report_conflict(const struct store_conflict_line *line);
struct json_object *report_due(const struct store_due_line *line);

struct json_object *report_error(const struct error *err);
