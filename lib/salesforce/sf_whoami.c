/* sf_whoami.c - in order: sf_whoami_start, have_org, ask_user, have_user; finish. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/http.h"
#include "record/value.h"
#include "salesforce/salesforce.h"
#include "salesforce/sf_error.h"
#include "salesforce/sf_json.h"
#include "salesforce/sf_usage.h"
#include "secret/secret.h"
#include "vault/vault.h"

struct sf_whoami_call {
	struct http_client *http; /* borrowed */
	char *query_url;          /* owned, as the next */
	struct secret *token;
	char org_id[19], user_id[19];
	struct http_request *request; /* owned */
	struct sf_whoami who;         /* as far as it is known */
	sf_whoami_fn *done;
	void *done_arg;
};

static void have_org(const struct http_response *response, bool sent, const struct error *err,
		     void *arg);
static void have_user(const struct http_response *response, bool sent, const struct error *err,
		      void *arg);

static void ask(struct sf_whoami_call *in, const char *query, http_done_fn *done)
{
	static const char *const headers[] = { "Accept: application/json",
					       "Sforce-Call-Options: client=leadsyncd", NULL };
	CLEANUP_FREE char *encoded = url_encode(query, strlen(query));
	CLEANUP_FREE char *url = mem_format("%s%s", in->query_url, encoded);

	in->request = http_start(in->http,
				 &(struct http_call){ .class = HTTP_READ,
						      .method = "GET",
						      .url = url,
						      .headers = headers,
						      .bearer = in->token },
				 done, in);
}

struct sf_whoami_call *sf_whoami_start(const struct sf_whoami_args *args, sf_whoami_fn *done,
				       void *arg)
{
	struct sf_whoami_call *in = mem_new(struct sf_whoami_call);
	const struct vault_token *token = args->token;

	*in = (struct sf_whoami_call){
		.http = args->http,
		.query_url = mem_format("%s/services/data/v%s/query?q=", token->instance_url,
					args->api_version),
		.token = secret_copy(token->access_token),
		.who = { .calls_used = -1, .calls_most = -1 },
		.done = done,
		.done_arg = arg,
	};
	snprintf(in->org_id, sizeof(in->org_id), "%s", token->org_id);
	snprintf(in->user_id, sizeof(in->user_id), "%s", token->user_id);
	ask(in,
	    "SELECT Id, Name, OrganizationType, IsSandbox, InstanceName FROM Organization LIMIT 1",
	    have_org);
	return in;
}

static void call_free(struct sf_whoami_call *in)
{
	secret_free(in->token);
	free(in->query_url);
	free(in);
}

void sf_whoami_cancel(struct sf_whoami_call *in)
{
	if (!in)
		return;
	http_cancel(in->request);
	call_free(in);
}

static void finish(struct sf_whoami_call *in, const struct sf_whoami *who, const struct error *err)
{
	in->done(who, err, in->done_arg);
	call_free(in);
}

/* --- what the answers say --- */

/* The token is minutes old: if it is refused here, another one would be. */
static bool explain_refusal(struct error *err)
{
	char code[sizeof(err->code)];

	if (err->kind == ERROR_LOGIN || strcmp(err->code, "FORBIDDEN") == 0 ||
	    strcmp(err->code, "INSUFFICIENT_ACCESS") == 0) {
		memcpy(code, err->code, sizeof(code));
		return error_set(err, ERROR_HUMAN, code,
				 "Salesforce gave a token that may not use the API: in Setup give "
				 "the app the scope 'Manage user data via APIs (api)', and the "
				 "user's profile or a permission set 'API Enabled', then 'leadsync "
				 "connect'");
	}
	/* There is no record here that could be left out. */
	if (err->kind == ERROR_RECORD || err->kind == ERROR_FIELD || err->kind == ERROR_STALE)
		err->kind = ERROR_HUMAN;
	return error_prefix(err, "asking whose the token is");
}

