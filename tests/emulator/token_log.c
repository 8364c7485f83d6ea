/* token_log.c */
#include "token_log.h"

#include <stdint.h>

#include "clock.h"
#include "mem.h"
#include "refusal.h"
#include "stamp.h"
#include "text.h"

static struct entry {
	char grant_type[80];
	struct refusal why; /* error NULL: none */
	int64_t at_ms;
	size_t grant;
	enum presented presented;
	bool is_faulted;
	bool is_open;
	bool is_concurrent;        /* with any other */
	bool is_family_concurrent; /* with another of its family */
} * list;
static size_t count, open_count;

size_t token_log_begin(const char *grant_type, bool is_faulted)
{
	struct entry *out;

	list = mem_grow(list, (count + 1) * sizeof(*list));
	out = &list[count];
	*out = (struct entry){ .at_ms = clock_now_ms(),
			       .is_faulted = is_faulted,
			       .is_open = true,
			       .is_concurrent = open_count > 0 };
	for (size_t i = 0; grant_type[i] && i + 1 < sizeof(out->grant_type); i++)
		out->grant_type[i] =
			grant_type[i] > ' ' && grant_type[i] < 127 ? grant_type[i] : '?';
	for (size_t i = 0; open_count && i < count; i++)
		if (list[i].is_open)
			list[i].is_concurrent = true;
	open_count++;
	return count++;
}

bool token_log_is_busy(size_t entry, size_t grant)
{
	for (size_t i = 0; open_count > 1 && i < count; i++)
		if (i != entry && list[i].is_open && list[i].grant == grant)
			return true;
	return false;
}

void token_log_family(size_t entry, size_t grant, enum presented what)
{
	list[entry].grant = grant;
	list[entry].presented = what;
	for (size_t i = 0; grant && open_count > 1 && i < count; i++)
		if (i != entry && list[i].is_open && list[i].grant == grant)
			list[i].is_family_concurrent = list[entry].is_family_concurrent = true;
}

void token_log_outcome(size_t entry, const struct refusal *why)
{
	list[entry].why = why ? *why : (struct refusal){ NULL, NULL };
}

void token_log_end(size_t entry)
{
	list[entry].is_open = false;
	open_count--;
}

void token_log_write(struct text *out)
{
	static const char *const names[] = {
		[PRESENTED_NONE] = NULL,
		[PRESENTED_CURRENT] = "current",
		[PRESENTED_SUPERSEDED] = "superseded",
		[PRESENTED_UNKNOWN] = "unknown",
	};
	char stamp[29];

	text_word(out, "{\"requests\":[");
	for (size_t i = 0; i < count; i++) {
		const struct entry *in = &list[i];

		stamp_format(in->at_ms / 1000, stamp);
		text_word(out, i ? ",{\"grant_type\":" : "{\"grant_type\":");
		text_json_word(out, in->grant_type);
		text_word(out, ",\"outcome\":");
		text_json_word(out, in->why.error ? in->why.error : "ok");
		text_word(out, ",\"description\":");
		text_json_word(out, in->why.description);
		text_printf(out, ",\"at\":\"%s\",\"at_ms\":%lld,\"family\":", stamp,
			    (long long)in->at_ms);
		if (in->grant)
			text_printf(out, "%zu", in->grant);
		else
			text_word(out, "null");
		text_word(out, ",\"presented\":");
		text_json_word(out, names[in->presented]);
		text_printf(out,
			    ",\"faulted\":%s,\"in_process\":%s,\"concurrent\":%s,"
			    "\"family_concurrent\":%s}",
			    in->is_faulted ? "true" : "false", in->is_open ? "true" : "false",
			    in->is_concurrent ? "true" : "false",
			    in->is_family_concurrent ? "true" : "false");
	}
	text_word(out, "]}");
}
