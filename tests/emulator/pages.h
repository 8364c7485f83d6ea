/* pages.h - the HTML a person meets. */
#pragma once

struct ask;
struct call;
struct refusal;

/* The login page; with `message`, what went wrong the last time. */
void pages_login(struct call *call, const struct ask *ask, const char *message);

/* "Allow Access?" */
void pages_approve(struct call *call, const struct ask *ask);

/* What is never told to a callback: the client or the callback itself is wrong. */
void pages_refuse(struct call *call, const struct refusal *why);
