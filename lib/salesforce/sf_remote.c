/* sf_remote.c - the provider's table: describes, reading, writing, then what they share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/str.h"
#include "base/utc.h"
#include "loop/loop.h"
#include "record/mapping.h"
#include "record/record.h"
#include "record/schema.h"
#include "remote/remote.h"
#include "salesforce/salesforce.h"
#include "salesforce/sf_call.h"
#include "salesforce/sf_describe.h"
#include "salesforce/sf_page.h"
#include "salesforce/sf_soql.h"
#include "salesforce/sf_writing.h"

#define MOST_BATCH  2000
#define LEAST_BATCH 200
/* Larger pages, decoded, make the next ones smaller; as do those that never came through. */
#define LARGE_PAGE ((size_t)16 * 1024 * 1024)

/* What describe said of an object last. */
struct object {
	struct object *next;
	char *name;
	struct schema *schema;
	char *last_modified; /* as the server wrote it; NULL if it did not */
};

struct sf_remote {
	struct remote remote; /* first */
	struct loop *loop;
	char *api_version;
	struct sf_caller caller;
	struct object *objects;
	unsigned batch; /* most records a page, lowered by pages that are too much */
};

struct remote_call {
	struct sf_remote *remote;
	struct sf_call *call;     /* owned; NULL if it never began */
	struct loop_timer *first; /* owned; brings `early`, which kept it from beginning */
	struct error early;
	char *object;         /* which, owned; NULL if not known */
	struct sf_page *page; /* reading: owned */
	struct sf_shape shape;
	unsigned batch;    /* what the query asked for; 0: the most */
	unsigned asked;    /* what this page was asked for */
	char *path;        /* which page is asked for; owned */
	char *stamp_field; /* of the shape, owned, as is the next */
	char *key_field;
	remote_schema_fn *schema_done;
	remote_page_fn *page_done;
	struct sf_writing *writing; /* owned; NULL if it is another call */
	remote_written_fn *written_done;
	void *done_arg;
};

static struct remote_call *new_call(struct remote *in, void *arg);
static void fail_soon(struct remote_call *in);
static void free_call(struct remote_call *in);

/* --- describe --- */

static struct object *find_object(struct sf_remote *in, const char *name)
{
	for (struct object *object = in->objects; object; object = object->next)
		if (strcasecmp(object->name, name) == 0)
			return object;
	return NULL;
}

static const struct schema *known_schema(struct remote *remote, const char *object)
{
	struct object *found = find_object((struct sf_remote *)remote, object);

	return found ? found->schema : NULL;
}

static void keep_schema(struct sf_remote *in, const char *name, struct schema *schema,
			const char *last_modified)
{
	struct object *object = find_object(in, name);
	int64_t ms;

	if (!object) {
		object = mem_new(struct object);
		object->name = mem_strdup(name);
		object->next = in->objects;
		in->objects = object;
	}
	schema_free(object->schema);
	free(object->last_modified);
	object->schema = schema;
	/* It goes back in a header, so it must be a date and nothing else. */
	object->last_modified =
		utc_parse_http(last_modified, &ms) ? mem_strdup(last_modified) : NULL;
	/* It moves with every change of the object, its picklists and permissions included. */
	if (object->last_modified)
		schema->version = mem_strdup(object->last_modified);
}

/* What concerns one record or field of a write concerns all of a read. */
static void widen(struct error *err, const char *object)
{
	struct error narrow = *err;

	if (err->kind == ERROR_RECORD || err->kind == ERROR_FIELD)
		error_set(err, ERROR_HUMAN, narrow.code,
			  "%s cannot be read: it is not there, or our user may not see it", object);
}

