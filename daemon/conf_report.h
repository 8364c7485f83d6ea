/* conf_report.h - the conf file read for a person: every mistake on a line of its own. Shared by
 * `leadsyncd --check` and `leadsync check`. */
#pragma once
#include <stdio.h>

struct conf;

/* NULL if there were mistakes; all of them are printed then, and their number. */
struct conf *conf_report_read(const char *path, FILE *out);

/* One line: what was read. */
void conf_report_summary(const struct conf *conf, FILE *out);
