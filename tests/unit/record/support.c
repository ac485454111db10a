/* support.c -- random records come from the same tables that the codec walks; rules across fields are put right after. */
#include "tests/unit/record/support.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "common/base/random.h"
#include "common/record/aggregate.h"
#include "common/record/alert.h"
#include "common/record/forecast.h"
#include "common/record/index.h"
#include "common/record/journal.h"
#include "common/record/json.h"
#include "common/record/model.h"
#include "common/record/outcome.h"
#include "common/record/reading.h"
#include "common/record/series.h"

struct registry *
support_registry(void)
{
	struct registry *r = NULL;

	OK(registry_new("file:" SCHEMAS_DIR, NULL, &r, why));
	return r;
}

struct schema_document *
support_schema(const char *text)
{
	CLEANUP(buffer_clear)
	struct buffer b = BUFFER_INIT(0);
	struct schema_document *d = NULL;

	buffer_text(&b, text);
	for (size_t i = 0; i < b.len; i++)
		b.ptr[i] = b.ptr[i] == '\'' ? '"' : b.ptr[i];
	OK(schema_parse(buffer_span(&b), &d, why));
	return d;
}

void
support_example(const char *name, struct buffer *text)
{
	OK(index_read_file(SCHEMAS_DIR "/examples", name, text, why));
	buffer_append(text, "", 1);
	text->len--;
}

void
support_to_avro(const struct schema *schema, const char *json, struct buffer *out)
{
	CLEANUP(buffer_clear)
	struct buffer b = BUFFER_INIT(0);
	struct writer w = { out, false };
	json_t *value;

	buffer_text(&b, json);
	for (size_t i = 0; i < b.len; i++)
		b.ptr[i] = b.ptr[i] == '\'' ? '"' : b.ptr[i];
	value = json_loadb(b.ptr, b.len, JSON_DECODE_ANY, NULL);
	assert_non_null(value);
	OK(json_to_avro(schema, value, JSON_PLAIN, &w, why));
	json_decref(value);
}

const struct record_type *
support_type(const char *name)
{
	for (size_t i = 0; record_types[i]; i++) {
		if (strcmp(record_types[i]->name, name) == 0)
			return record_types[i];
	}
	fail_msg("no record %s", name);
	return NULL;
}

/* --- random records --- */

struct dice {
	uint64_t number, counter;
	struct arena *arena;
};

static uint64_t
roll(struct dice *d)
{
	return random_u64(1, d->number, d->counter++);
}

static size_t
roll_below(struct dice *d, size_t n)
{
	return (size_t)(roll(d) % n);
}

/* Letters, some of them of more than one byte; LEN bytes at least, a few more at most. */
static struct span
roll_text(struct dice *d, const struct field *f)
{
	static const char *const letters[] = {
		"a", "Z", "-", ".", "0", "\n", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x9a\x80"
	};
	size_t most = f->max - f->min > 20 ? (size_t)f->min + 20 : (size_t)f->max;
	size_t len = (size_t)f->min + roll_below(d, most - (size_t)f->min + 1), n = 0;
	char *p = arena_zalloc(d->arena, len + 1);

	while (n < len) {
		const char *letter = letters[roll_below(d, sizeof(letters) / sizeof(letters[0]))];

		if (f->kind == FIELD_BYTES || f->kind == FIELD_OPTIONAL_BYTES)
			p[n++] = (char)roll(d);
		else if (strlen(letter) <= len - n)
			n += strlen(strcpy(p + n, letter));
	}
	p[len] = '\0';
	return (struct span){ p, len };
}

static int64_t
roll_whole(struct dice *d, const struct field *f)
{
	uint64_t width = (uint64_t)f->max - (uint64_t)f->min;
	uint64_t v = roll(d) >> roll_below(d, 64);

	return (int64_t)((uint64_t)f->min + (width == UINT64_MAX ? v : v % (width + 1)));
}

static double
roll_real(struct dice *d, double low, double high)
{
	double u = random_uniform(2, d->number, d->counter++);

	if (low > -1 && high <= 1)
		return low + u * (high - low);
	u = ldexp(u, (int)roll_below(d, 600) - 300);
	return low >= 0 || roll_below(d, 2) ? u : -u;
}

static void fill(struct dice *d, const struct shape *shape, char *base);

static void
fill_array(struct dice *d, const struct field *f, char *base)
{
	size_t n = (size_t)f->min + roll_below(d, 7);
	size_t columns = f->kind == FIELD_MATRIX ? *(size_t *)(base + f->columns_at) : 1;
	char *items;

	if (f->kind == FIELD_FLAGS)
		n = *(size_t *)(base + f->count_at);
	items = arena_zalloc(d->arena, (n * columns + 1) * (f->item ? f->item->size : sizeof(double)));
	for (size_t i = 0; i < n * columns; i++) {
		if (f->kind == FIELD_FLAGS)
			items[i] = (char)roll(d);
		else if (f->item)
			fill(d, f->item, items + i * f->item->size);
		else if (f->kind == FIELD_OPTIONAL_REALS && roll_below(d, 3) == 0)
			((double *)(void *)items)[i] = NAN;
		else
			((double *)(void *)items)[i] = roll_real(d, f->low, f->high);
	}
	*(void **)(base + f->at) = items;
	*(size_t *)(base + f->count_at) = n;
}

