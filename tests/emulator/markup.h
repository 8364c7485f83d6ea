/* markup.h - text within HTML and XML. */
#pragma once

struct text;

/* Good between tags and between quotes. */
void markup_escape(const char *from, struct text *out);