static void described(const struct sf_call_end *end, void *arg)
{
	const struct http_response *response = end->response;
	struct remote_call ended = *(struct remote_call *)arg, *in = arg;
	CLEANUP_FREE char *name = TAKE(in->object);
	struct object *object = find_object(in->remote, name);
	struct schema *schema = NULL;
	bool changed = false;
	struct error why;

	free_call(in);
	if (end->err) {
		why = *end->err;
		widen(&why, name);
	} else if (response->status == 304 && object) {
		schema = object->schema;
	} else {
		schema = sf_describe_parse(response->body, response->body_len, &why);
		changed = schema != NULL;
		if (changed)
			keep_schema(ended.remote, name, schema, response->last_modified);
	}
	if (schema)
		ended.schema_done(schema, changed, end->server_ms, NULL, ended.done_arg);
	else
		ended.schema_done(NULL, false, 0, &why, ended.done_arg);
}

static struct remote_call *describe(struct remote *remote, const char *object,
				    remote_schema_fn *done, void *arg)
{
	struct remote_call *in = new_call(remote, arg);
	const struct object *known = find_object(in->remote, object);
	CLEANUP_FREE char *path = NULL;
	CLEANUP_FREE char *since = NULL;
	const char *headers[2] = { NULL };

	in->schema_done = done;
	in->object = mem_strdup(object);
	if (!str_is_name(object)) {
		error_set(&in->early, ERROR_HUMAN, "no-such-object", "'%s' is no name of an object",
			  object);
		fail_soon(in);
		return in;
	}
	if (known && known->last_modified)
		headers[0] = since = mem_format("If-Modified-Since: %s", known->last_modified);
	path = mem_format("/services/data/v%s/sobjects/%s/describe", in->remote->api_version,
			  object);
	in->call = sf_call_start(&(struct sf_call_args){ .caller = &in->remote->caller,
							 .class = HTTP_META,
							 .path = path,
							 .headers = headers },
				 described, in);
	return in;
}

/* --- reading --- */

/* The word for the next page holds what this one was asked for, as no one else remembers it:
 * "SystemModstamp|2000dm|Key__c:0:0|/services/data/v66.0/query/01g...-2000". */
static char *format_next(const struct sf_shape *shape, unsigned batch, const char *path)
{
	CLEANUP_FREE char *key = shape->key_field
					 ? mem_format("%s:%u:%d", shape->key_field,
						      (unsigned)shape->key_type, shape->key_scale)
					 : mem_strdup("");

	return mem_format("%s|%u%s%s%s%s%s|%s|%s", shape->stamp_field ? shape->stamp_field : "",
			  batch, shape->has_deleted ? "d" : "", shape->has_master ? "m" : "",
			  shape->has_modified ? "t" : "", shape->has_modifier ? "u" : "",
			  shape->ids_only ? "i" : "", key, path);
}

/* "Key__c:0:0"; "" is none. */
static bool parse_key(struct remote_call *in, const char *word)
{
	const char *colon = strchr(word, ':');
	unsigned type;
	int scale;

	if (!*word)
		return true;
	if (!colon || sscanf(colon, ":%u:%d", &type, &scale) != 2 || type > VALUE_SET)
		return false;
	in->key_field = mem_strndup(word, (size_t)(colon - word));
	in->shape.key_field = in->key_field;
	in->shape.key_type = (enum value_type)type;
	in->shape.key_scale = scale;
	return str_is_name(in->key_field);
}

static bool parse_parts(struct remote_call *in, const char *stamp, const char *flags,
			const char *key, const char *path)
{
	if (!path || !url_is_server_path(path) || (*stamp && !str_is_name(stamp)))
		return false;
	in->stamp_field = *stamp ? mem_strdup(stamp) : NULL;
	in->batch = (unsigned)strtoul(flags, NULL, 10);
	in->shape = (struct sf_shape){ .stamp_field = in->stamp_field,
				       .has_deleted = strchr(flags, 'd'),
				       .has_master = strchr(flags, 'm'),
				       .has_modified = strchr(flags, 't'),
				       .has_modifier = strchr(flags, 'u'),
				       .ids_only = strchr(flags, 'i') };
	return parse_key(in, key);
}

