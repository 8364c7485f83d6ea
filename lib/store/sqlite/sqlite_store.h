/* sqlite_store.h - a store that is a SQLite database file. */
#pragma once

struct error;
struct store;

/* Opens, or makes, the file. Its ledger is made by the first job that prepares. */
struct store *sqlite_store_open(const char *path, struct error *err);
