/* roster.c -- announcements in any order become who lives and who is canary; devices of a share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "workers/batch-forecaster/roster.h"

static int
tell(struct roster *r, const char *name, const char *version, enum model_status status, double share, struct err *err)
{
	const struct model m = {
		.name = span_of(name), .version = span_of(version), .status = status, .canary_share = share
	};

	return roster_told(r, &m, err);
}

/* Announcements "<name><version><status>", and the roster after them: "<name>=<live>/<canary>" each. */
static const struct row {
	const char *told, *roster;
} rows[] = {
	{ "", "" },
	{ "a1c", "" },
	{ "a1l", "a=1/" },
	{ "a1l a1l", "a=1/" },
	{ "a1l a2y", "a=1/2" },
	{ "a1y", "a=/1" },
	{ "a1y a1l", "a=1/" },
	{ "a1l a2y a2l a1r", "a=2/" },
	{ "a1l a2y a1r a2l", "a=2/" },
	{ "a1l a2y a2x", "a=1/" },
	{ "a1l a2y a3y", "a=1/3" },
	{ "a1l a2y a3y a2x", "a=1/3" },
	{ "a1l a2l a1r a1l a2r", "a=1/" },
	{ "a1l a1r", "" },
	{ "b1l a1l c1y", "a=1/ b=1/ c=/1" },
	{ "b1l a1l c1y b1r", "a=1/ c=/1" },
};

static void
lay_out(const struct roster *r, char *text, size_t bytes)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < r->n; i++)
		at += (size_t)snprintf(text + at, bytes - at, "%s%s=%s/%s", i ? " " : "", r->entries[i].name,
				       r->entries[i].live, r->entries[i].canary);
}

static void
becomes(void **state)
{
	static const char letters[] = { 'c', 'y', 'l', 'r', 'x' };
	const struct row *row = *state;
	struct roster r = { 0 }, copy;
	struct err err = ERR_INIT;
	char text[100];

	for (const char *at = row->told; *at; at += at[3] ? 4 : 3) {
		const char name[] = { at[0], 0 }, version[] = { at[1], 0 };
		size_t status = 0;

		while (letters[status] != at[2])
			status++;
		assert_int_equal(tell(&r, name, version, (enum model_status)status, .25, &err), 0);
		assert_int_equal(roster_check(&r, &err), 0);
	}
	assert_int_equal(roster_copy(&copy, &r), 0);
	for (size_t i = 0; i < r.n; i++)
		assert_true(r.entries[i].share == (r.entries[i].canary_len ? .25 : 0));
	roster_clear(&r);
	lay_out(&copy, text, sizeof(text));
	assert_string_equal(text, row->roster);
	roster_clear(&copy);
}

static void
refuses(void **state)
{
	static char huge[600];
	struct roster r = { 0 };
	struct err err = ERR_INIT;
	char name[20];

	memset(huge, 'x', sizeof(huge) - 1);
	assert_int_equal(tell(&r, "", "1", MODEL_LIVE, 0, &err), -1);
	assert_int_equal(err.reason, REASON_RECORD_INVALID);
	assert_int_equal(tell(&r, "a", huge, MODEL_LIVE, 0, &err), -1);
	assert_int_equal(tell(&r, "a\x1f", "1", MODEL_LIVE, 0, &err), -1);
	assert_int_equal(r.n, 0);
	for (int i = 0; i < ROSTER_NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(tell(&r, name, "1", MODEL_LIVE, 0, &err), 0);
	}
	assert_int_equal(tell(&r, "one more", "1", MODEL_LIVE, 0, &err), -1);
	assert_int_equal(tell(&r, "n7", "2", MODEL_LIVE, 0, &err), 0);
	assert_int_equal(r.n, ROSTER_NAMES_MAX);
	roster_clear(&r);
}

/* About as many as are asked for; a larger share has those of a smaller one. */
static void
shares(void **state)
{
	static const double wanted[] = { 0, .1, .5, .9, 1 };
	int n[ARRAY_LEN(wanted)] = { 0 };

	for (int i = 0; i < 10000; i++) {
		char device[20];
		struct span d = { device, (size_t)snprintf(device, sizeof(device), "pump-%d", i) };
		bool before = false;

		for (size_t k = 0; k < ARRAY_LEN(wanted); k++) {
			bool in = model_in_share(d, wanted[k]);

			assert_true(in || !before);
			n[k] += in;
			before = in;
		}
	}
	for (size_t k = 0; k < ARRAY_LEN(wanted); k++)
		assert_in_range(n[k], (int)(10000 * wanted[k]) - (k % 4 ? 200 : 0),
				(int)(10000 * wanted[k]) + (k % 4 ? 200 : 0));
}

int
main(void)
{
	struct CMUnitTest tests[2 + ARRAY_LEN(rows)] = { cmocka_unit_test(refuses), cmocka_unit_test(shares) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[2 + i] = (struct CMUnitTest){ rows[i].told, becomes, NULL, NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
