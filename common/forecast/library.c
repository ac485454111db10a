/* library.c -- books by "<name> US <version>"; cards by the same, kept after a book has left. */
#include "common/forecast/library.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/map.h"

#define UNUSED_MAX 4   /* books that nobody uses */
#define CARDS_MAX 1000 /* beyond it all are forgotten */
#define PAUSE_US (5 * US_PER_SECOND)
#define KEY_BYTES 1100

struct library {
	struct library_source source;
	struct library_watch watch;
	struct map *books, *cards;
	uint64_t clock;    /* of use */
	int64_t failed_us; /* when the source failed last; 0: never */
};

static void
book_free(void *p)
{
	struct book *b = p;

	artefact_clear(&b->artefact);
	free(b);
}

int
library_new(const struct library_source *source, const struct library_watch *watch, struct library **ret,
	    struct err *err)
{
	struct library *l = calloc(1, sizeof(*l));

	if (l) {
		l->source = *source;
		if (watch)
			l->watch = *watch;
		l->books = map_new(book_free);
		l->cards = map_new(free);
	}
	if (!l || !l->books || !l->cards) {
		library_free(l);
		return err_set(err, REASON_NO_MEMORY, "models");
	}
	*ret = l;
	return 0;
}

void
library_free(struct library *l)
{
	if (!l)
		return;
	map_free(l->books);
	map_free(l->cards);
	free(l);
}

bool
library_open(const struct library *l)
{
	return l->source.get;
}

static struct span
key_of(struct span name, struct span version, char text[KEY_BYTES])
{
	int n = snprintf(text, KEY_BYTES, "%.*s\x1f%.*s", SPAN_ARG(name), SPAN_ARG(version));

	return (struct span){ text, n < KEY_BYTES ? (size_t)n : KEY_BYTES - 1 };
}

/* The card of a version, a new one if there is none.  NULL: no memory. */
static struct library_card *
card_of(struct library *l, struct span key)
{
	struct library_card *c = map_get(l->cards, key);

	if (c)
		return c;
	if (map_count(l->cards) >= CARDS_MAX) {
		struct map *none = map_new(free);

		if (!none)
			return NULL;
		map_free(l->cards);
		l->cards = none;
	}
	c = calloc(1, sizeof(*c));
	if (c && map_put(l->cards, key, c) < 0) {
		free(c);
		return NULL;
	}
	return c;
}

/* Name and version again. */
static void
tell_event(const struct library *l, void (*event)(void *self, struct span name, struct span version), struct span key)
{
	const char *cut = memchr(key.ptr, '\x1f', key.len);
	size_t name = cut ? (size_t)(cut - key.ptr) : key.len, version = cut ? name + 1 : key.len;

	if (event)
		event(l->watch.self, (struct span){ key.ptr, name },
		      (struct span){ key.ptr + version, key.len - version });
}

/* Let the longest unused book go, if there are too many of them. */
static void
tidy(struct library *l)
{
	struct span key, oldest = SPAN_NONE;
	uint64_t used = UINT64_MAX;
	size_t n = 0;
	void *value;

	for (size_t at = 0; map_next(l->books, &at, &key, &value);) {
		const struct book *b = value;

		n += !b->users;
		if (!b->users && b->used < used) {
			used = b->used;
			oldest = key;
		}
	}
	if (n > UNUSED_MAX) {
		tell_event(l, l->watch.gone, oldest);
		book_free(map_take(l->books, oldest));
	}
}

/* Bytes to a book. */
static int
read_book(struct library *l, struct span key, struct span bytes, struct book **ret, struct err *err)
{
	struct book *b = calloc(1, sizeof(*b));

	if (!b)
		return err_set(err, REASON_NO_MEMORY, "models");
	if (artefact_read(bytes, &b->artefact, err) < 0) {
		free(b);
		return -1;
	}
	if (!b->artefact.n_networks) {
		book_free(b);
		return err_set(err, REASON_STATE_CORRUPT, "an artefact without networks");
	}
	if (map_put(l->books, key, b) < 0) {
		book_free(b);
		return err_set(err, REASON_NO_MEMORY, "models");
	}
	tell_event(l, l->watch.here, key);
	*ret = b;
	return 0;
}

static int
fetch(struct library *l, struct span name, struct span version, struct span key, struct library_card *card,
      struct book **ret, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(64 << 10, 64 << 10);
	struct span bytes = SPAN_NONE;
	bool found = false;

	card->missing = false;
	if (!arena)
		return err_set(err, REASON_NO_MEMORY, "models");
	if (!l->source.get)
		return err_set(err, REASON_STORE_DOWN, "no place is named where models are (postgres.uri)");
	if (l->source.get(l->source.self, name, version, arena, &bytes, &found, err) < 0) {
		l->failed_us = clock_monotonic_us();
		return -1;
	}
	card->missing = !found;
	if (!found)
		return err_set(err, REASON_STORE_DOWN, "there is no such version");
	return read_book(l, key, bytes, ret, err);
}

