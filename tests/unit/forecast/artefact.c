/* artefact.c -- what was written is read; what was not written is refused, byte by byte. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/image.h"
#include "common/forecast/artefact.h"

static struct artefact
small(size_t n_networks)
{
	struct artefact a = { .name = "deepar-1D",
			      .version = "20250101T000000-ab12",
			      .code = "0.1.0",
			      .created_us = 1700000000000000,
			      .from_us = -5,
			      .cutoff_us = 1600000000000000,
			      .data = UINT64_MAX - 3,
			      .n_series = 12,
			      .n_points = 34567,
			      .n_levels = 3,
			      .levels = { 0.1, 0.5, 0.9 },
			      .ensemble = {
				  .n_members = 2, .n_levels = 3, .n_buckets = 2, .edges = { 0, 4 }, .share = 0.01f } };
	struct deepar_config c;
	struct frequency f;
	struct err err = ERR_INIT;

	a.ensemble.prior[0][0] = 0.25f;
	a.ensemble.prior[0][1] = 0.75f;
	a.ensemble.prior[1][1] = 1;
	a.calibration.shift[1][2] = -0.125f;
	artefact_set_figure(&a, "wql", 0.0625);
	artefact_set_figure(&a, "mase", NAN);
	assert_int_equal(frequency_parse("M", &f, &err), 0);
	deepar_config_default(&f, 3, &c);
	c.head = HEAD_NEGATIVE_BINOMIAL;
	c.hidden = 2;
	c.n_cats = 1;
	c.cardinality[0] = 3;
	for (size_t i = 0; i < n_networks; i++) {
		assert_int_equal(deepar_new(&c, &a.networks[i], &err), 0);
		deepar_init(a.networks[i], i);
		a.validation[i] = 0.5 + (double)i;
		a.n_networks++;
	}
	return a;
}

static struct buffer
bytes_of(const struct artefact *a)
{
	struct buffer b = BUFFER_INIT(0);
	struct err err = ERR_INIT;

	if (artefact_write(a, &b, &err) < 0)
		fail_msg("%s", err.text);
	return b;
}

static void
assert_same_network(const struct deepar *a, const struct deepar *b)
{
	assert_memory_equal(&a->config, &b->config, sizeof(a->config));
	assert_int_equal(a->n_weights, b->n_weights);
	assert_memory_equal(a->weights, b->weights, a->n_weights * sizeof(float));
	assert_int_equal(a->past, b->past);
}

/* Whatever the hour and the release; not with one number different. */
static void
knows_its_like(void **state)
{
	struct artefact a = small(2), b = small(2);
	struct err err = ERR_INIT;
	bool same = false;

	(void)state;
	b.created_us++;
	strcpy(b.code, "0.2.0");
	assert_int_equal(artefact_same(&a, &b, &same, &err), 0);
	assert_true(same);
	assert_string_equal(b.code, "0.2.0");
	b.networks[1]->weights[3] += 1;
	assert_int_equal(artefact_same(&a, &b, &same, &err), 0);
	assert_false(same);
	b.networks[1]->weights[3] = a.networks[1]->weights[3];
	b.calibration.shift[1][1] = .5F;
	assert_int_equal(artefact_same(&a, &b, &same, &err), 0);
	assert_false(same);
	artefact_clear(&a);
	artefact_clear(&b);
}

static void
reads(void **state)
{
	struct artefact a = small(2), b;
	struct buffer bytes = bytes_of(&a), again;
	struct err err = ERR_INIT;

	assert_int_equal(artefact_read(buffer_span(&bytes), &b, &err), 0);
	assert_string_equal(b.name, "deepar-1D");
	assert_string_equal(b.version, "20250101T000000-ab12");
	assert_string_equal(b.code, "0.1.0");
	assert_int_equal(b.created_us, a.created_us);
	assert_int_equal(b.from_us, -5);
	assert_int_equal(b.cutoff_us, a.cutoff_us);
	assert_true(b.data == UINT64_MAX - 3);
	assert_int_equal(b.n_series, 12);
	assert_int_equal(b.n_points, 34567);
	assert_int_equal(b.n_networks, 2);
	assert_same_network(a.networks[0], b.networks[0]);
	assert_same_network(a.networks[1], b.networks[1]);
	assert_true(b.validation[0] == 0.5 && b.validation[1] == 1.5);
	assert_int_equal(b.n_levels, 3);
	assert_memory_equal(a.levels, b.levels, sizeof(a.levels));
	assert_memory_equal(&a.ensemble, &b.ensemble, sizeof(a.ensemble));
	assert_memory_equal(&a.calibration, &b.calibration, sizeof(a.calibration));
	assert_true(artefact_figure(&b, "wql") == 0.0625);
	again = bytes_of(&b);
	assert_true(span_equal(buffer_span(&bytes), buffer_span(&again)));
	buffer_clear(&bytes);
	buffer_clear(&again);
	artefact_clear(&a);
	artefact_clear(&b);
	artefact_clear(&b);
}

