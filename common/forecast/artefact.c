/*
 * artefact.c -- an artefact lies flat in `struct stored` for its image: one configuration, the weights of each network as a list.
 * What is read is not believed: texts end, counts fit, numbers are finite, a network has as many weights as its configuration
 * asks for.  Only then one is made.
 */
#include "common/forecast/artefact.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/image.h"

#define SHIFTS (ENSEMBLE_BUCKETS_MAX * ENSEMBLE_LEVELS_MAX)
#define PRIORS (ENSEMBLE_BUCKETS_MAX * ENSEMBLE_MEMBERS_MAX)
#define FIGURES_MAX ARRAY_LEN(((struct artefact *)0)->figures)

struct stored_network {
	double validation;
	float *weights;
	size_t n_weights;
};

struct stored {
	char name[ARTEFACT_TEXT_BYTES], version[ARTEFACT_TEXT_BYTES], code[ARTEFACT_TEXT_BYTES];
	int64_t created_us, from_us, cutoff_us;
	uint64_t data, n_series, n_points;
	struct deepar_config *config; /* NULL without networks */
	struct stored_network *networks;
	size_t n_networks;
	double *levels;
	size_t n_levels;
	size_t n_members, n_rule_levels, n_buckets;
	uint32_t edges[ENSEMBLE_BUCKETS_MAX];
	float prior[PRIORS], share;
	float shift[SHIFTS];
	struct artefact_figure *figures;
	size_t n_figures;
};

static const struct image_member frequency_members[] = {
	IMAGE_ARRAY_OF(struct frequency, name, IMAGE_CHAR),    IMAGE_FIELD(struct frequency, unit, IMAGE_U32),
	IMAGE_FIELD(struct frequency, multiple, IMAGE_I32),    IMAGE_ARRAY_OF(struct frequency, lags, IMAGE_I32),
	IMAGE_FIELD(struct frequency, n_lags, IMAGE_SIZE),     IMAGE_ARRAY_OF(struct frequency, features, IMAGE_U32),
	IMAGE_FIELD(struct frequency, n_features, IMAGE_SIZE), IMAGE_FIELD(struct frequency, season, IMAGE_I32),
	IMAGE_FIELD(struct frequency, long_season, IMAGE_I32),
};
static const struct image_table frequency_table = IMAGE_TABLE(struct frequency, frequency_members);

static const struct image_member config_members[] = {
	IMAGE_NESTED(struct deepar_config, frequency, frequency_table),
	IMAGE_FIELD(struct deepar_config, head, IMAGE_U32),
	IMAGE_FIELD(struct deepar_config, horizon, IMAGE_I32),
	IMAGE_FIELD(struct deepar_config, context, IMAGE_I32),
	IMAGE_FIELD(struct deepar_config, layers, IMAGE_I32),
	IMAGE_FIELD(struct deepar_config, hidden, IMAGE_I32),
	IMAGE_FIELD(struct deepar_config, n_cats, IMAGE_I32),
	IMAGE_ARRAY_OF(struct deepar_config, cardinality, IMAGE_I32),
	IMAGE_FIELD(struct deepar_config, n_reals, IMAGE_I32),
	IMAGE_FIELD(struct deepar_config, n_dynamic, IMAGE_I32),
	IMAGE_FIELD(struct deepar_config, default_scale, IMAGE_F64),
	IMAGE_FIELD(struct deepar_config, dropout, IMAGE_F64),
};
static const struct image_table config_table = IMAGE_TABLE(struct deepar_config, config_members);

static const struct image_member network_members[] = {
	IMAGE_FIELD(struct stored_network, validation, IMAGE_F64),
	IMAGE_LIST_OF(struct stored_network, weights, n_weights, IMAGE_F32),
};
static const struct image_table network_table = IMAGE_TABLE(struct stored_network, network_members);

static const struct image_member figure_members[] = {
	IMAGE_ARRAY_OF(struct artefact_figure, name, IMAGE_CHAR),
	IMAGE_FIELD(struct artefact_figure, value, IMAGE_F64),
};
static const struct image_table figure_table = IMAGE_TABLE(struct artefact_figure, figure_members);

