/* http.c - in order: http_start, a place in the queue, turn, run, curl's callbacks, curl_ended or a
 * timer, turn again, deliver. Whatever must not happen inside a call, or inside curl, happens in
 * `turn`, which the loop calls. */
#include "http/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/error.h"
#include "http/answer.h"
#include "http/easy.h"
#include "http/multi.h"
#include "http/wiping.h"
#include "loop/loop.h"

#define STALL_SPAN_MS    10000
#define STALL_MS         60000
#define STALL_BYTES_S    100
#define DEFAULT_PARALLEL 4

static const struct limits {
	size_t gathered, streamed;
	int64_t deadline_ms;
} class_limits[] = {
	[HTTP_TOKEN] = { (size_t)64 << 10, (size_t)64 << 10, 30000 },
	[HTTP_READ] = { (size_t)64 << 20, (size_t)1 << 30, 150000 },
	[HTTP_META] = { (size_t)16 << 20, (size_t)16 << 20, 150000 },
	[HTTP_WRITE] = { (size_t)64 << 20, (size_t)64 << 20, 620000 },
};

enum request_state {
	REQUEST_WAITS, /* in `waiting` */
	REQUEST_RUNS,  /* in `running`: curl has it */
	REQUEST_DYING, /* there too, but cancelled while inside curl: removed next turn */
	REQUEST_ENDED, /* in `ended`: `done` is next */
};

struct http_request {
	TAILQ_ENTRY(http_request) entry;
	struct http_client *client;
	enum request_state state;

	struct easy easy; /* what to send, and how curl has it */

	/* How it goes. */
	const struct limits *limits;
	struct loop_timer *connect_timer; /* until the request is sent */
	struct loop_timer *deadline_timer;
	struct loop_timer *stall_timer; /* from the first byte of the body */
	int64_t span_from_ms, span_from_bytes, slow_ms;
	bool sent;
	struct answer answer;
	bool cut; /* the body is longer than anybody wants to know */
	int64_t wire_bytes;
	bool failed;
	struct error why;

	http_body_fn *on_body;
	http_done_fn *done;
	void *arg;
};
TAILQ_HEAD(request_list, http_request);

struct http_client {
	struct loop *loop;
	struct easy_rules rules; /* its texts owned */
	unsigned parallel;
	unsigned running_count; /* of those that `parallel` limits: tokens are not */
	struct multi *multi;
	struct request_list waiting, running, ended;
	struct loop_timer *turn; /* NULL: nothing to do */
};

static void turn(void *arg);
static void run(struct http_request *in);
static int before_sending(void *arg, char *ip, char *own_ip, int port, int own_port);
static size_t take_header(char *bytes, size_t size, size_t count, void *arg);
static size_t take_body(char *bytes, size_t size, size_t count, void *arg);
static void connect_too_long(void *arg);
static void deadline_passed(void *arg);
static void look_for_stall(void *arg);
static void curl_ended(CURL *easy, CURLcode result, void *arg);
static void deliver(struct http_request *in);

/* The client. */

static bool start_curl(struct error *err)
{
	static bool started; /* for good: curl's own clean-up is of no use to a daemon */
	const curl_version_info_data *info;

	if (started)
		return true;
	/* Curl would write all TLS secrets to the file it names. */
	unsetenv("SSLKEYLOGFILE");
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free, wiping_realloc,
				 wiping_strdup, wiping_calloc) != CURLE_OK)
		return error_set(err, ERROR_HUMAN, "curl", "libcurl does not start");
	info = curl_version_info(CURLVERSION_NOW);
	if ((info->features & CURL_VERSION_SSL) == 0 || (info->features & CURL_VERSION_LIBZ) == 0 ||
	    (info->features & CURL_VERSION_ASYNCHDNS) == 0)
		return error_set(
			err, ERROR_HUMAN, "curl",
			"this libcurl (%s) lacks TLS, gzip or name look-ups that do not block",
			info->version);
	started = true;
	return true;
}

struct http_client *http_client_new(struct loop *loop, const struct http_options *options,
				    struct error *err)
{
	struct http_client *in;

