/* code.c */
#include "code.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "clock.h"
#include "mem.h"
#include "minted.h"

#define LIFE_S       (15 * 60)
#define VERIFIER_MIN 43
#define VERIFIER_MAX 256 /* RFC 7636 ends at 128, jsforce sends 171 */

static struct code *list;
static size_t count;

const struct code *code_make(const char *redirect_uri, const char *scope, const char *challenge)
{
	struct code *out;

	list = mem_grow(list, (count + 1) * sizeof(*list));
	out = &list[count++];
	*out = (struct code){
		.text = minted_make(MINTED_CODE, "aPrx", 80, "=="),
		.client_id = app()->id,
		.redirect_uri = mem_text(redirect_uri, strlen(redirect_uri)),
		.made_s = clock_now_s(),
	};
	snprintf(out->scope, sizeof(out->scope), "%s", scope);
	snprintf(out->challenge, sizeof(out->challenge), "%s", challenge);
	return out;
}

struct code *code_find(const char *text)
{
	for (size_t i = 0; text && i < count; i++)
		if (strcmp(list[i].text, text) == 0)
			return &list[i];
	return NULL;
}

bool code_is_expired(const struct code *in)
{
	return clock_now_s() - in->made_s >= LIFE_S;
}

static size_t url_characters(const char *text, const char *more)
{
	size_t out = 0;

	while (text[out] &&
	       ((text[out] >= 'A' && text[out] <= 'Z') || (text[out] >= 'a' && text[out] <= 'z') ||
		(text[out] >= '0' && text[out] <= '9') || strchr(more, text[out])))
		out++;
	return out;
}

bool code_is_challenge(const char *text)
{
	return url_characters(text, "-_") == CODE_CHALLENGE_SIZE - 1 &&
	       text[CODE_CHALLENGE_SIZE - 1] == '\0';
}

bool code_is_verified(const struct code *in, const char *verifier)
{
	size_t length = strlen(verifier);
	unsigned char digest[SHA256_DIGEST_LENGTH], printed[48];

	if (length < VERIFIER_MIN || length > VERIFIER_MAX ||
	    url_characters(verifier, "-._~") != length)
		return false;
	SHA256((const unsigned char *)verifier, length, digest);
	EVP_EncodeBlock(printed, digest, sizeof(digest));
	for (size_t i = 0; i < CODE_CHALLENGE_SIZE - 1; i++)
		printed[i] = printed[i] == '+' ? '-' : printed[i] == '/' ? '_' : printed[i];
	printed[CODE_CHALLENGE_SIZE - 1] = '\0'; /* where the padding was */
	return strcmp((const char *)printed, in->challenge) == 0;
}
