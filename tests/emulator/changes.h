/* changes.h - /sobjects/X/updated/ and /sobjects/X/deleted/. */
#pragma once

struct call;

void changes_updated(struct call *call);
void changes_deleted(struct call *call);
