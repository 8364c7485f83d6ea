/* tree.h - /composite/tree/X: up to 200 new records, children within their parents, all or none. */
#pragma once

struct call;

void tree_create(struct call *call);
