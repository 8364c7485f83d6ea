#include "store/store.h"

#include <stdlib.h>
#include <string.h>

void store_close(struct store *in)
{
	if (in)
		in->ops->close(in);
}

void store_state_copy(struct store_state *to, const struct store_state *from)
{
	struct store_state made = *from;

	made.mapping = from->mapping ? mem_strdup(from->mapping) : NULL;
	made.where = from->where ? mem_strdup(from->where) : NULL;
	made.schema = from->schema ? mem_strdup(from->schema) : NULL;
	store_state_clear(to);
	*to = made;
}

void store_state_clear(struct store_state *in)
{
	free(in->mapping);
	free(in->where);
	free(in->schema);
	*in = (struct store_state){ 0 };
}

bool cursor_equal(const struct cursor *a, const struct cursor *b)
{
	return a->phase == b->phase && a->bound_ms == b->bound_ms && a->since_ms == b->since_ms &&
	       a->last_ms == b->last_ms && strcmp(a->last_id, b->last_id) == 0 &&
	       a->deletions_ms == b->deletions_ms && a->whole_ms == b->whole_ms;
}
