/* sf_ask.h - what an OAuth endpoint is asked for: its answers mean other things, and ask for other
 * remedies, from one to the next. */
#pragma once

enum sf_ask {
	SF_ASK_REFRESH = 1,  /* web: the next token */
	SF_ASK_EXCHANGE = 2, /* web: the first, for the code of a login */
	SF_ASK_JWT = 4,
	SF_ASK_CLIENT = 8, /* client_credentials */
	SF_ASK_ABOUT = 16, /* introspect, revoke: no token is asked for */
};
