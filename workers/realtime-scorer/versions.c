/* versions.c -- a list that is replaced as a whole, and the few versions that were used last, each with its panel. */
#include "workers/realtime-scorer/versions.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#define SEPARATOR '\x1f'
#define PAUSE_US (30 * US_PER_SECOND) /* after a list that could not be had: who asks stands still meanwhile */
#define LIST_BYTES ((size_t)64 << 10)

/* A version in use: its name and number are in the text. */
struct seat {
	struct version version;
	struct book *book;
	uint64_t used;
	char text[];
};

struct versions {
	struct versions_rule rule;
	struct versions_source source;
	struct library_watch watch;
	struct library *library;
	struct arena *arena; /* of the list; NULL: there is none yet */
	struct model *list;
	size_t n_list;
	int64_t due_us;  /* when it is asked for again, on the monotonic clock */
	bool complained; /* since it could last be had */
	struct seat *seats[VERSIONS_KEPT];
	size_t n_seats;
	uint64_t clock; /* of use */
};

int
versions_new(const struct versions_rule *rule, const struct versions_source *source, const struct library_watch *watch,
	     struct versions **ret, struct err *err)
{
	CLEANUP(versions_free) struct versions *v = calloc(1, sizeof(*v));

	if (!v)
		return err_set(err, REASON_NO_MEMORY, "models");
	v->rule = *rule;
	v->source = *source;
	if (watch)
		v->watch = *watch;
	if (library_new(&source->artefacts, watch, &v->library, err) < 0)
		return -1;
	*ret = TAKE(v);
	return 0;
}

static void
seat_free(struct versions *v, struct seat *s)
{
	panel_free(s->version.expert.panel);
	library_give_back(v->library, s->book);
	free(s);
}

void
versions_free(struct versions *v)
{
	if (!v)
		return;
	while (v->n_seats)
		seat_free(v, v->seats[--v->n_seats]);
	library_free(v->library);
	arena_free(v->arena);
	free(v);
}

/* ---- seats ---- */

/* An empty seat for NAME's VERSION. */
static struct seat *
seat_alloc(struct span name, struct span version)
{
	size_t len = name.len + 1 + version.len;
	struct seat *s = calloc(1, sizeof(*s) + len);

	if (!s)
		return NULL;
	memcpy(s->text, name.ptr, name.len);
	s->text[name.len] = SEPARATOR;
	memcpy(s->text + name.len + 1, version.ptr, version.len);
	s->version.text = (struct span){ s->text, len };
	s->version.expert.version = (struct span){ s->text + name.len + 1, version.len };
	return s;
}

/* A model that looks back farther than is ever kept takes no part in anything. */
static void
warn_of_short_past(const struct versions *v, const struct seat *s, struct span name)
{
	char text[1200];

	if (s->version.expert.past <= v->rule.panel.history_max)
		return;
	snprintf(text, sizeof(text), "%.*s/%.*s", SPAN_ARG(name), SPAN_ARG(s->version.expert.version));
	log_event(LOG_WARN, "a model looks back farther than ondemand.history.steps", "model", LOG_S(text), "steps",
		  LOG_I((int64_t)s->version.expert.past), "kept", LOG_I((int64_t)v->rule.panel.history_max), NULL);
}

static int
seat_new(struct versions *v, struct span name, struct span version, struct seat **ret, struct err *err)
{
	struct seat *s = seat_alloc(name, version);
	struct expert *e;

	if (!s)
		return err_set(err, REASON_NO_MEMORY, "models");
	e = &s->version.expert;
	if (library_take(v->library, name, version, &s->book, err) < 0 ||
	    panel_new(&v->rule.panel, &s->book->artefact, NULL, &e->panel, err) < 0) {
		seat_free(v, s);
		return -1;
	}
	e->past = s->book->artefact.networks[0]->past;
	warn_of_short_past(v, s, name);
	*ret = s;
	return 0;
}

