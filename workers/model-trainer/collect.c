/* collect.c -- a map of series by name; when twice as many as wanted are there, those with the greater hashes leave for good. */
#include "workers/model-trainer/collect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/map.h"
#include "common/base/random.h"

struct member {
	struct past past; /* first: the map frees it as one */
	uint64_t hash;
};

struct collector {
	struct past_rule rule;
	size_t max;
	uint64_t ceiling; /* series of a greater hash are not wanted */
	struct map *series;
	struct target *targets;
	const struct past **pasts;
	struct group *groups;
};

static void
member_free(void *member)
{
	past_free(member);
}

int
collector_new(const struct past_rule *rule, size_t max_series, struct collector **ret, struct err *err)
{
	CLEANUP(collector_free)
	struct collector *c = calloc(1, sizeof(*c));

	if (!c || !(c->series = map_new(member_free)))
		return err_set(err, REASON_NO_MEMORY, "series");
	c->rule = *rule;
	c->max = max_series;
	c->ceiling = UINT64_MAX;
	*ret = TAKE(c);
	return 0;
}

void
collector_free(struct collector *c)
{
	if (!c)
		return;
	map_free(c->series);
	free(c->targets);
	free(c->pasts);
	free(c->groups);
	free(c);
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Down to as many series as are wanted. */
static int
shed(struct collector *c, struct err *err)
{
	size_t n = 0, count = map_count(c->series);
	CLEANUP(heap_free)
	uint64_t *hashes = calloc(count + 1, sizeof(*hashes));
	struct span key;
	void *value;

	if (!hashes)
		return err_set(err, REASON_NO_MEMORY, "series");
	if (count <= c->max)
		return 0;
	for (size_t at = 0; map_next(c->series, &at, &key, &value);)
		hashes[n++] = ((struct member *)value)->hash;
	qsort(hashes, n, sizeof(*hashes), by_number);
	c->ceiling = hashes[c->max - 1];
	for (size_t at = 0; map_next(c->series, &at, &key, &value);)
		if (((struct member *)value)->hash > c->ceiling)
			member_free(map_take(c->series, key));
	return 0;
}

static struct member *
member_of(struct collector *c, const struct series *s, struct err *err)
{
	const struct span parts[] = { s->device, s->metric };
	char name[RANDOM_NAME_BYTES];
	struct member *m;
	uint64_t hash;

	random_name(parts, ARRAY_LEN(parts), name);
	m = map_get(c->series, span_of(name));
	if (m)
		return m;
	hash = random_hash(span_of(name));
	if (hash > c->ceiling)
		return NULL;
	m = calloc(1, sizeof(*m));
	if (!m || past_name(&m->past, s->device, s->metric, err) < 0 || map_put(c->series, span_of(name), m) < 0) {
		err_set(err, REASON_NO_MEMORY, "series");
		member_free(m);
		return NULL;
	}
	m->hash = hash;
	return m;
}

int
collector_add(struct collector *c, const struct series *s, struct err *err)
{
	struct err trouble = ERR_INIT;
	struct member *m = member_of(c, s, &trouble);

	if (!m) {
		if (trouble.reason)
			*err = trouble;
		return trouble.reason ? -1 : 0;
	}
	if (past_append(&c->rule, &m->past, s, err) < 0)
		return -1;
	return map_count(c->series) >= 2 * c->max ? shed(c, err) : 0;
}

static int
by_step_and_name(const void *a, const void *b)
{
	const struct past *x = *(const struct past *const *)a, *y = *(const struct past *const *)b;
	int c = (x->step_us > y->step_us) - (x->step_us < y->step_us);

	c = c ? c : strcmp(x->device, y->device);
	return c ? c : strcmp(x->metric, y->metric);
}

static struct target
target_of(const struct past_rule *rule, const struct past *p)
{
	size_t skip = p->n > rule->max_steps ? p->n - rule->max_steps : 0;
	size_t n = p->n - skip;

	return (struct target){
		.start_us = p->end_us - (int64_t)n * p->step_us,
		.age = p->forgotten + (int64_t)skip,
		.values = p->values + skip,
		.n = n,
	};
}

static uint64_t
mix(uint64_t hash, const void *bytes, size_t len)
{
	return random_u64(hash, random_hash((struct span){ bytes, len }), len);
}

/* Take series I of the sorted ones into its group. */
static void
join(struct group *g, const struct past *p, const struct target *t)
{
	const int64_t head[] = { t->start_us, t->age, (int64_t)t->n };

	if (!g->n || g->from_us > t->start_us)
		g->from_us = t->start_us;
	if (!g->n || g->to_us < p->end_us)
		g->to_us = p->end_us;
	g->hash = mix(g->hash, p->device, strlen(p->device));
	g->hash = mix(g->hash, p->metric, strlen(p->metric));
	g->hash = mix(g->hash, head, sizeof(head));
	for (size_t i = 0; i < t->n; i++) {
		double value = isnan(t->values[i]) ? NAN : t->values[i];

		g->points += !isnan(value);
		g->hash = mix(g->hash, &value, sizeof(value));
	}
	g->n++;
}

int
collector_finish(struct collector *c, const struct group **ret, size_t *n, struct err *err)
{
	size_t count, at_series = 0;
	struct span key;
	void *value;

	if (shed(c, err) < 0)
		return -1;
	count = map_count(c->series);
	c->targets = calloc(count + 1, sizeof(*c->targets));
	c->pasts = calloc(count + 1, sizeof(*c->pasts));
	c->groups = calloc(count + 1, sizeof(*c->groups));
	if (!c->targets || !c->pasts || !c->groups)
		return err_set(err, REASON_NO_MEMORY, "series");
	for (size_t at = 0; map_next(c->series, &at, &key, &value);)
		c->pasts[at_series++] = value;
	qsort(c->pasts, count, sizeof(*c->pasts), by_step_and_name);
	*n = 0;
	for (size_t i = 0; i < count; i++) {
		if (!i || c->pasts[i]->step_us != c->pasts[i - 1]->step_us)
			c->groups[(*n)++] = (struct group){ .step_us = c->pasts[i]->step_us,
							    .targets = c->targets + i,
							    .pasts = c->pasts + i };
		c->targets[i] = target_of(&c->rule, c->pasts[i]);
		join(&c->groups[*n - 1], c->pasts[i], &c->targets[i]);
	}
	*ret = c->groups;
	return 0;
}

const struct group *
group_find(const struct group *groups, size_t n, int64_t step_us)
{
	for (size_t i = 0; i < n; i++)
		if (groups[i].step_us == step_us)
			return &groups[i];
	return NULL;
}
