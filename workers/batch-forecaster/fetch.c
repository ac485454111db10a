/* fetch.c -- see fetch.h.  A server that is busy with something else gives up first: the loop that asks stands still meanwhile. */
#include "workers/batch-forecaster/fetch.h"

#include "common/store/models.h"

static int
get(void *self, struct span name, struct span version, struct arena *arena, struct span *bytes, bool *found,
    struct err *err)
{
	struct model m;

	if (store_connect(self, err) < 0 || store_exec(self, "SET statement_timeout = '20s'", err) < 0 ||
	    models_get(self, name, version, arena, &m, found, err) < 0)
		return -1;
	*bytes = *found ? m.artefact : SPAN_NONE;
	return 0;
}

struct library_source
fetch_from(struct store *s)
{
	return (struct library_source){ get, s };
}
