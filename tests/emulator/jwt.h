/* jwt.h - assertions that the app signed: for its user, in the JWT bearer flow, or for itself. */
#pragma once
#include <stdbool.h>

struct refusal;

/* Whether the assertion is from the app, for the app's user and this org, and of now. */
bool jwt_check_user(const char *assertion, struct refusal *why);

/* Whether it proves the app to the token endpoint, in place of the consumer secret. */
bool jwt_check_client(const char *assertion, struct refusal *why);
