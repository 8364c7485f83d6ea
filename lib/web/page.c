#include "web/page.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stddef.h>
#include <stdlib.h>

struct shown {
	int status;
	const char *reason, *title, *text;
};

static const struct shown pages[] = {
	[PAGE_DONE] = { 200, "OK", "Logged in",
			"You may close this window. leadsync goes on in the terminal." },
	[PAGE_DENIED] = { 200, "OK", "Access was denied",
			  "You may close this window. leadsync says more in the terminal." },
	[PAGE_NOT_THE_ANSWER] = { 400, "Bad Request", "Not this login",
				  "This is not the answer of the login that leadsync waits for. "
				  "Open the address it printed last, once more." },
	[PAGE_BAD_REQUEST] = { 400, "Bad Request", "Bad Request", "Bad Request" },
	[PAGE_NOT_FOUND] = { 404, "Not Found", "Not Found", "Not Found" },
	[PAGE_NOT_GET] = { 405, "Method Not Allowed", "Method Not Allowed", "Method Not Allowed" },
	[PAGE_TOO_LONG] = { 431, "Request Header Fields Too Large", "Too Large", "Too Large" },
};

static const struct {
	const char *name, *value;
} headers[] = {
	{ "Content-Type", "text/html; charset=utf-8" },
	{ "Cache-Control", "no-store" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Content-Security-Policy", "default-src 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Connection", "close" },
};

void page_send(enum page page, struct evhttp_request *request)
{
	const struct shown *in = &pages[page];
	struct evkeyvalq *to = evhttp_request_get_output_headers(request);
	struct evbuffer *body = evbuffer_new();

	if (!body)
		abort();
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		evhttp_add_header(to, headers[i].name, headers[i].value);
	if (page == PAGE_NOT_GET)
		evhttp_add_header(to, "Allow", "GET");
	/* No style: the policy admits none. Browsers know what headings and dark schemes are. */
	evbuffer_add_printf(body,
			    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
			    "<meta name=\"viewport\" content=\"width=device-width\">"
			    "<meta name=\"color-scheme\" content=\"light dark\">"
			    "<title>%s - leadsync</title></head>\n"
			    "<body><main><h1>%s</h1><p>%s</p></main></body></html>\n",
			    in->title, in->title, in->text);
	evhttp_send_reply(request, in->status, in->reason, body);
	evbuffer_free(body);
}
