/* reply.h - puts a finished call's answer on the wire: headers, gzip, latency, faults of transport.
 */
#pragma once
#include <stdint.h>

struct call;
struct event_base;
struct evhttp_request;
struct fault_shape;

void reply_configure(struct event_base *base, int64_t latency_ms);

/* Takes what it needs of the call, which may be closed then. `shape` may be NULL: nothing goes
 * wrong, and there is no latency either. */
void reply_send(struct evhttp_request *request, struct call *call, const struct fault_shape *shape);
