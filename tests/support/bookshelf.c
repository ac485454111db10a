/* bookshelf.c -- see bookshelf.h. */
#include "tests/support/bookshelf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/forecast/panel.h"
#include "common/worker/worker.h"

struct bookshelf bookshelf;

const char *
worker_instance(const struct worker *w)
{
	return "bench";
}

const char *
worker_postgres_uri(const struct worker *w)
{
	return "";
}

int
bookshelf_get(void *self, struct span name, struct span version, struct arena *arena, struct span *bytes, bool *found,
	      struct err *err)
{
	struct bookshelf *s = self;

	s->fetched++;
	*found = false;
	if (s->down)
		return err_set(err, REASON_STORE_DOWN, "the test says so");
	for (size_t i = 0; i < s->n && !*found; i++)
		if (span_equal(version, span_of(s->models[i].version))) {
			*bytes = arena_copy(arena, buffer_span(&s->models[i].bytes));
			*found = true;
		}
	return 0;
}

int
bookshelf_list(void *self, struct arena *arena, struct model **ret, size_t *n, struct err *err)
{
	struct bookshelf *s = self;

	s->listed++;
	if (s->down)
		return err_set(err, REASON_STORE_DOWN, "the test says so");
	*ret = arena_zalloc(arena, ARRAY_LEN(s->models) * sizeof(**ret));
	for (*n = 0; *n < s->n; ++*n)
		(*ret)[*n] = (struct model){ .name = SPAN("net"),
					     .version = span_of(s->models[*n].version),
					     .family = SPAN("deepar"),
					     .status = s->models[*n].status,
					     .canary_share = s->models[*n].share };
	return 0;
}

int
bookshelf_clear(void **state)
{
	for (size_t i = 0; i < bookshelf.n; i++)
		buffer_clear(&bookshelf.models[i].bytes);
	bookshelf = (struct bookshelf){ 0 };
	return 0;
}

static void
make_artefact(struct artefact *a, const char *version, const struct deepar_config *c, uint64_t seed)
{
	static const double levels[] = { .1, .5, .9 };
	struct err err = ERR_INIT;

	*a = (struct artefact){ .n_levels = ARRAY_LEN(levels), .n_networks = 1 };
	snprintf(a->name, sizeof(a->name), "net");
	snprintf(a->version, sizeof(a->version), "%s", version);
	memcpy(a->levels, levels, sizeof(levels));
	ensemble_rule_default(PANEL_MEMBERS, a->n_levels, (size_t)c->horizon, &a->ensemble);
	if (deepar_new(c, &a->networks[0], &err) < 0)
		fail_msg("%s", err.text);
	deepar_init(a->networks[0], seed);
}

static void
add(const char *version, const char *frequency, int32_t horizon, size_t n_lags, uint64_t seed, int32_t n_cats)
{
	struct deepar_config c;
	struct frequency f;
	struct artefact a;
	struct err err = ERR_INIT;

	assert_true(bookshelf.n < ARRAY_LEN(bookshelf.models));
	assert_int_equal(frequency_parse(frequency, &f, &err), 0);
	if (n_lags)
		f.n_lags = n_lags;
	deepar_config_default(&f, horizon, &c);
	c.hidden = 4;
	c.layers = 1;
	c.context = 8;
	c.default_scale = 1;
	c.n_cats = n_cats;
	c.cardinality[0] = n_cats ? 3 : 0;
	make_artefact(&a, version, &c, seed);
	bookshelf.models[bookshelf.n].version = version;
	if (artefact_write(&a, &bookshelf.models[bookshelf.n++].bytes, &err) < 0)
		fail_msg("%s", err.text);
	artefact_clear(&a);
}

void
bookshelf_add(const char *version, const char *frequency, int32_t horizon, size_t n_lags, uint64_t seed)
{
	add(version, frequency, horizon, n_lags, seed, 0);
}

void
bookshelf_add_special(const char *version, const char *frequency, int32_t horizon, size_t n_lags, uint64_t seed)
{
	add(version, frequency, horizon, n_lags, seed, 1);
}
