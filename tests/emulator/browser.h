/* browser.h - the login a browser keeps, as the cookie `sid`, so that it need not ask again. */
#pragma once
#include <stdbool.h>

struct call;

/* Logs the browser in: the answer sets its cookie. */
void browser_begin(struct call *call);

/* Whether the request comes from a browser that is logged in. */
bool browser_is_known(const struct call *call);

void browser_end_all(void);
