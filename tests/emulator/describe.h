/* describe.h - /sobjects/, /sobjects/X and /sobjects/X/describe, each with If-Modified-Since. */
#pragma once

struct call;

void describe_global(struct call *call);
void describe_brief(struct call *call);
void describe_full(struct call *call);