static const struct image_member stored_members[] = {
	IMAGE_ARRAY_OF(struct stored, name, IMAGE_CHAR),
	IMAGE_ARRAY_OF(struct stored, version, IMAGE_CHAR),
	IMAGE_ARRAY_OF(struct stored, code, IMAGE_CHAR),
	IMAGE_FIELD(struct stored, created_us, IMAGE_I64),
	IMAGE_FIELD(struct stored, from_us, IMAGE_I64),
	IMAGE_FIELD(struct stored, cutoff_us, IMAGE_I64),
	IMAGE_FIELD(struct stored, data, IMAGE_U64),
	IMAGE_FIELD(struct stored, n_series, IMAGE_U64),
	IMAGE_FIELD(struct stored, n_points, IMAGE_U64),
	IMAGE_NESTED_OPTIONAL(struct stored, config, config_table),
	IMAGE_NESTED_LIST(struct stored, networks, n_networks, network_table),
	IMAGE_LIST_OF(struct stored, levels, n_levels, IMAGE_F64),
	IMAGE_FIELD(struct stored, n_members, IMAGE_SIZE),
	IMAGE_FIELD(struct stored, n_rule_levels, IMAGE_SIZE),
	IMAGE_FIELD(struct stored, n_buckets, IMAGE_SIZE),
	IMAGE_ARRAY_OF(struct stored, edges, IMAGE_U32),
	IMAGE_ARRAY_OF(struct stored, prior, IMAGE_F32),
	IMAGE_FIELD(struct stored, share, IMAGE_F32),
	IMAGE_ARRAY_OF(struct stored, shift, IMAGE_F32),
	IMAGE_NESTED_LIST(struct stored, figures, n_figures, figure_table),
};
static const struct image_table stored_table = IMAGE_TABLE(struct stored, stored_members);
static const struct image_type stored_type = IMAGE_TYPE("artefact", 1, stored_table);

_Static_assert(sizeof(((struct ensemble_rule *)0)->prior) == PRIORS * sizeof(float), "priors lie flat");
_Static_assert(sizeof(((struct calibration *)0)->shift) == SHIFTS * sizeof(float), "shifts lie flat");

static void
stored_clear(struct stored *s)
{
	image_clear(&stored_type, s);
}

void
artefact_clear(struct artefact *a)
{
	for (size_t i = 0; i < a->n_networks; i++)
		deepar_free(a->networks[i]);
	*a = (struct artefact){ 0 };
}

/* ---- writing ---- */

/* Up to the NUL, zeros behind it: the same artefact makes the same bytes. */
static void
copy_text(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size - 1);

	memset(to, 0, size);
	memcpy(to, from, len);
}

/* What A says in numbers, beside its lists. */
static void
store_numbers(const struct artefact *a, struct stored *s)
{
	const struct ensemble_rule *rule = &a->ensemble;

	*s = (struct stored){
		.created_us = a->created_us,
		.from_us = a->from_us,
		.cutoff_us = a->cutoff_us,
		.data = a->data,
		.n_series = a->n_series,
		.n_points = a->n_points,
		.n_members = rule->n_members,
		.n_rule_levels = rule->n_levels,
		.n_buckets = rule->n_buckets,
		.share = rule->share,
	};
	copy_text(s->name, a->name, sizeof(s->name));
	copy_text(s->version, a->version, sizeof(s->version));
	copy_text(s->code, a->code, sizeof(s->code));
	memcpy(s->edges, rule->edges, sizeof(s->edges));
	memcpy(s->prior, rule->prior, sizeof(s->prior));
	memcpy(s->shift, a->calibration.shift, sizeof(s->shift));
}