/* The path in it; NULL with in->early set. */
static char *parse_next(struct remote_call *in, const char *next)
{
	CLEANUP_FREE char *words = mem_strdup(next);
	char *rest = words, *stamp = strsep(&rest, "|"), *flags = strsep(&rest, "|"),
	     *key = strsep(&rest, "|");

	/* The rest is the path, whatever it holds. */
	if (parse_parts(in, stamp, flags, key, rest))
		return mem_strdup(rest);
	error_set(&in->early, ERROR_BUG, "bad-next",
		  "the position of the next page is not one of ours");
	return NULL;
}

static bool take_bytes(const char *bytes, size_t len, void *arg, struct error *err)
{
	struct remote_call *in = arg;

	return sf_page_feed(in->page, bytes, len, err);
}

/* The next pages, of this query and of all others, hold half of what this one was to. */
static void ask_for_less(struct remote_call *in)
{
	unsigned half = in->asked / 2 > LEAST_BATCH ? in->asked / 2 : LEAST_BATCH;

	if (in->remote->batch > half)
		in->remote->batch = half;
}

/* It was too much, or may have been. */
static bool is_too_much(const struct error *err)
{
	static const char *const codes[] = { "timeout", "stalled", "too-large", "QUERY_TIMEOUT" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(err->code, codes[i]) == 0)
			return true;
	return false;
}

/* A page that names a next one says so in our words. */
static bool keep_next(const struct remote_call *in, struct record_page *page, struct error *err)
{
	CLEANUP_FREE char *path = TAKE(page->next);

	if (!path)
		return true;
	if (strcmp(path, in->path) == 0)
		return error_set(err, ERROR_RETRY, "protocol",
				 "the page of a query names itself as the next");
	page->next = format_next(&in->shape, in->batch, path);
	return true;
}

static void have_read(const struct sf_call_end *end, void *arg)
{
	struct remote_call *in = arg;
	remote_page_fn *done = in->page_done;
	void *done_arg = in->done_arg;
	struct record_page *page = NULL;
	struct error why;

	if (end->err) {
		why = *end->err;
		widen(&why, in->object ? in->object : "the object");
	} else {
		page = sf_page_end(in->page, &why);
	}
	if (page && !keep_next(in, page, &why))
		record_page_free(TAKE(page));
	if (page)
		page->server_ms = end->server_ms;
	if (page ? page->bytes > LARGE_PAGE : is_too_much(&why))
		ask_for_less(in);
	free_call(in);
	done(page, page ? NULL : &why, done_arg);
}

static void start_reading(struct remote_call *in, struct mapping *mapping, const char *path)
{
	char options[64];
	const char *headers[] = { options, NULL };

	in->asked = in->batch && in->batch < in->remote->batch ? in->batch : in->remote->batch;
	if (in->asked < LEAST_BATCH)
		in->asked = LEAST_BATCH;
	snprintf(options, sizeof(options), "Sforce-Query-Options: batchSize=%u", in->asked);
	in->path = mem_strdup(path);
	in->shape.user_id = in->remote->caller.user_id;
	in->page = sf_page_new(mapping, &in->shape);
	in->call = sf_call_start(&(struct sf_call_args){ .caller = &in->remote->caller,
							 .class = HTTP_READ,
							 .path = path,
							 .headers = headers,
							 .on_body = take_bytes },
				 have_read, in);
}

static struct remote_call *read_first(struct remote *remote, const struct remote_query *query,
				      remote_page_fn *done, void *arg)
{
	struct remote_call *in = new_call(remote, arg);
	const struct schema *schema = known_schema(remote, query->object);
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE char *path = NULL;

	in->page_done = done;
	in->object = mem_strdup(query->object);
	in->batch = query->batch;
	if (!schema)
		error_set(&in->early, ERROR_BUG, "no-schema", "%s was never described",
			  query->object);
	else
		text = sf_soql_text(query, schema, &in->shape, &in->early);
	if (text)
		path = sf_soql_path(in->remote->api_version, query, text, &in->early);
	if (path) {
		in->stamp_field = in->shape.stamp_field ? mem_strdup(in->shape.stamp_field) : NULL;
		in->shape.stamp_field = in->stamp_field;
		in->key_field = in->shape.key_field ? mem_strdup(in->shape.key_field) : NULL;
		in->shape.key_field = in->key_field;
		start_reading(in, query->mapping, path);
	} else {
		fail_soon(in);
	}
	return in;
}

