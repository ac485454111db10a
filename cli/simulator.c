/*
 * simulator.c -- see simulator.h: who sends what at which place.  How a message is written is in utterance.c.
 *
 * Places of a device at step t, in this order: the regular message of t; that of t-1, t-2, t-3 if it was held up so long;
 * the repetition of t-1's; something malformed.
 */
#include "cli/simulator.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/utterance.h"
#include "cli/waveform.h"
#include "common/base/random.h"

#define PLACE_DUPLICATE (SIMULATOR_HELD_UP + 1)
#define PLACE_MALFORMED (SIMULATOR_HELD_UP + 2)
#define PLACES (SIMULATOR_HELD_UP + 3)

#define STRETCH 48 /* steps in which there is one hole or none */

/* What is drawn for a device; the streams of the values are series numbers times 64, far below. */
enum draw {
	DRAW_HELD_UP,
	DRAW_HOW_LONG,
	DRAW_DUPLICATE,
	DRAW_MALFORMED,
	DRAW_WHICH,
	DRAW_GAP,
	DRAW_GAP_PLACE,
	DRAW_BAD
};
#define STREAM (UINT64_C(1) << 61)

struct simulator {
	struct simulator_options options;
	const struct device_template **classes;
	size_t n_classes;
	struct anomaly *anomalies; /* by device */
	size_t n_anomalies;
	size_t *first; /* first[d]: the first anomaly of device d; first[devices]: n */
};

static uint64_t
draw(const struct simulator *s, int64_t device, enum draw what, int64_t step)
{
	return random_u64(s->options.seed, STREAM + (uint64_t)device * 16 + (uint64_t)what, (uint64_t)step);
}

static bool
happens(const struct simulator *s, int64_t device, enum draw what, int64_t step, double share)
{
	return random_uniform(s->options.seed, STREAM + (uint64_t)device * 16 + (uint64_t)what, (uint64_t)step) < share;
}

/* ---- set-up ---- */

static bool
is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; *at; at += *at == ',') {
		size_t n = strcspn(at, ",");

		if (n == len && strncmp(at, name, n) == 0)
			return true;
		at += n;
	}
	return false;
}

static int
choose_classes(struct simulator *s, struct err *err)
{
	const char *list = s->options.templates;
	size_t named = *list ? 1 : device_template_count;

	for (const char *c = list; *c; c++)
		named += *c == ',';
	s->classes = calloc(device_template_count, sizeof(*s->classes));
	if (!s->classes)
		return err_set(err, REASON_NO_MEMORY, "simulator");
	for (size_t i = 0; i < device_template_count; i++)
		if (!*list || is_listed(list, device_templates[i].name))
			s->classes[s->n_classes++] = &device_templates[i];
	if (s->n_classes != named)
		return err_set(err, REASON_USAGE, "--templates=%.60s: a list of thermostat, pump, meter", list);
	return 0;
}

static int
plan_anomalies(struct simulator *s, struct err *err)
{
	const struct simulator_options *o = &s->options;
	const struct anomaly_wish wish = { o->seed, o->devices, o->steps, o->metrics, o->anomalies };

	s->first = calloc((size_t)o->devices + 1, sizeof(*s->first));
	if (!s->first || anomaly_plan(&wish, &s->anomalies, &s->n_anomalies, err) < 0)
		return err_set(err, REASON_NO_MEMORY, "simulator");
	for (int64_t d = 0, at = 0; d <= o->devices; d++) {
		while ((size_t)at < s->n_anomalies && s->anomalies[at].device < d)
			at++;
		s->first[d] = (size_t)at;
	}
	return 0;
}

int
simulator_new(const struct simulator_options *options, struct simulator **ret, struct err *err)
{
	CLEANUP(simulator_free)
	struct simulator *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, REASON_NO_MEMORY, "simulator");
	s->options = *options;
	if (choose_classes(s, err) < 0 || plan_anomalies(s, err) < 0)
		return -1;
	*ret = TAKE(s);
	return 0;
}

void
simulator_free(struct simulator *s)
{
	if (!s)
		return;
	free(s->classes);
	free(s->anomalies);
	free(s->first);
	free(s);
}

/* ---- names and values ---- */

static const struct device_template *
class_of(const struct simulator *s, int64_t device)
{
	return s->classes[(size_t)device % s->n_classes];
}

void
simulator_device(const struct simulator *s, int64_t device, char name[SIMULATOR_NAME_BYTES])
{
	snprintf(name, SIMULATOR_NAME_BYTES, "%s-%04lld", class_of(s, device)->name, (long long)device + 1);
}

const struct metric_template *
simulator_metric(const struct simulator *s, int64_t device, int metric)
{
	return &class_of(s, device)->metrics[metric];
}

int64_t
simulator_time(const struct simulator *s, int64_t step)
{
	return s->options.start_us + step * s->options.step_us;
}

const struct anomaly *
simulator_anomalies(const struct simulator *s, size_t *n)
{
	*n = s->n_anomalies;
	return s->anomalies;
}

/* The anomaly of a device's metric at a step (METRIC -1: of any), or NULL. */
static const struct anomaly *
anomaly_at(const struct simulator *s, int64_t device, int metric, int64_t step)
{
	for (size_t i = s->first[device]; i < s->first[device + 1]; i++) {
		const struct anomaly *a = &s->anomalies[i];

		if (a->from <= step && step <= a->to && (metric < 0 || a->metric == metric))
			return a;
	}
	return NULL;
}

