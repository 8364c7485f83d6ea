/* control.h - the control socket: what `leadsync` asks of the running daemon.
 *
 * A request is one JSON object on one line: {"verb":"status"}. A secret follows the object after a
 * TAB, as base64url (secret_from_text), so that it never passes through a JSON parser. Every answer
 * is one JSON object a line with "version":1; the last one has "done":true or "error":{...}. The
 * socket's mode is the authorisation; changing verbs are logged with the peer's uid. No verb
 * returns a secret.
 *
 *   status         {"daemon":{...},"accounts":[...],"keys":[...],"jobs":[...]}
 *   account        "account":NAME
 *                  {"account":{...}}: what a login needs to know
 *   runs           "job":NAME?,"limit":N?
 *                  {"runs":[...]}
 *   run            "job":NAME,"full":BOOL?
 *                  {"progress":{...}} ... {"run":{...}}
 *   pause, resume  "job":NAME
 *   fields         "job":NAME
 *                  {"fields":{...}}
 *   errors         "job":NAME?,"limit":N?,"all":BOOL?
 *                  {"errors":[...],"more":BOOL}: job by job, `limit` of each, newest first; with
 *                  "more" there are others behind them; "all": ignored ones too
 *   conflicts      likewise: {"conflicts":[...],"more":BOOL}; "all": decided and resolved ones too
 *   backlog        likewise: {"backlog":[...],"more":BOOL}
 *   retry          "job":NAME,"id":ID?,"field":FIELD?
 *                  {"touched":N,"runs":BOOL,"state":STATE}: how many rejects are forgotten,
 *                  whether the job runs because of it, and what it is doing
 *   ignore         "job":NAME,"id":ID,"field":FIELD?
 *                  {"touched":N}
 *   resolve        "job":NAME,"id":ID,"field":FIELD?,"winner":"remote" or "local"
 *                  or "job":NAME,"id":KEY,"record":ID
 *                  as retry: how many fields are decided
 *   detach         "job":NAME, which must be paused
 *                  {"store":NAME,"table":NAME}
 *   login          "account":NAME,"paste":BOOL? TAB CREDENTIAL?
 *                  web: {"id":ID,"authorize_url":...}, which is all with "paste"; then, when somebody logged
 *                  in, {"login":{...}}. A client that goes before ends the login
 *   login-paste    "account":NAME,"id":ID TAB ADDRESS
 *                  {"id":ID,"login":{...}}
 *   login-confirm  "account":NAME,"id":ID,"hold":BOOL?
 *                  {"held":[...],"paused":[...]}: stored; with "hold" its jobs are paused, which
 *                  "held" tells; "paused" are those that were before
 *   login-cancel   "account":NAME,"id":ID
 *   disconnect     "account":NAME
 *                  {"revoked":"yes", "queued" or "nothing"}
 *   secret-set     "name":NAME TAB SECRET
 *   secret-list    {"secrets":[...]}
 *   secret-delete  "name":NAME
 *   key-rotate     {"resealed":N,"key":ID}
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