static void
without_networks(void **state)
{
	struct artefact a = small(0), b, nothing = { 0 };
	struct buffer bytes = bytes_of(&a), none = bytes_of(&nothing);
	struct err err = ERR_INIT;

	assert_int_equal(artefact_read(buffer_span(&bytes), &b, &err), 0);
	assert_int_equal(b.n_networks, 0);
	assert_true(b.ensemble.prior[0][1] == 0.75f);
	assert_int_equal(artefact_read(buffer_span(&none), &b, &err), 0);
	assert_int_equal(b.n_levels, 0);
	buffer_clear(&bytes);
	buffer_clear(&none);
}

/* What stands behind a text in memory is not written. */
static void
same_bytes(void **state)
{
	struct artefact a = small(1);
	struct buffer first = bytes_of(&a), second;

	memset(a.name + strlen(a.name) + 1, 'x', 8);
	memset(a.figures[0].name + 5, 'y', 8);
	second = bytes_of(&a);
	assert_true(span_equal(buffer_span(&first), buffer_span(&second)));
	buffer_clear(&first);
	buffer_clear(&second);
	artefact_clear(&a);
}

static void
assert_refused(struct span bytes)
{
	struct artefact b;
	struct err err = ERR_INIT;

	assert_int_equal(artefact_read(bytes, &b, &err), -1);
	assert_true(err.reason == REASON_STATE_CORRUPT || err.reason == REASON_STATE_VERSION);
	assert_int_equal(b.n_networks, 0);
	assert_null(b.networks[0]);
}

static void
cut_short(void **state)
{
	struct artefact a = small(1);
	struct buffer bytes = bytes_of(&a);

	for (size_t len = 0; len < bytes.len; len++) {
		CLEANUP(heap_free) char *copy = malloc(len + 1);

		memcpy(copy, bytes.ptr, len);
		assert_refused((struct span){ copy, len });
	}
	buffer_clear(&bytes);
	artefact_clear(&a);
}

static void
flipped(void **state)
{
	struct artefact a = small(1);
	struct buffer bytes = bytes_of(&a);

	for (size_t i = 0; i < bytes.len; i++)
		for (int bit = 1; bit < 256; bit *= 16) {
			bytes.ptr[i] ^= (char)bit;
			assert_refused(buffer_span(&bytes));
			bytes.ptr[i] ^= (char)bit;
		}
	buffer_clear(&bytes);
	artefact_clear(&a);
}

/* A checksum that fits. */
static void
seal(struct buffer *bytes)
{
	uint32_t crc = image_crc32c((struct span){ bytes->ptr, bytes->len - 4 });

	for (int k = 0; k < 4; k++)
		bytes->ptr[bytes->len - 4 + (size_t)k] = (char)(crc >> (8 * k));
}

/* A checksum that fits: what is wrong is seen by what it says, or it is another sound artefact. */
static void
forged(void **state)
{
	struct artefact a = small(1);
	struct buffer bytes = bytes_of(&a);
	size_t sound = 0, refused = 0;

	for (size_t i = 20; i < bytes.len - 4; i++)
		for (int mask = 0x80; mask <= 0xff; mask += 0x7f) {
			struct artefact b;
			struct err err = ERR_INIT;

			bytes.ptr[i] ^= (char)mask;
			seal(&bytes);
			if (artefact_read(buffer_span(&bytes), &b, &err) == 0) {
				struct buffer again = bytes_of(&b);

				assert_int_equal(again.len, bytes.len);
				sound++;
				buffer_clear(&again);
				artefact_clear(&b);
			} else {
				refused++;
				assert_int_equal(err.reason, REASON_STATE_CORRUPT);
			}
			bytes.ptr[i] ^= (char)mask;
		}
	assert_true(sound > 1000 && refused > 300);
	buffer_clear(&bytes);
	artefact_clear(&a);
}

