/* world_private.h - for the files of the world alone. */
#pragma once
#include "world.h"

extern sqlite3 *world_stores_handle; /* the store's connection, last opened */

void world_watch_stores(struct world *in); /* every connection opened from now on */
void world_mind_clock(const struct world *in);
sqlite3 *world_look(struct world *in);
void world_close_look(struct world *in);
void world_name_file(char out[80], const char *path, const char *more);
