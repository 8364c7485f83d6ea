/* fold.h - comparing text without regard to case, and LIKE, as SQLite calls them. */
#pragma once

struct sqlite3;

/* Adds collation sf_text and function sf_like(text, pattern). */
void fold_install(struct sqlite3 *db);
