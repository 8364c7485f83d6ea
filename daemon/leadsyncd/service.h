/* service.h - the service manager: readiness, watchdog, the socket it hands over. All no-ops
 * outside systemd. */
#pragma once

#include "base/mem.h"

struct loop;
struct service;

/* Starts to feed the watchdog from the loop, if there is one: a loop that hangs is noticed. */
struct service *service_new(struct loop *loop);
void service_free(struct service *in);
CLEANUP_DEFINE(struct service, service_free)

void service_ready(const char *status);
void service_stopping(void);

/* The control socket of leadsyncd.socket, or -1. */
int service_socket(void);