/* The seat of that version; a new one takes the place of the one that nobody has used for longest. */
static int
seat_get(struct versions *v, struct span name, struct span version, const struct version **ret, struct err *err)
{
	const size_t len = name.len + 1 + version.len;
	struct seat *s = NULL;
	size_t at = 0;

	for (size_t i = 0; i < v->n_seats && !s; i++) {
		struct seat *here = v->seats[i];

		if (here->version.text.len == len && span_equal(here->version.expert.version, version) &&
		    memcmp(here->text, name.ptr, name.len) == 0)
			s = here;
		if (here->used < v->seats[at]->used)
			at = i;
	}
	if (!s) {
		if (seat_new(v, name, version, &s, err) < 0)
			return -1;
		if (v->n_seats < VERSIONS_KEPT)
			at = v->n_seats++;
		else
			seat_free(v, v->seats[at]);
		v->seats[at] = s;
	}
	s->used = ++v->clock;
	*ret = &s->version;
	return 0;
}

/* ---- what there is ---- */

/* Asked for, if it is too old.  What cannot be had stays as it was. */
static void
refresh(struct versions *v)
{
	CLEANUP(arena_free) struct arena *arena = NULL;
	struct err why = ERR_INIT;
	struct model *list;
	size_t n;

	if (clock_monotonic_us() < v->due_us)
		return;
	arena = arena_new(LIST_BYTES, LIST_BYTES);
	if (!arena || v->source.list(v->source.self, arena, &list, &n, &why) < 0) {
		if (arena && v->watch.failed)
			v->watch.failed(v->watch.self, span_of(v->rule.family), SPAN(""), !v->complained, false, &why);
		v->complained = true;
		v->due_us = clock_monotonic_us() + PAUSE_US;
		return;
	}
	arena_free(v->arena);
	v->arena = TAKE(arena);
	v->list = list;
	v->n_list = n;
	v->complained = false;
	v->due_us = clock_monotonic_us() + v->rule.refresh_us;
}

static bool
serves(const struct versions *v, const struct model *m, struct span device)
{
	return span_equal(m->family, span_of(v->rule.family)) &&
	       (m->status == MODEL_LIVE || (m->status == MODEL_CANARY && model_in_share(device, m->canary_share))) &&
	       library_fit(v->library, m->name, m->version, &v->rule.panel.frequency, v->rule.panel.horizon) ==
		   LIBRARY_FITS;
}

/* The first by name; of one name the canary. */
static bool
goes_before(const struct model *a, const struct model *b)
{
	int order = span_compare(a->name, b->name);

	return order < 0 || (order == 0 && a->status == MODEL_CANARY);
}

int
versions_pick(struct versions *v, struct span device, const struct version **ret, struct err *err)
{
	const struct model *best = NULL;

	*ret = NULL;
	refresh(v);
	for (size_t i = 0; i < v->n_list; i++)
		if (serves(v, &v->list[i], device) && (!best || goes_before(&v->list[i], best)))
			best = &v->list[i];
	if (!best || seat_get(v, best->name, best->version, ret, err) == 0)
		return 0;
	if (err->reason == REASON_NO_MEMORY)
		return -1;
	err_clear(err); /* it was here a moment ago; the library has told why it is not any more */
	return 0;
}

int
versions_again(struct versions *v, struct span text, const struct version **ret, struct err *err)
{
	const char *cut = text.len ? memchr(text.ptr, SEPARATOR, text.len) : NULL;
	struct span name, version;

	*ret = NULL;
	if (!cut)
		return err_set(err, REASON_STATE_CORRUPT, "%zu bytes do not name a model that was used", text.len);
	name = (struct span){ text.ptr, (size_t)(cut - text.ptr) };
	version = (struct span){ cut + 1, text.len - name.len - 1 };
	if (seat_get(v, name, version, ret, err) == 0)
		return 0;
	if (err->reason != REASON_OPTION_INVALID) /* other options than those it was used with */
		return -1;
	err_clear(err);
	return 0;
}
