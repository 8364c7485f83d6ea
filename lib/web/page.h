/* page.h - what a browser is shown: constant pages, with nothing of a request in them. */
#pragma once

struct evhttp_request;

enum page {
	PAGE_DONE,
	PAGE_DENIED,
	PAGE_NOT_THE_ANSWER,
	PAGE_BAD_REQUEST,
	PAGE_NOT_FOUND,
	PAGE_NOT_GET,
	PAGE_TOO_LONG,
};

/* Answers the request, which is then libevent's again; the connection ends with it. */
void page_send(enum page page, struct evhttp_request *request);
