/* filesystem.h - whether SQLite's locks and shared memory can be trusted where a file lies. */
#pragma once
#include <stdbool.h>

struct error;

/* The name of a filesystem that reaches over a network or into a user process, by statfs(2)'s
 * f_type; NULL for a local one. */
const char *filesystem_remote_name(unsigned long type);

/* False, ERROR_HUMAN code remote-filesystem, if `folder` lies on one of those. */
bool filesystem_check_local(const char *folder, struct error *err);