static void
fill(struct dice *d, const struct shape *shape, char *base)
{
	for (size_t i = 0; i < shape->n_fields; i++) {
		const struct field *f = &shape->fields[i];
		char *at = base + f->at;

		switch (f->kind) {
		case FIELD_OPTIONAL_TEXT:
		case FIELD_OPTIONAL_BYTES:
			if (roll_below(d, 3) > 0)
				*(struct span *)(void *)at = roll_text(d, f);
			break;
		case FIELD_TEXT:
		case FIELD_BYTES: *(struct span *)(void *)at = roll_text(d, f); break;
		case FIELD_TIME:
		case FIELD_LONG: *(int64_t *)(void *)at = roll_whole(d, f); break;
		case FIELD_OPTIONAL_TIME:
			*(int64_t *)(void *)at = roll_below(d, 3) == 0 ? TIME_NONE : roll_whole(d, f);
			break;
		case FIELD_INT: *(int32_t *)(void *)at = (int32_t)roll_whole(d, f); break;
		case FIELD_OPTIONAL_REAL:
		case FIELD_REAL:
			*(double *)(void *)at = f->kind == FIELD_OPTIONAL_REAL && roll_below(d, 3) == 0
						    ? NAN
						    : roll_real(d, f->low, f->high);
			break;
		case FIELD_CODE: *(int *)(void *)at = (int)roll_below(d, f->codes->n); break;
		case FIELD_BOOLEAN: *(bool *)at = roll_below(d, 2); break;
		default: fill_array(d, f, base); break;
		}
	}
}

static int
compare_reals(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
fix_forecast(struct forecast *f)
{
	f->step_us = 1 + f->step_us % 1000000;
	f->origin_us /= 2;
	qsort(f->levels, f->n_levels, sizeof(double), compare_reals);
	for (size_t i = 0; i < f->n_steps; i++)
		qsort(f->values + i * f->n_levels, f->n_levels, sizeof(double), compare_reals);
}

static void
fix(struct dice *d, const char *name, void *record)
{
	if (strcmp(name, "Reading") == 0) {
		struct reading *r = record;

		for (size_t i = 0; i < r->n_values; i++)
			r->values[i].quality =
			    !isnan(r->values[i].value) ? QUALITY_GOOD : 1 + (enum quality)roll_below(d, 4);
	} else if (strcmp(name, "Series") == 0) {
		struct series *s = record;

		s->step_us = 1 + s->step_us % 1000000;
		s->start_us /= 2;
	} else if (strcmp(name, "Aggregate") == 0) {
		struct aggregate *a = record;

		a->end_us = a->start_us / 2 + 100000000000000000;
		a->maximum = fabs(a->maximum);
		a->minimum = -fabs(a->minimum);
	} else if (strcmp(name, "Forecast") == 0) {
		fix_forecast(record);
	} else if (strcmp(name, "Alert") == 0) {
		struct alert *a = record;

		a->id = SPAN("0123456789abcdef0123456789abcdef");
		a->starts_us = a->event_us / 2 - 30000000000000000;
	} else if (strcmp(name, "Model") == 0) {
		struct model *m = record;

		m->from_us = m->to_us / 2 - 30000000000000000;
		m->artefact = m->uri.ptr ? m->artefact : SPAN("bytes");
	} else if (strcmp(name, "Outcome") == 0) {
		struct outcome *o = record;

		o->origin_us = o->event_us / 2 - 30000000000000000;
		o->lower = -fabs(o->lower);
		o->upper = fabs(o->upper);
		o->model_loss = o->version.ptr ? o->model_loss : NAN;
		o->rival_loss = o->rival.ptr ? o->rival_loss : NAN;
	} else if (strcmp(name, "Journal") == 0) {
		struct journal *j = record;

		j->side_from /= 2;
		j->side_to = j->side_from + 1 + (int64_t)(j->kind == JOURNAL_NOTED ? 0 : roll_below(d, 1000));
		if (j->kind == JOURNAL_NOTED && !j->key.ptr)
			j->key = SPAN("key");
		else if (j->kind != JOURNAL_NOTED)
			j->key = j->value = SPAN_NONE;
	}
}

void *
support_random(const struct record_type *type, uint64_t number, struct arena *arena)
{
	/* Names in a record must be distinct: the next number, where they are not. */
	for (uint64_t attempt = 0; attempt < 100; attempt++) {
		struct dice d = { number + (attempt << 32), 0, arena };
		char *record = arena_zalloc(arena, type->shape->size);

		fill(&d, type->shape, record);
		fix(&d, type->name, record);
		if (!type->check || type->check(record, NULL) == 0)
			return record;
	}
	fail_msg("no random %s keeps its rules", type->name);
	return NULL;
}
