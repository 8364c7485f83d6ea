/* pending.c */
#include "pending.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "call.h"
#include "clock.h"
#include "mem.h"
#include "rest.h"
#include "session.h"
#include "stamp.h"

#define DONE_MAX 1000 /* kept to be told */

struct pending {
	int64_t due_ms;
	enum verb verb;
	enum kind kind;
	char *uri;                 /* owned */
	struct evkeyvalq *headers; /* owned, until it is done */
	char *body;                /* owned */
	size_t body_length;
	struct session session; /* as it was; it may be dead by then */
	int status;             /* 0: not done yet */
	const char *error;
	struct pending *next;
};

static struct pending *waiting; /* by their times */
static struct pending *done, *done_last;
static size_t done_count;

static void free_pending(struct pending *in)
{
	if (in->headers)
		evhttp_clear_headers(in->headers);
	free(in->headers);
	free(in->uri);
	free(in->body);
	free(in);
}

static struct evkeyvalq *copy_headers(const struct evkeyvalq *from)
{
	struct evkeyvalq *out = mem_new(sizeof(*out));
	const struct evkeyval *at;

	TAILQ_INIT(out);
	TAILQ_FOREACH(at, from, next)
	{
		evhttp_add_header(out, at->key, at->value);
	}
	return out;
}

bool pending_take(struct call *call, const char *uri, int64_t after_s)
{
	struct pending *out, **at = &waiting;

	if (!rest_admit(call))
		return false;
	out = mem_new(sizeof(*out));
	*out = (struct pending){ .due_ms = clock_now_ms() + after_s * 1000,
				 .verb = call->verb,
				 .kind = call->kind,
				 .uri = mem_text(uri, strlen(uri)),
				 .headers = copy_headers(call->headers),
				 .body = mem_text(call->body_length ? call->body : "",
						  call->body_length),
				 .body_length = call->body_length,
				 .session = *call->session };
	while (*at && (*at)->due_ms <= out->due_ms)
		at = &(*at)->next;
	out->next = *at;
	*at = out;
	return true;
}

static void keep_done(struct pending *in)
{
	in->next = NULL;
	if (done)
		done_last->next = in;
	else
		done = in;
	done_last = in;
	if (++done_count > DONE_MAX) {
		struct pending *old = done;

		done = old->next;
		free_pending(old);
		done_count--;
	}
}

static void carry_out(struct pending *in)
{
	struct call call;

	clock_pretend_ms(in->due_ms);
	call_open(&call, in->verb, in->uri);
	call.headers = call.own_headers = in->headers;
	in->headers = NULL;
	call.body = in->body;
	call.body_length = in->body_length;
	call.session = &in->session;
	call.is_late = true;
	rest_find (&call)(&call);
	in->status = call.status;
	in->error = call.error;
	call_close(&call);
	clock_pretend_ms(0);
}

void pending_run(void)
{
	while (waiting && waiting->due_ms <= clock_now_ms()) {
		struct pending *one = waiting;

		waiting = one->next;
		carry_out(one);
		keep_done(one);
	}
}

static void free_all(struct pending *in)
{
	while (in) {
		struct pending *next = in->next;

		free_pending(in);
		in = next;
	}
}

void pending_clear(void)
{
	free_all(waiting);
	free_all(done);
	waiting = done = done_last = NULL;
	done_count = 0;
}

static void write_list(const struct pending *in, struct text *out)
{
	static const char *const verbs[] = { "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "?" };
	char stamp[29];

	text_char(out, '[');
	for (; in; in = in->next) {
		stamp_format(in->due_ms / 1000, stamp);
		text_printf(out, "{\"due\":\"%s\",\"in_s\":%lld,\"kind\":\"%s\",\"verb\":\"%s\",",
			    stamp, (long long)((in->due_ms - clock_now_ms() + 999) / 1000),
			    kind_name(in->kind), verbs[in->verb]);
		text_word(out, "\"path\":");
		text_json_word(out, in->uri);
		if (in->status)
			text_printf(out, ",\"status\":%d,\"outcome\":\"%s\"", in->status,
				    in->error ? in->error : "ok");
		text_word(out, in->next ? "}," : "}");
	}
	text_char(out, ']');
}

void pending_write(struct text *out)
{
	text_word(out, "{\"pending\":");
	write_list(waiting, out);
	text_word(out, ",\"done\":");
	write_list(done, out);
	text_char(out, '}');
}