/* Why it is not here. */
static void
tell_failure(struct library *l, struct span name, struct span version, struct library_card *card, const struct err *why)
{
	card->broken = why->reason == REASON_STATE_CORRUPT || why->reason == REASON_STATE_VERSION;
	card->known = false;
	card->asked_us = clock_monotonic_us();
	if (l->watch.failed)
		l->watch.failed(l->watch.self, name, version, !card->told, card->broken, why);
	card->told = true;
}

/* What the book says of itself; the card may be a new one. */
static void
fill_in(struct library_card *card, const struct book *b)
{
	const struct deepar_config *c = &b->artefact.networks[0]->config;

	memcpy(card->frequency, c->frequency.name, sizeof(card->frequency));
	card->horizon = c->horizon;
	card->n_cats = c->n_cats;
	card->n_reals = c->n_reals;
	card->n_dynamic = c->n_dynamic;
	card->known = true;
}

/* The book and its card. */
static int
find(struct library *l, struct span name, struct span version, struct library_card **card, struct book **ret,
     struct err *err)
{
	char text[KEY_BYTES];
	struct span key = key_of(name, version, text);

	*ret = map_get(l->books, key);
	*card = card_of(l, key);
	if (!*card)
		return err_set(err, REASON_NO_MEMORY, "models");
	if (!*ret && (*card)->broken)
		return err_set(err, REASON_STATE_CORRUPT, "model %.*s/%.*s cannot be read, as was found out before",
			       SPAN_ARG(name), SPAN_ARG(version));
	if (!*ret && fetch(l, name, version, key, *card, ret, err) < 0) {
		err_wrap(err, "model %.*s/%.*s", SPAN_ARG(name), SPAN_ARG(version));
		tell_failure(l, name, version, *card, err);
		return -1;
	}
	fill_in(*card, *ret);
	(*ret)->used = ++l->clock;
	return 0;
}

struct library_card *
library_look(struct library *l, struct span name, struct span version)
{
	char text[KEY_BYTES];
	struct library_card *card = map_get(l->cards, key_of(name, version, text));
	int64_t now = clock_monotonic_us();
	struct err ignored = ERR_INIT;
	struct book *b;

	if (card && (card->known || card->broken))
		return card;
	if ((l->failed_us && now - l->failed_us < PAUSE_US) ||
	    (card && card->asked_us && now - card->asked_us < PAUSE_US))
		return card && card->missing ? card : NULL;
	if (find(l, name, version, &card, &b, &ignored) < 0)
		return card && (card->broken || card->missing) ? card : NULL;
	tidy(l);
	return card;
}

/* The first time that somebody wants what a version cannot do. */
static void
tell_unfit(struct library *l, struct span name, struct span version, struct library_card *card, const struct err *why)
{
	if (!card->told && l->watch.failed)
		l->watch.failed(l->watch.self, name, version, true, false, why);
	card->told = true;
}

enum library_fit
library_fit(struct library *l, struct span name, struct span version, const struct frequency *f, size_t horizon)
{
	struct library_card *c = version.len ? library_look(l, name, version) : NULL;
	struct deepar_config wants;
	struct err why = ERR_INIT;

	if (!c)
		return version.len ? LIBRARY_AWAY : LIBRARY_UNFIT;
	if (c->broken || c->missing)
		return LIBRARY_LOST;
	if (strcmp(c->frequency, f->name) != 0)
		return LIBRARY_UNFIT;
	wants = (struct deepar_config){ .n_cats = c->n_cats, .n_reals = c->n_reals, .n_dynamic = c->n_dynamic };
	if (deepar_check_plain(&wants, &why) == 0) {
		if ((size_t)c->horizon >= horizon)
			return LIBRARY_FITS;
		err_set(&why, REASON_OPTION_INVALID, "it forecasts %" PRId32 " steps, not %zu", c->horizon, horizon);
	}
	tell_unfit(l, name, version, c, &why);
	return LIBRARY_UNFIT;
}

int
library_take(struct library *l, struct span name, struct span version, struct book **ret, struct err *err)
{
	struct library_card *card;

	if (find(l, name, version, &card, ret, err) < 0)
		return -1;
	(*ret)->users++;
	return 0;
}

void
library_give_back(struct library *l, struct book *b)
{
	if (!b)
		return;
	b->users--;
	tidy(l);
}
