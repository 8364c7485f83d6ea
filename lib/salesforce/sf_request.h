/* sf_request.h - one POST to an OAuth endpoint, never repeated, and what its answer means to who
 * asked. Private to lib/salesforce. */
#pragma once
#include "auth/grant.h"
#include "salesforce/sf_ask.h"

struct http_client;
struct loop;
struct url_policy;

/* All borrowed: the first three until the end, the others during the start. */
struct sf_question {
	struct loop *loop;
	struct http_client *http;
	const struct url_policy *policy;
	enum sf_ask ask;
	const char *url;
	struct secret *form;     /* NULL: it could not be made, */
	const struct error *why; /* and this is then the end */
};

/* `client_secret` is owned from now on, and kept until the answer, whose signature is checked with
 * it: NULL if there is none. The ends are as grant.h has them. */
struct grant_request *sf_request_token(const struct sf_question *question,
				       struct secret *client_secret, grant_done_fn *done,
				       void *arg);
struct grant_request *sf_request_introspect(const struct sf_question *question,
					    grant_looked_fn *done, void *arg);
struct grant_request *sf_request_revoke(const struct sf_question *question, grant_revoked_fn *done,
					void *arg);
void sf_request_cancel(struct grant_request *in);
