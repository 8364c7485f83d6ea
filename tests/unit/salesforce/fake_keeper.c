#include "fake_keeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "loop/loop.h"
#include "secret/secret.h"

struct keeper_wait {
	struct keeper *keeper;
	struct loop_timer *timer;
	keeper_done_fn *done;
	void *arg;
};

static void hand_out(void *arg)
{
	struct keeper_wait wait = *(struct keeper_wait *)arg;
	struct keeper *in = wait.keeper;
	char token[32];
	struct keeper_lease lease = { .instance_url = in->instance_url,
				      .org_id = FAKE_ORG_ID,
				      .user_id = FAKE_USER_ID,
				      .generation = in->generation };
	struct error err;

	free(arg);
	if (in->trouble) {
		error_set(&err, ERROR_HUMAN, in->trouble, "parked");
		wait.done(NULL, &err, wait.arg);
		return;
	}
	snprintf(token, sizeof(token), "token-%d", (int)in->generation);
	lease.access_token = secret_new(token, strlen(token));
	wait.done(&lease, NULL, wait.arg);
	secret_free(lease.access_token);
}

struct keeper_wait *keeper_get(struct keeper *in, keeper_done_fn *done, void *arg)
{
	struct keeper_wait *wait = mem_new(struct keeper_wait);

	*wait = (struct keeper_wait){ .keeper = in, .done = done, .arg = arg };
	wait->timer = loop_soon(in->loop, hand_out, wait);
	return wait;
}

void keeper_cancel(struct keeper_wait *in)
{
	if (in)
		loop_timer_cancel(in->timer);
	free(in);
}

void keeper_refused(struct keeper *in, uint64_t generation)
{
	assert_int_equal(generation, in->generation);
	in->generation++;
}

void keeper_moved(struct keeper *in, uint64_t generation)
{
	in->moved++;
	keeper_refused(in, generation);
}

void keeper_proved(struct keeper *in, uint64_t generation)
{
	in->proved = generation;
}