static struct remote_call *read_more(struct remote *remote, struct mapping *mapping,
				     const char *next, remote_page_fn *done, void *arg)
{
	struct remote_call *in = new_call(remote, arg);
	CLEANUP_FREE char *path = parse_next(in, next);

	in->page_done = done;
	if (path)
		start_reading(in, mapping, path);
	else
		fail_soon(in);
	return in;
}

/* --- writing --- */

static void have_written(const struct remote_written *written, void *arg)
{
	struct remote_call ended = *(struct remote_call *)arg;

	free_call(arg);
	ended.written_done(written, ended.done_arg);
}

static struct remote_call *write_batch(struct remote *remote, const struct remote_batch *batch,
				       remote_written_fn *done, void *arg)
{
	struct remote_call *in = new_call(remote, arg);

	in->written_done = done;
	in->writing =
		sf_writing_start(&(struct sf_writing_args){ .caller = &in->remote->caller,
							    .api_version = in->remote->api_version,
							    .batch = batch },
				 have_written, in);
	return in;
}

/* --- what they share --- */

static struct remote_call *new_call(struct remote *in, void *arg)
{
	struct remote_call *call = mem_new(struct remote_call);

	call->remote = (struct sf_remote *)in;
	call->done_arg = arg;
	return call;
}

static void free_call(struct remote_call *in)
{
	free(in->object);
	free(in->stamp_field);
	free(in->key_field);
	free(in->path);
	sf_page_free(in->page);
	free(in);
}

static void bring_early(void *arg)
{
	struct remote_call ended = *(struct remote_call *)arg;

	free_call(arg);
	if (ended.schema_done)
		ended.schema_done(NULL, false, 0, &ended.early, ended.done_arg);
	else
		ended.page_done(NULL, &ended.early, ended.done_arg);
}

static void fail_soon(struct remote_call *in)
{
	in->first = loop_soon(in->remote->loop, bring_early, in);
}

static void cancel(struct remote_call *in)
{
	if (!in)
		return;
	loop_timer_cancel(in->first);
	sf_call_cancel(in->call);
	sf_writing_cancel(in->writing);
	free_call(in);
}

static const char *org_id(struct remote *in)
{
	return ((struct sf_remote *)in)->caller.org_id;
}

struct sf_remote *sf_remote_new(const struct sf_remote_args *args)
{
	static const struct remote_ops ops = {
		.describe = describe,
		.schema = known_schema,
		.read = read_first,
		.read_more = read_more,
		.write = write_batch,
		.cancel = cancel,
		.org_id = org_id,
	};
	struct sf_remote *in = mem_new(struct sf_remote);

	in->remote.ops = &ops;
	in->loop = args->loop;
	in->api_version = mem_strdup(args->api_version);
	in->caller = (struct sf_caller){ .loop = args->loop,
					 .http = args->http,
					 .keeper = args->keeper,
					 .policy = args->policy };
	sf_caller_start(&in->caller);
	in->batch = MOST_BATCH;
	return in;
}

void sf_remote_free(struct sf_remote *in)
{
	if (!in)
		return;
	for (struct object *object = in->objects, *next; object; object = next) {
		next = object->next;
		schema_free(object->schema);
		free(object->name);
		free(object->last_modified);
		free(object);
	}
	free(in->api_version);
	free(in);
}

struct remote *sf_remote_interface(struct sf_remote *in)
{
	return &in->remote;
}

struct sf_usage sf_remote_usage(const struct sf_remote *in)
{
	return in->caller.usage;
}