int
artefact_write(const struct artefact *a, struct buffer *out, struct err *err)
{
	struct stored_network networks[ARTEFACT_NETWORKS_MAX];
	struct artefact_figure figures[FIGURES_MAX];
	double levels[ENSEMBLE_LEVELS_MAX];
	struct stored s;

	store_numbers(a, &s);
	for (size_t i = 0; i < a->n_networks; i++)
		networks[i] = (struct stored_network){ .validation = a->validation[i],
						       .weights = a->networks[i]->weights,
						       .n_weights = a->networks[i]->n_weights };
	for (size_t i = 0; i < a->n_figures; i++) {
		copy_text(figures[i].name, a->figures[i].name, sizeof(figures[i].name));
		figures[i].value = a->figures[i].value;
	}
	memcpy(levels, a->levels, sizeof(levels));
	s.config = a->n_networks ? &a->networks[0]->config : NULL;
	s.networks = a->n_networks ? networks : NULL;
	s.n_networks = a->n_networks;
	s.levels = a->n_levels ? levels : NULL;
	s.n_levels = a->n_levels;
	s.figures = a->n_figures ? figures : NULL;
	s.n_figures = a->n_figures;
	return image_write_described(&stored_type, &s, out) == 0
		   ? 0
		   : err_set(err, REASON_NO_MEMORY, "artefact %s", s.name);
}

int
artefact_same(const struct artefact *a, const struct artefact *b, bool *same, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer left = BUFFER_INIT(0), right = BUFFER_INIT(0);
	struct artefact x = *a, y = *b; /* borrow the networks */

	x.created_us = y.created_us = 0;
	memset(x.code, 0, sizeof(x.code));
	memset(y.code, 0, sizeof(y.code));
	if (artefact_write(&x, &left, err) < 0 || artefact_write(&y, &right, err) < 0)
		return -1;
	*same = span_equal(buffer_span(&left), buffer_span(&right));
	return 0;
}

/* ---- reading ---- */

static int
corrupt(struct err *err, const char *what)
{
	return err_set(err, REASON_STATE_CORRUPT, "artefact: %s", what);
}

static bool
all_finite(const float *x, size_t n)
{
	while (n > 0 && isfinite(x[n - 1]))
		n--;
	return n == 0;
}

static bool
is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static int
check_ensemble(const struct stored *s, struct err *err)
{
	bool sound = s->n_levels <= ENSEMBLE_LEVELS_MAX && s->n_members <= ENSEMBLE_MEMBERS_MAX &&
		     s->n_buckets <= ENSEMBLE_BUCKETS_MAX && s->n_rule_levels <= ENSEMBLE_LEVELS_MAX;

	if (!sound)
		return corrupt(err, "more levels, members or buckets than there can be");
	for (size_t i = 0; i < s->n_levels; i++)
		sound = sound && s->levels[i] > (i ? s->levels[i - 1] : 0) && s->levels[i] < 1;
	for (size_t i = 0; i < s->n_buckets; i++)
		sound = sound && (i ? s->edges[i] > s->edges[i - 1] : s->edges[0] == 0);
	for (size_t i = 0; i < PRIORS; i++)
		sound = sound && s->prior[i] >= 0;
	if (!sound || !(s->share >= 0 && s->share <= 1) || !all_finite(s->prior, PRIORS))
		return corrupt(err, "levels or edges do not ascend, or a weight is no weight");
	return all_finite(s->shift, SHIFTS) ? 0 : corrupt(err, "a shift is not finite");
}

static int
check_texts(const struct stored *s, struct err *err)
{
	bool sound = is_text(s->name, sizeof(s->name)) && is_text(s->version, sizeof(s->version)) &&
		     is_text(s->code, sizeof(s->code)) && s->n_figures <= FIGURES_MAX;

	for (size_t i = 0; sound && i < s->n_figures; i++)
		sound = is_text(s->figures[i].name, sizeof(s->figures[i].name));
	return sound ? 0 : corrupt(err, "a text does not end, or there are too many figures");
}

