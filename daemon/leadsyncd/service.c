#include "service.h"

#include <stdint.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "loop/loop.h"

struct service {
	struct loop *loop;
	struct loop_timer *ping; /* NULL: nobody watches */
	int64_t ping_every_ms;
};

static void ping(void *arg)
{
	struct service *in = arg;

	sd_notify(0, "WATCHDOG=1");
	in->ping = loop_after(in->loop, in->ping_every_ms, ping, in);
}

struct service *service_new(struct loop *loop)
{
	struct service *in = mem_new(struct service);
	uint64_t limit_us;

	in->loop = loop;
	if (sd_watchdog_enabled(0, &limit_us) > 0) {
		in->ping_every_ms = (int64_t)(limit_us / 1000 / 3);
		in->ping = loop_after(loop, in->ping_every_ms, ping, in);
	}
	return in;
}

void service_free(struct service *in)
{
	if (!in)
		return;
	loop_timer_cancel(in->ping);
	free(in);
}

void service_ready(const char *status)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void service_stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=Stopping");
}

int service_socket(void)
{
	return sd_listen_fds(0) >= 1 && sd_is_socket_unix(SD_LISTEN_FDS_START, 0, 1, NULL, 0) > 0
		       ? SD_LISTEN_FDS_START
		       : -1;
}
