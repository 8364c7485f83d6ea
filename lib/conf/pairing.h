/* pairing.h - how rows and records come to be pairs: a job's match, external_id and create. */
#pragma once

struct conf_block;
struct conf_mistakes;

/* Holds the keys of a [job] against each other and against its [fields]. Each mistake is told at the
 * key's line. */
void conf_pairing_check(const struct conf_block *job, const struct conf_block *fields,
			struct conf_mistakes *mistakes);
