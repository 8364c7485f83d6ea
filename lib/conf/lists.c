#include "conf/lists.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/mem.h"
#include "conf/hosts.h"
#include "conf/names.h"

void conf_list_done(struct conf_list *in)
{
	for (size_t i = 0; i < in->count; i++)
		free(in->items[i]);
	free(in->items);
	*in = (struct conf_list){ 0 };
}

static void add(struct conf_list *in, const char *text, size_t len)
{
	in->items = mem_resize(in->items, in->count + 1, sizeof(*in->items));
	in->items[in->count++] = mem_strndup(text, len);
}

/* To what was there before. */
static void cut_back(struct conf_list *in, size_t count)
{
	while (in->count > count)
		free(in->items[--in->count]);
	if (!count)
		conf_list_done(in);
}

bool conf_list_add_hosts(struct conf_list *in, const char *text, struct error *err)
{
	static const char between[] = " \t";
	size_t before = in->count;

	while (*text) {
		size_t len = strcspn(text, between);

		if (!conf_host_is_valid(text, len)) {
			cut_back(in, before);
			return error_set(err, ERROR_HUMAN, "conf",
					 "expected HOST or HOST:PORT, several with blanks between, "
					 "not `%.*s`",
					 (int)(len < 60 ? len : 60), text);
		}
		add(in, text, len);
		text += len;
		text += strspn(text, between);
	}
	return true;
}

static bool check_field(const struct conf_list *in, const char *name, struct error *err)
{
	if (!conf_field_name_check(name, err))
		return false;
	for (size_t i = 0; i < in->count; i++)
		if (strcasecmp(in->items[i], name) == 0)
			return error_set(err, ERROR_HUMAN, "conf", "the field `%.60s` stands twice",
					 name);
	return true;
}

bool conf_list_add_fields(struct conf_list *in, const char *text, struct error *err)
{
	static const char between[] = " \t,";
	size_t before = in->count;

	text += strspn(text, between);
	if (!*text)
		return error_set(err, ERROR_HUMAN, "conf",
				 "expected API names of fields, with blanks or commas between");
	while (*text) {
		size_t len = strcspn(text, between);
		CLEANUP_FREE char *name = mem_strndup(text, len);

		if (!check_field(in, name, err)) {
			cut_back(in, before);
			return false;
		}
		add(in, text, len);
		text += len;
		text += strspn(text, between);
	}
	return true;
}
