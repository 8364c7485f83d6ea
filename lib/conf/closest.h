/* closest.h - the word that was probably meant by a wrong one. */
#pragma once

struct conf_closest {
	const char *wrong;
	const char *best; /* NULL: nothing is near */
	unsigned distance;
};

/* Looks at one more word; it must outlive `in`. Near is at most two letters away, case aside. */
void conf_closest_try(struct conf_closest *in, const char *word);

/* "; did you mean `word`?", or "" if nothing is near. `out` is where it is written. */
#define CONF_CLOSEST_HINT_SIZE 128
const char *conf_closest_hint(const struct conf_closest *in, char out[CONF_CLOSEST_HINT_SIZE]);
