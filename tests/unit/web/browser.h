/* browser.h - a browser for tests, byte by byte: on loopback and on the test's own thread, where
 * the loop is turned until nothing is left to do, so that nothing waits and nothing races. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct loop;

/* Free on 127.0.0.1 and on ::1, and below the ports that the kernel gives to clients. */
int browser_free_port(void);

/* A socket of somebody else that listens there, or -1. */
int browser_squat(int family, int port);

/* All that is ready now is worked off. */
void browser_settle(struct loop *loop);

/* A connection to that address of loopback; -1: refused. */
int browser_dial(struct loop *loop, int family, int port);

/* False: the other side is gone. */
bool browser_say(struct loop *loop, int fd, const char *bytes, size_t len);

/* Everything until the other side closed, good until the next call; NULL if it has not. */
const char *browser_hear(struct loop *loop, int fd);