	if (!start_curl(err))
		return NULL;
	if (options->ca_file && access(options->ca_file, R_OK) < 0) {
		error_set(err, ERROR_HUMAN, "ca-file", "ca_file %s cannot be read",
			  options->ca_file);
		return NULL;
	}
	in = mem_new(struct http_client);
	*in = (struct http_client){
		.loop = loop,
		.parallel = options->parallel ? options->parallel : DEFAULT_PARALLEL,
	};
	in->rules = (struct easy_rules){
		.user_agent = mem_strdup(options->user_agent ? options->user_agent : "leadsyncd"),
		.ca_file = options->ca_file ? mem_strdup(options->ca_file) : NULL,
		.proxy = mem_strdup(options->proxy ? options->proxy : ""),
		.allow_plain = options->allow_plain,
	};
	TAILQ_INIT(&in->waiting);
	TAILQ_INIT(&in->running);
	TAILQ_INIT(&in->ended);
	in->multi = multi_new(loop, in->parallel, curl_ended, in);
	return in;
}

static void request_free(struct http_request *in)
{
	loop_timer_cancel(in->connect_timer);
	loop_timer_cancel(in->deadline_timer);
	loop_timer_cancel(in->stall_timer);
	easy_done(&in->easy);
	answer_done(&in->answer);
	free(in);
}

/* Only for one that runs or is dying, and outside curl. */
static void take_from_curl(struct http_request *in)
{
	TAILQ_REMOVE(&in->client->running, in, entry);
	in->client->running_count -= !in->easy.is_token;
	multi_remove(in->client->multi, in->easy.handle);
}

static void bury_dying(struct http_client *in)
{
	struct http_request *request, *next;

	for (request = TAILQ_FIRST(&in->running); request; request = next) {
		next = TAILQ_NEXT(request, entry);
		if (request->state != REQUEST_DYING)
			continue;
		take_from_curl(request);
		request_free(request);
	}
}

void http_client_free(struct http_client *in)
{
	if (!in)
		return;
	bury_dying(in);
	multi_free(in->multi);
	loop_timer_cancel(in->turn);
	free(in->rules.user_agent);
	free(in->rules.ca_file);
	free(in->rules.proxy);
	free(in);
}

static void turn_soon(struct http_client *in)
{
	if (!in->turn)
		in->turn = loop_soon(in->loop, turn, in);
}

/* A token is not one of `parallel`: those may all be waiting for it, or read for minutes. */
static bool may_run(const struct http_request *in)
{
	return in->easy.is_token || in->client->running_count < in->client->parallel;
}

static void turn(void *arg)
{
	struct http_client *in = arg;
	struct http_request *request;

	in->turn = NULL;
	bury_dying(in);
	while ((request = TAILQ_FIRST(&in->waiting)) && may_run(request)) {
		TAILQ_REMOVE(&in->waiting, request, entry);
		run(request);
	}
	request = TAILQ_FIRST(&in->ended);
	if (!request)
		return;
	/* One a turn, and last: `done` may free the client. */
	TAILQ_REMOVE(&in->ended, request, entry);
	if (!TAILQ_EMPTY(&in->ended))
		turn_soon(in);
	deliver(request);
}

/* The request, up to when curl gets it. */

/* Tokens before all others. */
static void queue(struct http_client *in, struct http_request *request)
{
	struct http_request *other = NULL;

	if (request->easy.is_token)
		TAILQ_FOREACH(other, &in->waiting, entry)
	if (!other->easy.is_token)
		break;
	if (other)
		TAILQ_INSERT_BEFORE(other, request, entry);
	else
		TAILQ_INSERT_TAIL(&in->waiting, request, entry);
}

struct http_request *http_start(struct http_client *in, const struct http_call *call,
				http_done_fn *done, void *arg)
{
	struct http_request *request = mem_new(struct http_request);

	*request = (struct http_request){
		.client = in,
		.limits = &class_limits[call->class],
		.on_body = call->on_body,
		.done = done,
		.arg = arg,
	};
	easy_copy(&request->easy, call);
	queue(in, request);
	turn_soon(in);
	return request;
}

void http_cancel(struct http_request *in)
{
	struct http_client *client;

	if (!in)
		return;
	client = in->client;
	switch (in->state) {
	case REQUEST_WAITS: TAILQ_REMOVE(&client->waiting, in, entry); break;
	case REQUEST_ENDED: TAILQ_REMOVE(&client->ended, in, entry); break;
	case REQUEST_RUNS:
	case REQUEST_DYING:
		turn_soon(client); /* somebody may take its place */
		if (multi_is_inside(client->multi)) {
			in->state = REQUEST_DYING;
			return;
		}
		take_from_curl(in);
	}
	request_free(in);
}

