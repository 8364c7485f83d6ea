/* collections.h - /composite/sobjects: up to 200 records in one request and one transaction.
 *
 * What is wrong with the request, with the type of a value or the name of a field fails it as a
 * whole; whatever else is wrong fails one record, and all others too with allOrNone. */
#pragma once

struct call;

void collections_create(struct call *call);
void collections_update(struct call *call);
void collections_upsert(struct call *call);
void collections_delete(struct call *call);
void collections_read(struct call *call);