static void
assert_wrong(const struct artefact *a, const char *text)
{
	struct buffer bytes = bytes_of(a);
	struct artefact b;
	struct err err = ERR_INIT;

	assert_int_equal(artefact_read(buffer_span(&bytes), &b, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	if (!strstr(err.text, text))
		fail_msg("no \"%s\" in: %s", text, err.text);
	buffer_clear(&bytes);
}

static void
not_believed(void **state)
{
	struct artefact a = small(2);
	float weight = a.networks[1]->weights[7];

	a.networks[1]->weights[7] = NAN;
	assert_wrong(&a, "weight is not finite");
	a.networks[1]->weights[7] = weight;
	a.networks[1]->n_weights--;
	assert_wrong(&a, "network 1 has");
	a.networks[1]->n_weights++;
	a.networks[0]->config.hidden = 3;
	assert_wrong(&a, "network 0 has");
	a.networks[0]->config.hidden = 2;
	a.networks[0]->config.horizon = 0;
	assert_wrong(&a, "horizon");
	a.networks[0]->config.horizon = 3;
	a.networks[0]->config.frequency.multiple = INT32_MAX;
	assert_wrong(&a, "frequency");
	a.networks[0]->config.frequency.multiple = 1;
	a.levels[1] = 0.95;
	assert_wrong(&a, "ascend");
	a.levels[1] = 0.5;
	a.ensemble.prior[0][0] = -1;
	assert_wrong(&a, "weight");
	a.ensemble.prior[0][0] = 0.25f;
	a.ensemble.n_members = 9;
	assert_wrong(&a, "members");
	a.ensemble.n_members = 2;
	a.calibration.shift[3][31] = INFINITY;
	assert_wrong(&a, "shift");
	artefact_clear(&a);
}

static void
files(void **state)
{
	char folder[] = "/tmp/artefact-XXXXXX", path[64], missing[96];
	struct artefact a = small(1), b;
	struct err err = ERR_INIT;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/model.fba", folder);
	snprintf(missing, sizeof(missing), "%s/not/here.fba", folder);
	assert_int_equal(artefact_load(path, &b, &err), -1);
	assert_int_equal(err.reason, REASON_FILE_UNREADABLE);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(artefact_save(&a, path, &err), 0);
	artefact_set_figure(&a, "wql", 7);
	assert_int_equal(artefact_save(&a, path, &err), 0);
	assert_int_equal(artefact_load(path, &b, &err), 0);
	assert_true(artefact_figure(&b, "wql") == 7);
	assert_same_network(a.networks[0], b.networks[0]);
	assert_int_equal(artefact_save(&a, missing, &err), -1);
	assert_int_equal(err.reason, REASON_IO);
	assert_non_null(strstr(err.text, missing));
	artefact_clear(&b);
	err_clear(&err);
	assert_int_equal(artefact_load(folder, &b, &err), -1);
	assert_int_equal(err.reason, REASON_FILE_UNREADABLE);
	/* Nothing is left beside it. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	artefact_clear(&a);
}

/* What is said of a file, not of a stored state. */
static void
broken_files_are_named(void **state)
{
	static const struct {
		const char *name;
		size_t at;   /* of the byte that is changed */
		long cut;    /* bytes that are left out at the end; below 0: that are too many */
		bool sealed; /* with a checksum that fits */
		const char *says;
	} rows[] = {
		{ "cut short", 0, 1, false, "it is cut short: " },
		{ "too long", 0, -3, false, "it goes on: " },
		{ "something else", 1, 0, false, "are something else" },
		{ "changed", 100, 0, false, "checksum" },
		{ "another version", 5, 0, true, "another version of the program" },
	};
	char path[] = "/tmp/artefact-XXXXXX";
	struct artefact a = small(1), b;
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(0);
	struct err err = ERR_INIT;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(artefact_write(&a, &bytes, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buffer_clear)
		struct buffer bad = BUFFER_INIT(0);

		assert_int_equal(buffer_append(&bad, bytes.ptr, bytes.len), 0);
		assert_int_equal(buffer_text(&bad, "..."), 0);
		bad.ptr[rows[i].at] ^= rows[i].at ? 1 : 0;
		bad.len = (size_t)((long)bytes.len - rows[i].cut);
		if (rows[i].sealed)
			seal(&bad);
		assert_int_equal(file_replace(path, buffer_span(&bad), &err), 0);
		err_clear(&err);
		if (artefact_load(path, &b, &err) != -1 || err.reason != REASON_FILE_INVALID ||
		    !strstr(err.text, path) || !strstr(err.text, rows[i].says) || !strstr(err.text, "export it again"))
			fail_msg("%s: [%s] %s", rows[i].name, err_reason_name(err.reason), err.text);
	}
	close(fd);
	unlink(path);
	artefact_clear(&a);
}

static void
figures(void **state)
{
	struct artefact a = { 0 };
	char name[40];

	assert_true(isnan(artefact_figure(&a, "wql")));
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "figure%d", i);
		artefact_set_figure(&a, name, i);
	}
	assert_int_equal(a.n_figures, 16);
	assert_true(artefact_figure(&a, "figure15") == 15 && isnan(artefact_figure(&a, "figure16")));
	artefact_set_figure(&a, "figure3", -3);
	assert_true(artefact_figure(&a, "figure3") == -3);
	a.n_figures = 0;
	artefact_set_figure(&a, "a name of more than thirty-one bytes", 1);
	assert_int_equal(a.n_figures, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_its_like),
		cmocka_unit_test(reads),
		cmocka_unit_test(without_networks),
		cmocka_unit_test(same_bytes),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(flipped),
		cmocka_unit_test(forged),
		cmocka_unit_test(not_believed),
		cmocka_unit_test(files),
		cmocka_unit_test(broken_files_are_named),
		cmocka_unit_test(figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
