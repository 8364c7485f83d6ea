/* fake_keeper.h - a keeper that hands out token-1, token-2, ...: in the place of lib/auth's, of which
 * it has the five functions that a call needs. */
#pragma once
#include <stdint.h>

#include "auth/keeper.h"

struct loop;

struct keeper {
	struct loop *loop;
	const char *instance_url;
	uint64_t generation;
	uint64_t proved;     /* the generation last said to be good */
	unsigned moved;      /* so many of them given up for their host */
	const char *trouble; /* code of the error it answers with; NULL: none */
};

#define FAKE_ORG_ID  "00D8d0000004QxREAU"
#define FAKE_USER_ID "0058d000002Kp7ZAAS"