double
simulator_value(const struct simulator *s, int64_t device, int metric, int64_t step)
{
	const struct waveform w = { simulator_metric(s, device, metric), s->options.seed,
				    (uint64_t)device * TEMPLATE_METRICS + (uint64_t)metric, s->options.day_us };
	const struct anomaly *a = anomaly_at(s, device, metric, step);
	double value = waveform_value(&w, simulator_time(s, step), step);

	if (a)
		value = anomaly_apply(a, step, value, waveform_value(&w, simulator_time(s, a->from), a->from),
				      waveform_scale(&w));
	return waveform_bound(&w, value);
}

/* ---- who speaks when ---- */

static bool
in_gap(const struct simulator *s, int64_t device, int64_t step)
{
	int64_t stretch = step / STRETCH, place = step % STRETCH, from, length;

	if (!happens(s, device, DRAW_GAP, stretch, s->options.gaps))
		return false;
	from = (int64_t)(draw(s, device, DRAW_GAP_PLACE, stretch) % 32);
	length = 3 + (int64_t)(draw(s, device, DRAW_GAP_PLACE, ~stretch) % 14);
	return place >= from && place < from + length;
}

/* Does the device speak at this step at all?  An anomaly that is labelled is also there to see. */
static bool
speaks(const struct simulator *s, int64_t device, int64_t step)
{
	return step >= 0 && step < s->options.steps && (anomaly_at(s, device, -1, step) || !in_gap(s, device, step));
}

static int64_t
held_up(const struct simulator *s, int64_t device, int64_t step)
{
	if (!happens(s, device, DRAW_HELD_UP, step, s->options.disorder))
		return 0;
	return 1 + (int64_t)(draw(s, device, DRAW_HOW_LONG, step) % SIMULATOR_HELD_UP);
}

/* Which metric has no value at this step, if any; -1.  Never the only one. */
static int
bad_metric(const struct simulator *s, int64_t device, int64_t step)
{
	int metric = (int)(draw(s, device, DRAW_WHICH, step) % (uint64_t)s->options.metrics);

	if (s->options.metrics < 2 || !happens(s, device, DRAW_BAD, step, s->options.bad_values) ||
	    anomaly_at(s, device, metric, step))
		return -1;
	return metric;
}

static int
write_regular(const struct simulator *s, int64_t device, int64_t step, struct buffer *scratch, struct simulated *ret,
	      struct err *err)
{
	double values[TEMPLATE_METRICS];
	struct utterance u = {
		.template = class_of(s, device),
		.device = ret->key,
		.seed = s->options.seed,
		.number = device,
		.step = step,
		.time_us = ret->event_us,
		.values = values,
		.n_values = s->options.metrics,
		.bad = bad_metric(s, device, step),
	};

	for (int m = 0; m < u.n_values; m++)
		values[m] = simulator_value(s, device, m, step);
	ret->bad_values = u.bad >= 0;
	return ret->kind == SIMULATED_MALFORMED ? utter_malformed(&u, scratch, &ret->reason, err)
						: utter(&u, scratch, err);
}

/* What happens at a place: the kind, and the step whose readings it is about. */
static enum simulated_kind
kind_at(const struct simulator *s, int64_t device, int64_t now, int place, int64_t *step)
{
	*step = place == PLACE_MALFORMED ? now : place == PLACE_DUPLICATE ? now - 1 : now - place;
	if (!speaks(s, device, *step))
		return SIMULATED_NOTHING;
	if (place == PLACE_MALFORMED)
		return happens(s, device, DRAW_MALFORMED, *step, s->options.malformed) ? SIMULATED_MALFORMED
										       : SIMULATED_NOTHING;
	if (place == PLACE_DUPLICATE)
		return held_up(s, device, *step) == 0 &&
			       happens(s, device, DRAW_DUPLICATE, *step, s->options.duplicates)
			   ? SIMULATED_DUPLICATE
			   : SIMULATED_NOTHING;
	if (held_up(s, device, *step) != place)
		return SIMULATED_NOTHING;
	return place == 0 ? SIMULATED_REGULAR : SIMULATED_HELD_UP;
}

int64_t
simulator_count(const struct simulator *s)
{
	return (s->options.steps + SIMULATOR_HELD_UP) * s->options.devices * PLACES;
}

int
simulator_at(const struct simulator *s, int64_t i, struct buffer *scratch, struct simulated *ret, struct err *err)
{
	int64_t place = i % PLACES, device = i / PLACES % s->options.devices, now = i / PLACES / s->options.devices;
	char name[SIMULATOR_NAME_BYTES];
	size_t key_bytes;
	int failed;

	*ret = (struct simulated){ .device = device };
	ret->kind = kind_at(s, device, now, (int)place, &ret->step);
	if (ret->kind == SIMULATED_NOTHING)
		return 0;
	ret->event_us = simulator_time(s, ret->step);
	simulator_device(s, device, name);
	scratch->len = 0;
	/* Key and value share the buffer; the key is set again when it no longer moves. */
	if (buffer_text(scratch, name) < 0)
		return err_set(err, REASON_NO_MEMORY, "simulator");
	key_bytes = scratch->len;
	ret->key = (struct span){ name, key_bytes };
	failed = write_regular(s, device, ret->step, scratch, ret, err);
	ret->key = (struct span){ scratch->ptr, key_bytes };
	if (ret->reason != REASON_EMPTY_VALUE)
		ret->value = (struct span){ scratch->ptr + key_bytes, scratch->len - key_bytes };
	return failed;
}