static bool not_understood(struct error *err)
{
	return error_set(err, ERROR_RETRY, "protocol",
			 "asking whose the token is: the answer is not what Salesforce sends");
}

/* The one record there must be; of `body`. */
static struct json_object *only_record(struct json_object *body)
{
	struct json_object *records, *record;

	if (!json_object_is_type(body, json_type_object) ||
	    !json_object_object_get_ex(body, "records", &records) ||
	    !json_object_is_type(records, json_type_array) ||
	    json_object_array_length(records) != 1)
		return NULL;
	record = json_object_array_get_idx(records, 0);
	return json_object_is_type(record, json_type_object) ? record : NULL;
}

/* The body of a success; json_object_put() it. NULL: `ret_err` says why. */
static struct json_object *take_body(struct sf_whoami_call *in,
				     const struct http_response *response, const struct error *err,
				     struct error *ret_err)
{
	struct sf_usage usage = { in->who.calls_used, in->who.calls_most };
	struct json_object *body;

	in->request = NULL;
	if (!response) {
		*ret_err = *err;
		return NULL;
	}
	sf_usage_parse(response->limit_info, &usage);
	in->who.calls_used = usage.used;
	in->who.calls_most = usage.most;
	if (response->status != 200) {
		sf_error_rest(response, ret_err);
		explain_refusal(ret_err);
		return NULL;
	}
	body = sf_json_whole(response->body, response->body_len);
	if (!only_record(body)) {
		not_understood(ret_err);
		json_object_put(TAKE(body));
	}
	return body;
}

/* Absent or null is "". */
static void show(struct json_object *record, const char *key, char out[SF_WHOAMI_TEXT_SIZE])
{
	const char *text = sf_json_text_or_empty(record, key);

	str_copy_printable(out, SF_WHOAMI_TEXT_SIZE, text, strlen(text));
}

static bool take_org(struct sf_whoami_call *in, struct json_object *record, struct error *err)
{
	const char *id = sf_json_text(record, "Id");
	struct json_object *sandbox;
	char id18[19];

	if (!id || !value_id18(id, strlen(id), id18) ||
	    !json_object_object_get_ex(record, "IsSandbox", &sandbox) ||
	    !json_object_is_type(sandbox, json_type_boolean))
		return not_understood(err);
	if (strcmp(id18, in->org_id) != 0)
		return error_set(err, ERROR_RETRY, "protocol",
				 "the token is of org %s, and its instance_url answers as org %s",
				 in->org_id, id18);
	show(record, "Name", in->who.org_name);
	show(record, "OrganizationType", in->who.org_type);
	show(record, "InstanceName", in->who.instance);
	in->who.sandbox = json_object_get_boolean(sandbox);
	return true;
}

static void ask_user(struct sf_whoami_call *in)
{
	CLEANUP_FREE char *query =
		mem_format("SELECT Username, Name FROM User WHERE Id = '%s'", in->user_id);

	ask(in, query, have_user);
}

static void have_org(const struct http_response *response, bool sent, const struct error *err,
		     void *arg)
{
	struct sf_whoami_call *in = arg;
	struct error why;
	struct json_object *body = take_body(in, response, err, &why);
	bool ok = body && take_org(in, only_record(body), &why);

	(void)sent;
	json_object_put(body);
	if (ok)
		ask_user(in);
	else
		finish(in, NULL, &why);
}

static void have_user(const struct http_response *response, bool sent, const struct error *err,
		      void *arg)
{
	struct sf_whoami_call *in = arg;
	struct error why;
	struct json_object *body = take_body(in, response, err, &why);

	(void)sent;
	if (!body) {
		finish(in, NULL, &why);
		return;
	}
	show(only_record(body), "Username", in->who.username);
	show(only_record(body), "Name", in->who.name);
	json_object_put(body);
	finish(in, &in->who, NULL);
}
