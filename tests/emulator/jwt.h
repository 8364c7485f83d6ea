/* jwt.h - assertions of the JWT bearer flow: signed by the app for its user. */
#pragma once
#include <stdbool.h>

struct refusal;

/* Whether the assertion is from the app, for the app's user and this org, and of now. */
bool jwt_check(const char *assertion, struct refusal *why);
