/* control.h - the control socket: what `leadsync` asks of the running daemon.
 *
 * A request is one JSON object on one line: {"verb":"status"}. For `secret-set` the secret's bytes
 * follow the object after a TAB, so that they never pass through a JSON parser. Every answer is one
 * JSON object a line with "version":1; the last one has "done":true or "error":{...}. The socket's
 * mode is the authorisation; changing verbs are logged with the peer's uid. No verb returns a
 * secret.
 *
 *   status      {"verb":"status"}
 *               {"version":1,"done":true,"daemon":{...},"accounts":[...],"jobs":[...]}
 *   runs        {"verb":"runs","job":NAME?,"limit":N?}
 *               {"version":1,"done":true,"runs":[...]}
 *   run         {"verb":"run","job":NAME,"full":BOOL?}
 *               {"version":1,"progress":{...}} ... {"version":1,"done":true,"run":{...}}
 *   secret-set  {"verb":"secret-set","name":NAME} TAB SECRET
 *               {"version":1,"done":true}
 */
#pragma once

#include "base/mem.h"

struct control;
struct daemon;
struct error;

/* `inherited_fd` is systemd's socket or -1. */
struct control *control_new(struct daemon *daemon, const char *path, int inherited_fd,
			    struct error *err);
void control_free(struct control *in);
CLEANUP_DEFINE(struct control, control_free)
