/* vectors_file.c -- see vectors_file.h. */
#include "tests/unit/forecast/vectors_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *const vectors_names[] = { "h_l1_studentt_plain.json", "h_l2_studentt_feats.json", "d_l2_negbin.json",
				      "15min_l2_normal.json", NULL };

static void __attribute__((noreturn, format(printf, 1, 2))) broken(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

const char *
vectors_folder(void)
{
	const char *folder = getenv("FOREBAY_TEST_VECTORS");

	if (!folder || !*folder)
		folder = "../shared/vectors";
	if (access(folder, R_OK) == 0)
		return folder;
	fprintf(stderr, "SKIPPED: no reference vectors in %s; set FOREBAY_TEST_VECTORS to their folder\n", folder);
	return NULL;
}

json_t *
vectors_json(const char *folder, const char *name)
{
	char path[1024];
	json_error_t error;
	json_t *root;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	root = json_load_file(path, 0, &error);
	if (!root)
		broken("%s:%d: %s", path, error.line, error.text);
	return root;
}

/* ---- reaching in ---- */

const json_t *
vectors_at(const json_t *root, const char *path)
{
	const json_t *at = root;

	for (const char *part = path; *part;) {
		size_t len = strcspn(part, "/");
		char key[128];

		snprintf(key, sizeof(key), "%.*s", (int)len, part);
		at = json_is_array(at) ? json_array_get(at, (size_t)atol(key)) : json_object_get(at, key);
		if (!at)
			broken("%s: no %s", path, key);
		part += len + (part[len] == '/');
	}
	return at;
}

static size_t
flatten(const json_t *value, double *ret)
{
	size_t n = 0;

	if (!json_is_array(value)) {
		if (ret)
			*ret = json_is_number(value) ? json_number_value(value) : NAN;
		return 1;
	}
	for (size_t i = 0; i < json_array_size(value); i++)
		n += flatten(json_array_get(value, i), ret ? ret + n : NULL);
	return n;
}

double *
vectors_flat(const json_t *value, size_t *n)
{
	double *ret;

	*n = flatten(value, NULL);
	ret = calloc(*n + 1, sizeof(*ret));
	if (!ret)
		broken("no memory");
	flatten(value, ret);
	return ret;
}

double *
vectors_numbers(const struct vectors *v, const char *path, size_t *n)
{
	return vectors_flat(vectors_at(v->root, path), n);
}

int64_t
vectors_time(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (end && *end)
		end = strptime(text, strlen(text) > 16 ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M", &tm);
	if (!end || *end)
		broken("no time: %s", text);
	return (int64_t)timegm(&tm) * 1000000;
}

/* ---- the network ---- */

static int32_t
number(const json_t *root, const char *path)
{
	return (int32_t)json_integer_value(vectors_at(root, path));
}

static enum deepar_head
head_of(const char *class)
{
	if (strcmp(class, "StudentTOutput") == 0)
		return HEAD_STUDENT_T;
	if (strcmp(class, "NormalOutput") == 0)
		return HEAD_NORMAL;
	if (strcmp(class, "NegativeBinomialOutput") == 0)
		return HEAD_NEGATIVE_BINOMIAL;
	broken("no head: %s", class);
}

static void
load_weights(struct vectors *v)
{
	const json_t *weights = vectors_at(v->root, "weights");

	if (json_object_size(weights) != v->model->n_tensors)
		broken("%zu tensors, the network has %zu", json_object_size(weights), v->model->n_tensors);
	for (size_t i = 0; i < v->model->n_tensors; i++) {
		const struct deepar_tensor *t = &v->model->tensors[i];
		const json_t *shape = vectors_at(vectors_at(weights, t->name), "shape");
		size_t n, cols = json_array_size(shape) > 1 ? (size_t)number(shape, "1") : 1;
		double *data = vectors_flat(vectors_at(vectors_at(weights, t->name), "data"), &n);

		/* A vector of the file is a row or a column here. */
		if (n != t->rows * t->cols || (cols > 1 && cols != t->cols))
			broken("%s: %zu numbers, %zu columns", t->name, n, cols);
		for (size_t k = 0; k < n; k++)
			v->model->weights[t->at + k] = (float)data[k];
		free(data);
	}
}

static void
load_model(struct vectors *v)
{
	const json_t *config = vectors_at(v->root, "config"), *raw = vectors_at(v->root, "raw/0");
	const char *name = json_string_value(vectors_at(config, "freq"));
	struct deepar_config c;
	struct frequency f;
	struct err err = ERR_INIT;

	if (frequency_parse(name, &f, &err) < 0)
		broken("%s", err.text);
	deepar_config_default(&f, number(config, "prediction_length"), &c);
	c.head = head_of(json_string_value(vectors_at(config, "distribution")));
	c.context = number(config, "context_length");
	c.layers = number(config, "num_layers");
	c.hidden = number(config, "hidden");
	c.n_cats = (int32_t)json_array_size(json_object_get(raw, "feat_static_cat"));
	for (int32_t i = 0; i < c.n_cats; i++)
		c.cardinality[i] =
		    (int32_t)json_integer_value(json_array_get(vectors_at(config, "cardinality"), (size_t)i));
	c.n_reals = (int32_t)json_array_size(json_object_get(raw, "feat_static_real"));
	c.n_dynamic = number(config, "num_feat_dynamic_real_given");
	if (deepar_new(&c, &v->model, &err) < 0)
		broken("%s", err.text);
	load_weights(v);
}

/* ---- the series ---- */

static void
load_series(struct vectors *v, size_t i, const json_t *raw)
{
	struct target *t = &v->targets[i];
	size_t n_dynamic = (size_t)v->model->config.n_dynamic, n;

	v->values[i] = vectors_flat(vectors_at(raw, "target"), &t->n);
	t->values = v->values[i];
	t->start_us = vectors_time(json_string_value(vectors_at(raw, "start")));
	for (int32_t k = 0; k < v->model->config.n_cats; k++)
		v->cats[i][k] =
		    (int32_t)json_integer_value(json_array_get(vectors_at(raw, "feat_static_cat"), (size_t)k));
	t->cats = v->model->config.n_cats ? v->cats[i] : NULL;
	t->n_cats = (size_t)v->model->config.n_cats;
	if (v->model->config.n_reals)
		t->reals = v->reals[i] = vectors_flat(vectors_at(raw, "feat_static_real"), &t->n_reals);
	v->split[i] = t->n - (size_t)v->model->config.horizon;
	if (n_dynamic == 0)
		return;
	v->dynamic[i] = vectors_flat(vectors_at(raw, "feat_dynamic_real"), &n);
	v->features[i] = calloc(n_dynamic, sizeof(*v->features[i]));
	if (!v->features[i])
		broken("no memory");
	t->n_features = n_dynamic;
	t->n_dynamic = n / n_dynamic;
	for (size_t d = 0; d < n_dynamic; d++)
		v->features[i][d] = v->dynamic[i] + d * t->n_dynamic;
	t->dynamic = v->features[i];
}

struct vectors *
vectors_load(const char *folder, const char *name)
{
	struct vectors *v = calloc(1, sizeof(*v));
	const json_t *raw;

	if (!v)
		broken("no memory");
	v->root = vectors_json(folder, name);
	load_model(v);
	raw = vectors_at(v->root, "raw");
	v->n = json_array_size(raw);
	if (v->n > VECTORS_SERIES_MAX)
		broken("%s: %zu series", name, v->n);
	for (size_t i = 0; i < v->n; i++)
		load_series(v, i, json_array_get(raw, i));
	return v;
}

void
vectors_free(struct vectors *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n; i++) {
		free(v->values[i]);
		free(v->reals[i]);
		free(v->dynamic[i]);
		free(v->features[i]);
	}
	deepar_free(v->model);
	json_decref(v->root);
	free(v);
}
