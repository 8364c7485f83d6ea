/* client.h - which client a form comes from, and how it proves it. */
#pragma once
#include <stdbool.h>

struct call;
struct params;
struct refusal;

enum client_proof {
	CLIENT_PROVEN, /* the right secret came */
	CLIENT_NAMED,  /* no secret came, and none is demanded */
	CLIENT_REFUSED,
};

/* The body's id and secret win over those of a Basic header. A secret that came must be the right
 * one. In its place the app may sign an assertion. */
enum client_proof client_check(struct call *call, const struct params *form,
			       bool is_secret_demanded, struct refusal *why);
