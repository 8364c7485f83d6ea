/* secret_report.h - the vault's secrets by name, as JSON: what `leadsync secret list` shows, with a
 * daemon or without. */
#pragma once

struct conf;
struct error;
struct json_object;
struct vault;

/* [{"name":...,"set":...,"accounts":[...]}]; NULL with `err`. The caller owns it. */
struct json_object *secret_report(struct vault *vault, const struct conf *conf, struct error *err);
