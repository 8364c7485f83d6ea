/* data_words.h - for data.c: names and texts, with all that makes text awkward. */
#pragma once
#include <stdint.h>

enum words {
	WORDS_FIRST,
	WORDS_LAST,
	WORDS_COMPANY,
	WORDS_TITLE,
	WORDS_CITY,
	WORDS_COUNTRY,
	WORDS_STREET,
	WORDS_REMARK,
	WORDS_SOURCE,
	WORDS_MAX,
};

const char *data_word(enum words list, uint64_t which);
