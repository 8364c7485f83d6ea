/* markup.c */
#include "markup.h"

#include "text.h"

void markup_escape(const char *from, struct text *out)
{
	for (; *from; from++) {
		switch (*from) {
		case '&': text_word(out, "&amp;"); break;
		case '<': text_word(out, "&lt;"); break;
		case '>': text_word(out, "&gt;"); break;
		case '"': text_word(out, "&quot;"); break;
		case '\'': text_word(out, "&#39;"); break;
		default: text_char(out, *from); break;
		}
	}
}
