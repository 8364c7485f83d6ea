/* base.h - libevent's side of the loop, for rooms that put more of libevent on it. */
#pragma once

struct event_base;
struct loop;

/* Lent, good until loop_free(): nobody but the loop runs or stops it. */
struct event_base *loop_base(struct loop *in);
