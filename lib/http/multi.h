/* multi.h - curl's multi handle on the loop: its sockets, its timer, and what has finished.
 *
 * Private to lib/http. Curl is never called from within a callback of curl: whoever might be in one
 * asks multi_is_inside() and comes back later. */
#pragma once
#include <curl/curl.h>
#include <stdbool.h>

#include "base/mem.h"

struct loop;
struct multi;

/* A transfer is over and already removed. From the loop, never inside multi_add(). Must not call
 * back into this file. */
typedef void multi_ended_fn(CURL *easy, CURLcode result, void *arg);

struct multi *multi_new(struct loop *loop, unsigned most_connections, multi_ended_fn *ended,
			void *arg);
void multi_free(struct multi *in); /* all transfers must be over or removed */
CLEANUP_DEFINE(struct multi, multi_free)

bool multi_is_inside(const struct multi *in);
void multi_add(struct multi *in, CURL *easy);
void multi_remove(struct multi *in, CURL *easy);
