/* query_columns.h - what &columns=true answers: the columns of a query instead of its rows. */
#pragma once

struct plan;
struct text;

void query_columns_write(const struct plan *plan, struct text *out);
