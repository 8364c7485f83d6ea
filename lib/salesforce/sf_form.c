#include "salesforce/sf_form.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "secret/secret.h"

/* An access token may be a JWT of some KB, an assertion is 1 KB: each byte of it three here. */
#define MOST_FORM ((size_t)32 * 1024)

static bool is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static size_t encoded_len(const char *text, size_t len)
{
	size_t all = len;

	for (size_t i = 0; i < len; i++)
		all += is_unreserved(text[i]) ? 0 : 2;
	return all;
}

/* Percent-encodes to `to`; answers behind what it wrote. */
static char *encode(char *to, const char *text, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (is_unreserved(text[i])) {
			*to++ = text[i];
		} else {
			*to++ = '%';
			*to++ = hex[byte >> 4];
			*to++ = hex[byte & 15];
		}
	}
	return to;
}

static bool is_left_out(const struct sf_form_field *in)
{
	return !in->text && !in->secret;
}

static const char *open_value(const struct sf_form_field *in, size_t *ret_len)
{
	if (in->secret)
		return secret_open(in->secret, ret_len);
	*ret_len = strlen(in->text);
	return in->text;
}

static void close_value(const struct sf_form_field *in)
{
	if (in->secret)
		secret_close(in->secret);
}

/* "name=value&" */
static size_t field_len(const struct sf_form_field *in)
{
	size_t len, all;
	const char *value;

	if (is_left_out(in))
		return 0;
	value = open_value(in, &len);
	all = strlen(in->name) + 1 + encoded_len(value, len) + 1;
	close_value(in);
	return all;
}

static char *put_field(char *to, const struct sf_form_field *in)
{
	size_t len;
	const char *value;

	if (is_left_out(in))
		return to;
	value = open_value(in, &len);
	to = mempcpy(to, in->name, strlen(in->name));
	*to++ = '=';
	to = encode(to, value, len);
	*to++ = '&';
	close_value(in);
	return to;
}

struct secret *sf_form_make(const struct sf_form_field *fields, size_t count, struct error *err)
{
	struct secret *made;
	size_t len = 0;
	char *to;

	for (size_t i = 0; i < count; i++)
		len += field_len(&fields[i]);
	if (len > MOST_FORM) {
		error_set(err, ERROR_HUMAN, "secret-too-long",
			  "client_id and what proves it make a form of more than %zu bytes: no app "
			  "has such",
			  MOST_FORM);
		return NULL;
	}
	made = secret_blank(len - 1, &to); /* the last '&' lies where its NUL will */
	for (size_t i = 0; i < count; i++)
		to = put_field(to, &fields[i]);
	to[-1] = '\0';
	secret_close(made);
	return made;
}
