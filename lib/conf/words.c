#include "conf/words.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "conf/closest.h"
#include "conf/keys.h"

char *conf_words_list(const struct conf_word *words)
{
	char *list = mem_strdup("");

	for (const struct conf_word *word = words; word->name; word++) {
		CLEANUP_FREE char *before = list;
		bool is_last = !word[1].name;

		list = mem_format("%s%s%s", before, word->name,
				  is_last ? "" : (word[2].name ? ", " : " or "));
	}
	return list;
}

bool conf_words_find(const struct conf_word *words, const char *text, int *ret, struct error *err)
{
	CLEANUP_FREE char *list = conf_words_list(words);
	struct conf_closest closest = { .wrong = text };
	char hint[CONF_CLOSEST_HINT_SIZE];

	for (const struct conf_word *word = words; word->name; word++) {
		if (strcmp(word->name, text) == 0) {
			*ret = word->value;
			return true;
		}
		conf_closest_try(&closest, word->name);
	}
	return error_set(err, ERROR_HUMAN, "conf", "expected %s, not `%.60s`%s", list, text,
			 conf_closest_hint(&closest, hint));
}
