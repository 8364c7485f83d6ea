/* id.c - Salesforce's record ids: 15 characters of base 62, told apart by case, and 3 more that
 * repeat the case so that systems which ignore it can carry them.
 *
 * (Salesforce help, "15-character and 18-character Salesforce IDs".) */
#include "record/value.h"

#include <string.h>

#define ID_CORE   15
#define ID_WHOLE  18
#define ID_GROUPS 3

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_base62(char c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Bit j of a group of five says that its character j is upper case. */
static void checksum(const char *core, char out[ID_GROUPS])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

	for (int group = 0; group < ID_GROUPS; group++) {
		unsigned bits = 0;

		for (int j = 0; j < 5; j++)
			bits |= (unsigned)is_upper(core[group * 5 + j]) << j;
		out[group] = digits[bits];
	}
}

bool value_id18(const char *text, size_t len, char out[19])
{
	char sum[ID_GROUPS];

	if (len != ID_CORE && len != ID_WHOLE)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_base62(text[i]))
			return false;
	checksum(text, sum);
	if (len == ID_WHOLE && memcmp(text + ID_CORE, sum, ID_GROUPS) != 0)
		return false;
	memcpy(out, text, ID_CORE);
	memcpy(out + ID_CORE, sum, ID_GROUPS);
	out[ID_WHOLE] = '\0';
	return true;
}
