/* sfid.c */
#include "sfid.h"

#include <ctype.h>
#include <string.h>

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char checks[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

static void add_checksum(char id[SFID_SIZE])
{
	for (int group = 0; group < 3; group++) {
		int bits = 0;

		for (int i = 0; i < 5; i++) {
			char one = id[group * 5 + i];

			if (one >= 'A' && one <= 'Z')
				bits |= 1 << i;
		}
		id[15 + group] = checks[bits];
	}
	id[18] = '\0';
}

void sfid_make(const char *prefix, int64_t number, char out[SFID_SIZE])
{
	uint64_t left = (uint64_t)number + 175000000; /* as in an org that has lived a while */

	memcpy(out, prefix, 3);
	memcpy(out + 3, "8d0000", 6);
	for (int i = 14; i >= 9; i--) {
		out[i] = digits[left % 62];
		left /= 62;
	}
	add_checksum(out);
}

bool sfid_parse(const char *from, size_t length, char out[SFID_SIZE])
{
	char id[SFID_SIZE];

	if (length != 15 && length != 18)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)from[i]))
			return false;
	memcpy(id, from, 15);
	add_checksum(id);
	if (length == 18 && strncasecmp(id + 15, from + 15, 3) != 0)
		return false;
	memcpy(out, id, SFID_SIZE);
	return true;
}
