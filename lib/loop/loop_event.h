/* loop_event.h - what a loop is made of, for the rooms that speak libevent themselves (lib/web). */
#pragma once

struct event_base;
struct loop;

/* Borrowed; freed by loop_free(). */
struct event_base *loop_event_base(struct loop *in);
