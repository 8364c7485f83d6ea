/* terminal.h - what Salesforce or a database wrote, made fit for a terminal and for a shell: nothing
 * in it moves the cursor, and nothing in it is run. */
#pragma once

struct json_object;

/* Control bytes become '?'. */
void terminal_text(const char *text);

/* A value of a listing in quotes, cut where it is long; null is (blank). */
void terminal_value(struct json_object *value);

/* `text` as one word of a command line; free() it. What begins with a dash stays as it is: the
 * command needs a -- before it. */
char *terminal_word(const char *text);

/* "record ID, row KEY", of a line of a listing. */
void terminal_pair(struct json_object *line);
