#include "salesforce/sf_quote.h"

#include <string.h>

#include "base/str.h"

#define BLANKS    " \t\r\n"
#define MOST_WORD 40
#define LEFT_OUT  "…"

static size_t character_count(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

/* Cuts between characters; control bytes of what was said are '?' from here on. */
static size_t append(char *out, size_t used, const char *text, size_t len)
{
	str_copy_printable(out + used, SF_QUOTE_SIZE - used, text, len);
	return used + strlen(out + used);
}

const char *sf_quote(const char *text, char out[SF_QUOTE_SIZE])
{
	size_t used = 0;

	*out = '\0';
	while (*text && used + 1 < SF_QUOTE_SIZE) {
		size_t blanks = strspn(text, BLANKS), word = strcspn(text + blanks, BLANKS);

		used = append(out, used, text, blanks);
		text += blanks;
		if (character_count(text, word) > MOST_WORD)
			used = append(out, used, LEFT_OUT, strlen(LEFT_OUT));
		else
			used = append(out, used, text, word);
		text += word;
	}
	return out;
}
