/* sf_result.h - the answer to a request of sObject Collections: what became of each change.
 *
 * The answer is 200 even if every record failed. It is an array with one element a change, in the
 * order of the request:
 *
 *   {"id":"00Q...","success":true,"errors":[],"created":true}
 *   {"success":false,"errors":[{"statusCode":"INVALID_STATUS","message":"...","fields":["A"]}]}
 *
 * `created` is there for an upsert only. The `id` of a failure says nothing. Which element is which
 * change is known by its place alone, so that an answer with anything wrong in it is believed in
 * nothing.
 * (REST API Developer Guide: "sObject Collections"; SOAP API Developer Guide: "StatusCode".) */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/mem.h"

struct arena;
struct sf_batch;

enum sf_outcome {
	SF_DONE,
	SF_GONE,    /* of a delete: it was deleted before, or our user cannot see it; `err` says */
	SF_REFUSED, /* `err` says what to do; nothing of this change was written */
};

struct sf_result {
	enum sf_outcome outcome;
	char id[19];  /* of what is done or gone; else "" */
	bool created; /* done, by a create or an upsert */

	/* Unless done: kind, wait and remedy of the first error, as sf_error.h has them for its
	 * code. The fields blamed stand before its text; if there are more errors, the codes of all
	 * (of many, four and a number) stand before those. A code that is not known is
	 * ERROR_RECORD. So is ERROR_FIELD where no field is blamed that was sent: there is nothing
	 * to set aside. */
	struct error err;

	/* What the first error blames, in the results' arena: with ERROR_FIELD those fields of the
	 * mapping that were sent, in its spelling; else what the server names. */
	const char **fields;
	size_t field_count;

	/* DUPLICATE_VALUE: the record that has the value, 18 characters; "" if it was not told. It is
	 * read from words for people: to be looked at before it is believed. */
	char holder[19];
};

struct sf_results {
	struct arena *arena;
	struct sf_result *records; /* one a change */
	size_t count;
};

/* The body of a 2xx; other answers are for sf_error_rest(). Not what Salesforce sends, cut, too
 * long, not one element a change, another id than that asked for, one id twice: NULL, ERROR_RETRY
 * code protocol, and what became of the whole batch is unknown. */
struct sf_results *sf_result_parse(const struct sf_batch *batch, const char *body, size_t len,
				   struct error *err);
void sf_results_free(struct sf_results *in);
CLEANUP_DEFINE(struct sf_results, sf_results_free)
