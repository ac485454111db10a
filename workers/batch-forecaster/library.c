/* library.c -- books by "<name> US <version>"; cards by the same, kept after a book has left. */
#include "workers/batch-forecaster/library.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/map.h"

#define UNUSED_MAX 4   /* books that nobody uses */
#define CARDS_MAX 1000 /* beyond it all are forgotten */
#define PAUSE_US (5 * US_PER_SECOND)
#define KEY_BYTES 1100

static const struct metric_spec failure_spec = { "forebay_forecaster_model_failures_total", METRIC_COUNTER, "reason",
						 "trained models that could not be fetched or read, by reason" };
static const struct metric_spec model_spec = { "forebay_forecaster_model_info", METRIC_GAUGE, "name,version",
					       "1: a trained model that is at hand" };

struct library {
	struct library_source source;
	struct metrics *metrics;
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
library_new(const struct library_source *source, struct metrics *metrics, struct library **ret, struct err *err)
{
	struct library *l = calloc(1, sizeof(*l));

	if (l) {
		l->source = *source;
		l->metrics = metrics;
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

/* The gauge of a book that is here now. */
static void
show(struct library *l, struct span key, struct book *b)
{
	char name[KEY_BYTES], *version;
	const char *labels[2];

	snprintf(name, sizeof(name), "%.*s", SPAN_ARG(key));
	version = strchr(name, '\x1f');
	if (!version)
		return;
	*version++ = '\0';
	labels[0] = name;
	labels[1] = version;
	b->gauge = metrics_series(l->metrics, &model_spec, labels);
	metric_set(b->gauge, 1);
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
		struct book *b = map_take(l->books, oldest);

		metric_remove(l->metrics, b->gauge);
		book_free(b);
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
	show(l, key, b);
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

/* Why it is not here: counted always, told once. */
static void
tell(struct library *l, struct span name, struct span version, struct library_card *card, const struct err *why)
{
	const char *reason = err_reason_name(why->reason);
	char text[KEY_BYTES];

	metric_add(metrics_series(l->metrics, &failure_spec, &reason), 1);
	card->broken = why->reason == REASON_STATE_CORRUPT || why->reason == REASON_STATE_VERSION;
	card->known = false;
	card->asked_us = clock_monotonic_us();
	if (card->told)
		return;
	card->told = true;
	snprintf(text, sizeof(text), "%.*s/%.*s", SPAN_ARG(name), SPAN_ARG(version));
	log_error(card->broken ? LOG_ERROR : LOG_WARN, "a model cannot be used", why, "model", LOG_S(text), NULL);
}

/* What the book says of itself; the card may be a new one. */
static void
fill_in(struct library_card *card, const struct book *b)
{
	const struct deepar_config *c = &b->artefact.networks[0]->config;

	memcpy(card->frequency, c->frequency.name, sizeof(card->frequency));
	card->horizon = c->horizon;
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
		tell(l, name, version, *card, err);
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
