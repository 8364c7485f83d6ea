/* minted.c */
#include "minted.h"

#include <sys/random.h>

#include "mem.h"
#include "text.h"

#define NOISE_MAX 120

static struct {
	char **list; /* owned, as are its members */
	size_t count;
} minted[MINTED_MAX];

static const char *keep(enum minted kind, char *value)
{
	minted[kind].list =
		mem_grow(minted[kind].list, (minted[kind].count + 1) * sizeof(*minted[kind].list));
	minted[kind].list[minted[kind].count++] = value;
	return value;
}

const char *minted_make(enum minted kind, const char *prefix, size_t length, const char *suffix)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
	unsigned char noise[NOISE_MAX];
	struct text out = { 0 };

	if (length > sizeof(noise) || getrandom(noise, length, 0) != (ssize_t)length)
		abort();
	text_word(&out, prefix);
	for (size_t i = 0; i < length; i++)
		text_char(&out, letters[noise[i] & 63]);
	text_word(&out, suffix);
	text_done(&out);
	return keep(kind, out.at);
}

void minted_keep(enum minted kind, const char *value)
{
	keep(kind, mem_text(value, strlen(value)));
}

void minted_write(struct text *out)
{
	static const char *const names[MINTED_MAX] = {
		[MINTED_TOKEN] = "tokens",   [MINTED_REFRESH] = "refresh_tokens",
		[MINTED_CODE] = "codes",     [MINTED_COOKIE] = "cookies",
		[MINTED_SECRET] = "secrets",
	};

	for (int kind = 0; kind < MINTED_MAX; kind++) {
		text_printf(out, "%s\"%s\":[", kind ? "," : "{", names[kind]);
		for (size_t i = 0; i < minted[kind].count; i++) {
			if (i)
				text_char(out, ',');
			text_json_word(out, minted[kind].list[i]);
		}
		text_char(out, ']');
	}
	text_char(out, '}');
}
