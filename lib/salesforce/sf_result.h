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
#include <stddef.h>

#include "remote/remote.h"

/* The body of a 2xx; other answers are for sf_error_rest(). Not what Salesforce sends, cut, too
 * long, not one element a change, another id than that asked for, one id twice: NULL, ERROR_RETRY
 * code protocol, and what became of the whole batch is unknown. Keys and values of the batch are
 * not looked at.
 *
 * The error of a result has kind, wait and remedy of the first that was told, as sf_error.h has
 * them for its code. The fields blamed stand before its text; if there are more errors, the codes
 * of all (of many, four and a number) stand before those. A code that is not known is ERROR_RECORD.
 * So is ERROR_FIELD where no field is blamed that was sent: there is nothing to set aside.
 * `holder` is told with DUPLICATE_VALUE. */
struct remote_results *sf_result_parse(const struct remote_batch *batch, const char *body,
				       size_t len, struct error *err);
