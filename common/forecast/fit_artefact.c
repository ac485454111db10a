/*
 * fit_artefact.c -- what a training leaves behind: its good networks, and what they were trained on.
 *
 * The version is a hash of the data and of all that forecasts depend on, of the ensemble's beginnings too: the same training gives the
 * same version again, and who changes members, quantiles or the windows held back gets another one.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/forecast/fit.h"

#define WEAK 1.5 /* times the best validation */

static int
copy_network(const struct deepar *from, struct deepar **ret, struct err *err)
{
	if (deepar_new(&from->config, ret, err) < 0)
		return -1;
	memcpy((*ret)->weights, from->weights, from->n_weights * sizeof(*from->weights));
	return 0;
}

/* The networks that are good enough, in the order of training; of too many the first. */
static int
take_networks(const struct training *t, struct artefact *a, struct err *err)
{
	double best = INFINITY;

	for (size_t i = 0; i < training_networks(t); i++)
		best = fmin(best, training_validation(t, i)); /* NaN, not validated, is passed over */
	for (size_t i = 0; i < training_networks(t) && a->n_networks < ARTEFACT_NETWORKS_MAX; i++) {
		double validation = training_validation(t, i);

		if (!training_network(t, i) || (isfinite(best) && !(validation <= WEAK * best)))
			continue;
		if (copy_network(training_network(t, i), &a->networks[a->n_networks], err) < 0)
			return -1;
		a->validation[a->n_networks++] = validation;
	}
	return 0;
}

static struct span
bytes_of(const void *ptr, size_t len)
{
	return (struct span){ (const char *)ptr, len };
}

uint64_t
fit_data_hash(const struct target *targets, size_t n)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < n; i++) {
		const struct target *t = &targets[i];
		uint64_t parts[4] = { hash, (uint64_t)t->start_us, t->n, 0 };

		parts[3] = random_hash(bytes_of(t->values, t->n * sizeof(*t->values)));
		hash = random_hash(bytes_of(parts, sizeof(parts)));
	}
	return hash;
}

/* Times, counts and hash of the series; one of which nothing was seen has no say in the times. */
static void
describe_data(const struct target *targets, size_t n, const struct frequency *f, struct artefact *a)
{
	bool any = false;

	a->n_series = n;
	a->data = fit_data_hash(targets, n);
	for (size_t i = 0; i < n; i++) {
		const struct target *t = &targets[i];
		int64_t end = frequency_time(f, t->start_us, (int64_t)t->n);

		if (!t->n)
			continue;
		a->from_us = !any || t->start_us < a->from_us ? t->start_us : a->from_us;
		a->cutoff_us = !any || end > a->cutoff_us ? end : a->cutoff_us;
		any = true;
		for (size_t k = 0; k < t->n; k++)
			a->n_points += isfinite(t->values[k]) != 0;
	}
}

void
fit_version(struct artefact *a)
{
	const uint64_t counts[] = { a->data, a->n_levels, a->ensemble.n_members, a->ensemble.n_buckets };
	struct span parts[ARTEFACT_NETWORKS_MAX + 6] = {
		bytes_of(counts, sizeof(counts)),
		bytes_of(a->levels, a->n_levels * sizeof(*a->levels)),
		bytes_of(a->ensemble.edges, sizeof(a->ensemble.edges)),
		bytes_of(a->ensemble.prior, sizeof(a->ensemble.prior)),
		bytes_of(&a->ensemble.share, sizeof(a->ensemble.share)),
		bytes_of(a->calibration.shift, sizeof(a->calibration.shift)),
	};

	for (size_t i = 0; i < a->n_networks; i++)
		parts[i + 6] =
		    bytes_of(a->networks[i]->weights, a->networks[i]->n_weights * sizeof(*a->networks[i]->weights));
	_Static_assert(RANDOM_NAME_BYTES <= ARTEFACT_TEXT_BYTES, "a version fits");
	random_name(parts, a->n_networks + 6, a->version);
}

int
fit_artefact(const struct training *t, const char *name, const struct target *targets, size_t n, int64_t now_us,
	     struct artefact *ret, struct err *err)
{
	struct artefact a = { .created_us = now_us };

	if (take_networks(t, &a, err) < 0) {
		artefact_clear(&a);
		return -1;
	}
	snprintf(a.name, sizeof(a.name), "%s", name);
	snprintf(a.code, sizeof(a.code), "%s", FOREBAY_VERSION);
	if (a.n_networks)
		describe_data(targets, n, &a.networks[0]->config.frequency, &a);
	fit_version(&a);
	*ret = a;
	return 0;
}