static int
check_networks(const struct stored *s, struct err *err)
{
	struct err why = ERR_INIT;
	size_t wanted;

	if (s->n_networks > ARTEFACT_NETWORKS_MAX || (s->n_networks == 0) != (s->config == NULL))
		return corrupt(err, "networks without a configuration, or too many");
	if (!s->config)
		return 0;
	if (deepar_config_check(s->config, &why) < 0)
		return corrupt(err, why.text);
	wanted = deepar_config_weights(s->config);
	for (size_t i = 0; i < s->n_networks; i++) {
		if (s->networks[i].n_weights != wanted)
			return err_set(err, REASON_STATE_CORRUPT,
				       "artefact: network %zu has %zu weights, its configuration %zu", i,
				       s->networks[i].n_weights, wanted);
		if (!all_finite(s->networks[i].weights, wanted))
			return corrupt(err, "a weight is not finite");
	}
	return 0;
}

static void
restore_numbers(const struct stored *s, struct artefact *a)
{
	*a = (struct artefact){
		.created_us = s->created_us,
		.from_us = s->from_us,
		.cutoff_us = s->cutoff_us,
		.data = s->data,
		.n_series = s->n_series,
		.n_points = s->n_points,
		.n_levels = s->n_levels,
		.ensemble = { .n_members = s->n_members,
			      .n_levels = s->n_rule_levels,
			      .n_buckets = s->n_buckets,
			      .share = s->share },
		.n_figures = s->n_figures,
	};
	copy_text(a->name, s->name, sizeof(a->name));
	copy_text(a->version, s->version, sizeof(a->version));
	copy_text(a->code, s->code, sizeof(a->code));
	memcpy(a->ensemble.edges, s->edges, sizeof(s->edges));
	memcpy(a->ensemble.prior, s->prior, sizeof(s->prior));
	memcpy(a->calibration.shift, s->shift, sizeof(s->shift));
	for (size_t i = 0; i < s->n_levels; i++)
		a->levels[i] = s->levels[i];
	for (size_t i = 0; i < s->n_figures; i++)
		a->figures[i] = s->figures[i];
}

int
artefact_read(struct span bytes, struct artefact *a, struct err *err)
{
	struct stored s;
	int result = 0;

	*a = (struct artefact){ 0 };
	if (image_read(&stored_type, bytes, &s, err) < 0)
		return -1;
	if (check_texts(&s, err) < 0 || check_ensemble(&s, err) < 0 || check_networks(&s, err) < 0) {
		stored_clear(&s);
		return -1;
	}
	restore_numbers(&s, a);
	for (size_t i = 0; i < s.n_networks && result == 0; i++) {
		result = deepar_new(s.config, &a->networks[i], err);
		if (result < 0)
			break;
		memcpy(a->networks[i]->weights, s.networks[i].weights, s.networks[i].n_weights * sizeof(float));
		a->validation[i] = s.networks[i].validation;
		a->n_networks++;
	}
	stored_clear(&s);
	if (result < 0)
		artefact_clear(a);
	return result;
}

/* ---- files ---- */

int
artefact_save(const struct artefact *a, const char *path, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(0);

	if (artefact_write(a, &bytes, err) < 0)
		return err_wrap(err, "%s", path);
	return file_replace(path, buffer_span(&bytes), err);
}

int
artefact_load(const char *path, struct artefact *a, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(UINT32_MAX);

	*a = (struct artefact){ 0 };
	if (file_read(path, &bytes, err) < 0)
		return -1;
	if (artefact_read(buffer_span(&bytes), a, err) == 0)
		return 0;
	return image_refuse_file(path, buffer_span(&bytes), "model file", "train it or export it again", err);
}

/* ---- figures ---- */

double
artefact_figure(const struct artefact *a, const char *name)
{
	for (size_t i = 0; i < a->n_figures; i++)
		if (strcmp(a->figures[i].name, name) == 0)
			return a->figures[i].value;
	return NAN;
}

void
artefact_set_figure(struct artefact *a, const char *name, double value)
{
	size_t i = 0;

	while (i < a->n_figures && strcmp(a->figures[i].name, name) != 0)
		i++;
	if (i == FIGURES_MAX || strlen(name) >= sizeof(a->figures[i].name))
		return;
	copy_text(a->figures[i].name, name, sizeof(a->figures[i].name));
	a->figures[i].value = value;
	if (i == a->n_figures)
		a->n_figures++;
}