static void run(struct http_request *in)
{
	const struct easy_hooks hooks = { .before_sending = before_sending,
					  .take_header = take_header,
					  .take_body = take_body,
					  .arg = in };
	struct http_client *client = in->client;

	in->state = REQUEST_RUNS;
	TAILQ_INSERT_TAIL(&client->running, in, entry);
	client->running_count += !in->easy.is_token;
	easy_start(&in->easy, &client->rules, &hooks);
	in->connect_timer = loop_after(client->loop, EASY_CONNECT_MS, connect_too_long, in);
	in->deadline_timer = loop_after(client->loop, in->limits->deadline_ms, deadline_passed, in);
	multi_add(client->multi, in->easy.handle);
}

/* Curl's callbacks: nothing in them calls curl, save to read a number. */

static int64_t wire_bytes(struct http_request *in)
{
	curl_off_t bytes = 0;

	curl_easy_getinfo(in->easy.handle, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
	return bytes;
}

/* The connection stands, TLS too; the request leaves next. */
static int before_sending(void *arg, char *ip, char *own_ip, int port, int own_port)
{
	struct http_request *in = arg;

	(void)ip;
	(void)own_ip;
	(void)port;
	(void)own_port;
	if (in->state == REQUEST_DYING)
		return CURL_PREREQFUNC_ABORT;
	if (in->sent && strcmp(in->easy.method, "GET") != 0) {
		/* Curl would send it again since the connection it reused gave no answer. */
		in->failed = true;
		error_set(&in->why, ERROR_RETRY, "reset",
			  "%s: the connection was closed without an answer", in->easy.host);
		return CURL_PREREQFUNC_ABORT;
	}
	in->sent = true;
	loop_timer_cancel(TAKE(in->connect_timer));
	return CURL_PREREQFUNC_OK;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_request *in = arg;

	if (in->state == REQUEST_DYING)
		return 0;
	if (!answer_header(&in->answer, bytes, size * count, &in->why)) {
		error_prefix(&in->why, "%s", in->easy.host);
		in->failed = true;
		return 0;
	}
	return size * count;
}

static void start_stall_span(struct http_request *in)
{
	in->span_from_ms = loop_steady_ms(in->client->loop);
	in->span_from_bytes = wire_bytes(in);
	in->stall_timer = loop_after(in->client->loop, STALL_SPAN_MS, look_for_stall, in);
}

static bool keep_or_hand_on(struct http_request *in, const char *bytes, size_t len)
{
	bool good = answer_is_good(&in->answer);
	size_t most = in->on_body ? in->limits->streamed : in->limits->gathered;
	size_t room = ANSWER_MOST_ERROR_BODY - in->answer.body_len;
	/* For a token: a page instead of one has no end, but its beginning shows what it is. */
	bool may_cut = !good || in->easy.is_token;

	if (may_cut && len > room) {
		answer_keep(&in->answer, bytes, room);
		in->cut = true;
		return false;
	}
	if (!answer_count(&in->answer, len, wire_bytes(in), most, &in->why)) {
		error_prefix(&in->why, "%s", in->easy.host);
		in->failed = true;
		return false;
	}
	if (!good || !in->on_body) {
		answer_keep(&in->answer, bytes, len);
	} else if (!in->on_body(bytes, len, in->arg, &in->why)) {
		in->failed = true;
		return false;
	}
	return in->state == REQUEST_RUNS;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_request *in = arg;

	if (in->state == REQUEST_DYING)
		return 0;
	if (!in->stall_timer)
		start_stall_span(in);
	return keep_or_hand_on(in, bytes, size * count) ? size * count : 0;
}

/* The end, which is one of curl's or one of ours. */

/* Which step of connecting it is in, as a code. */
static const char *step_code(struct http_request *in)
{
	curl_off_t resolved = 0;
	long own_port = 0; /* known once TCP stands; curl's connect time counts TLS in */

	curl_easy_getinfo(in->easy.handle, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
	curl_easy_getinfo(in->easy.handle, CURLINFO_LOCAL_PORT, &own_port);
	if (in->sent)
		return "timeout";
	return !resolved ? "dns" : !own_port ? "connect" : "tls";
}

/* It is out of curl's hands. */
static void end(struct http_request *in)
{
	struct http_client *client = in->client;

	in->wire_bytes = wire_bytes(in);
	easy_end(&in->easy);
	loop_timer_cancel(TAKE(in->connect_timer));
	loop_timer_cancel(TAKE(in->deadline_timer));
	loop_timer_cancel(TAKE(in->stall_timer));
	in->state = REQUEST_ENDED;
	TAILQ_INSERT_TAIL(&client->ended, in, entry);
	turn_soon(client);
}

static void end_with(struct http_request *in, const char *code, const char *text)
{
	in->failed = true;
	error_set(&in->why, ERROR_RETRY, code, "%s: %s", in->easy.host, text);
	take_from_curl(in);
	end(in);
}

static void connect_too_long(void *arg)
{
	struct http_request *in = arg;

	in->connect_timer = NULL;
	end_with(in, step_code(in), "no connection within 10 s");
}

static void deadline_passed(void *arg)
{
	struct http_request *in = arg;

	in->deadline_timer = NULL;
	end_with(in, "timeout", "no complete answer in time");
}

static void look_for_stall(void *arg)
{
	struct http_request *in = arg;
	int64_t ms = loop_steady_ms(in->client->loop) - in->span_from_ms;
	int64_t bytes = wire_bytes(in) - in->span_from_bytes;

	in->stall_timer = NULL;
	in->slow_ms = bytes * 1000 < STALL_BYTES_S * ms ? in->slow_ms + ms : 0;
	if (in->slow_ms >= STALL_MS)
		end_with(in, "stalled", "less than 100 bytes/s for 60 s");
	else
		start_stall_span(in);
}

static const char *code_of(CURLcode result, struct http_request *in)
{
	static const struct {
		CURLcode result;
		const char *code;
	} rows[] = {
		{ CURLE_COULDNT_RESOLVE_HOST, "dns" },
		{ CURLE_COULDNT_RESOLVE_PROXY, "dns" },
		{ CURLE_COULDNT_CONNECT, "connect" },
		{ CURLE_PROXY, "connect" },
		{ CURLE_SSL_CONNECT_ERROR, "tls" },
		{ CURLE_SSL_CIPHER, "tls" },
		{ CURLE_PEER_FAILED_VERIFICATION, "certificate" },
		{ CURLE_SSL_CACERT_BADFILE, "certificate" },
		{ CURLE_SEND_ERROR, "reset" },
		{ CURLE_RECV_ERROR, "reset" },
		{ CURLE_GOT_NOTHING, "reset" },
		{ CURLE_PARTIAL_FILE, "reset" },
		{ CURLE_OUT_OF_MEMORY, "too-large" }, /* one header line of over 100 KB */
	};

	if (result == CURLE_OPERATION_TIMEDOUT)
		return step_code(in);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].result == result)
			/* A reset before anything is sent is trouble with connecting. */
			return strcmp(rows[i].code, "reset") == 0 && !in->sent ? step_code(in)
									       : rows[i].code;
	return "protocol";
}

