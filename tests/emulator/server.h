/* server.h - requests in: from evhttp to a call, to its handler, to the reply. */
#pragma once

struct evhttp;

void server_start(struct evhttp *http);
