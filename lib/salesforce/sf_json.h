/* sf_json.h - the JSON of an answer as json-c has it: strictly, or not at all. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct json_object;
struct json_tokener;

/* One that takes nothing but JSON, in UTF-8, at most 32 deep. json_tokener_free() it. */
struct json_tokener *sf_json_tokener(void);

/* A body; NULL if it is no JSON. `*ret_whole` is false if more than blanks follows, which is no
 * answer to believe either. json_object_put() it. */
struct json_object *sf_json_parse(const char *body, size_t len, bool *ret_whole);

/* A body that is JSON to its end; else NULL. */
struct json_object *sf_json_whole(const char *body, size_t len);

/* The text of a member; NULL unless it is text without a NUL inside. `in` may be NULL. */
const char *sf_json_text(struct json_object *in, const char *key);

/* The same; "" for none. */
const char *sf_json_text_or_empty(struct json_object *in, const char *key);

/* Members of all objects in it, however deep: fewer than its text has, and a key stands twice. */
size_t sf_json_members(struct json_object *in);