static void judge(struct http_request *in, CURLcode result)
{
	const char *text = *in->easy.curl_text ? in->easy.curl_text : curl_easy_strerror(result);

	if (result == CURLE_OK && !in->answer.headers_end) {
		/* To curl, a connection that closes amid the headers ends them. */
		result = CURLE_PARTIAL_FILE;
		text = "the connection was closed amid the headers";
	}
	if (in->failed || result == CURLE_OK || in->cut)
		return;
	in->failed = true;
	if (!in->sent && (result == CURLE_URL_MALFORMAT || result == CURLE_UNSUPPORTED_PROTOCOL ||
			  result == CURLE_LOGIN_DENIED))
		error_set(&in->why, ERROR_BUG, "bad-url", "%s: this URL may not be asked: %s",
			  in->easy.host, text);
	else
		error_set(&in->why, ERROR_RETRY, code_of(result, in), "%s: %s", in->easy.host,
			  text);
}

static void curl_ended(CURL *easy, CURLcode result, void *arg)
{
	struct http_client *client = arg;
	struct http_request *in = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&in);
	TAILQ_REMOVE(&client->running, in, entry);
	client->running_count -= !in->easy.is_token;
	if (in->state == REQUEST_DYING) {
		request_free(in);
		return;
	}
	judge(in, result);
	end(in);
}

static void deliver(struct http_request *in)
{
	struct answer answer = in->answer;
	struct error why = in->why;
	struct http_response response;
	http_done_fn *done = in->done;
	void *arg = in->arg;
	bool failed = in->failed, sent = in->sent;

	answer_response(&answer, loop_now_ms(in->client->loop), &response);
	response.wire_bytes = in->wire_bytes;
	in->answer = (struct answer){ 0 };
	request_free(in);
	done(failed ? NULL : &response, sent, failed ? &why : NULL, arg);
	answer_done(&answer);
}
