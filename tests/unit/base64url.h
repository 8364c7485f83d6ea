/* base64url.h - what a JWT is made of, back into bytes: by OpenSSL, so that our own encoder does not
 * judge itself. After cmocka's headers. */
#pragma once
#include <openssl/evp.h>
#include <string.h>

#include "base/mem.h"

/* base64url to bytes; free() it. */
static inline unsigned char *base64url_decode(const char *text, size_t len, size_t *ret_len)
{
	size_t room = (len + 3) / 4 * 4;
	CLEANUP_FREE char *padded = mem_array(char, room + 1);
	unsigned char *made = mem_array(unsigned char, room + 1);

	memset(padded, '=', room);
	for (size_t i = 0; i < len; i++)
		padded[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	assert_true(EVP_DecodeBlock(made, (unsigned char *)padded, (int)room) > 0);
	*ret_len = len * 3 / 4;
	made[*ret_len] = '\0';
	return made;
}
