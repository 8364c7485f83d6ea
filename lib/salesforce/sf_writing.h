/* sf_writing.h - a batch on its way: built, sent once, and what became of it. */
#pragma once
#include "remote/remote.h"

struct sf_caller;
struct sf_writing;

struct sf_writing_args {
	struct sf_caller *caller;
	const char *api_version;
	const struct remote_batch
		*batch; /* both borrowed during the start; the mapping is shared */
};

/* Cannot fail at once. REMOTE_NOT_DONE: it could not be built (sf_write.h), no token was to be had,
 * nothing left, or the answer leaves no doubt (sf_effect.h). Whatever else is no believable success
 * is REMOTE_UNKNOWN. Where the server blames a record or a field of the whole, `at` is the count. */
struct sf_writing *sf_writing_start(const struct sf_writing_args *args, remote_written_fn *done,
				    void *arg);

/* Frees; `done` will not be called. What has left may yet be done. NULL is allowed. */
void sf_writing_cancel(struct sf_writing *in);
