/* Keys of states: what people write, what is found by it, and back. */
#include "cli/state_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct row {
	const char *name;
	struct span key, device, metric; /* device SPAN_NONE: it cannot be told */
	const char *text;
} rows[] = {
	{ "a separator", SPAN("pump-1\x1ftemp"), SPAN("pump-1"), SPAN("temp"), "pump-1/temp" },
	{ "a length", SPAN("6:pump-1temp"), SPAN("pump-1"), SPAN("temp"), "pump-1/temp" },
	{ "slashes in the device", SPAN("hall/2/pump\x1ftemp"), SPAN("hall/2/pump"), SPAN("temp"), "hall/2/pump/temp" },
	{ "a colon in the device", SPAN("3:x\x1ftemp"), SPAN("3:x"), SPAN("temp"), "3:x/temp" },
	{ "letters beyond ASCII", SPAN("5:gr\xc3\xbcnw\xc3\xa4rme"), SPAN("gr\xc3\xbcn"), SPAN("w\xc3\xa4rme"),
	  "gr\xc3\xbcn/w\xc3\xa4rme" },
	{ "the device alone", SPAN("pump-1"), SPAN_NONE, SPAN_NONE, "pump-1" },
	{ "a length that is too long", SPAN("99:pump"), SPAN_NONE, SPAN_NONE, "99:pump" },
	{ "no device at all", SPAN("0:temp"), SPAN_NONE, SPAN_NONE, "0:temp" },
	{ "a group", SPAN("\x1fgroup6:pump-1group:pair"), SPAN("pump-1"), SPAN("group:pair"), "pump-1/group:pair" },
	{ "a group without a length", SPAN("\x1fgroup:pump-1"), SPAN_NONE, SPAN_NONE, "\\x1f67726f75703a70756d702d31" },
	{ "the word alone", SPAN("\x1fgroup"), SPAN_NONE, SPAN_NONE, "\\x1f67726f7570" },
	{ "a separator in front", SPAN("\x1ftemp"), SPAN_NONE, SPAN_NONE, "\\x1f74656d70" },
	{ "bytes", SPAN("\xff\x00\x01"), SPAN_NONE, SPAN_NONE, "\\xff0001" },
	{ "a control character of two bytes",
	  SPAN("a\xc2\x9b"
	       "2J"),
	  SPAN_NONE, SPAN_NONE, "\\x61c29b324a" },
	{ "bytes in the metric", SPAN("a\x1f\x80"), SPAN("a"), SPAN("\x80"), "\\x611f80" },
	{ "a backslash in front", SPAN("\\x41\x1fm"), SPAN("\\x41"), SPAN("m"), "\\x5c7834311f6d" },
};

static void
splits(void **state)
{
	const struct row *row = *state;
	struct span device, metric;
	bool can = state_key_split(row->key, &device, &metric);

	assert_int_equal(can, row->device.ptr != NULL);
	if (!can)
		return;
	assert_true(span_equal(device, row->device));
	assert_true(span_equal(metric, row->metric));
}

static bool
holds(struct span key, const struct checkpoint_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_compare(key, ranges[i].low) >= 0 && span_compare(key, ranges[i].high) < 0)
			return true;
	return false;
}

/* Is KEY found by TEXT and METRIC? */
static bool
finds(const char *text, const char *metric, struct span key)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	struct checkpoint_range *ranges;
	struct err err = ERR_INIT;
	size_t n;

	assert_int_equal(state_key_ranges(text, metric, arena, &ranges, &n, &err), 0);
	return holds(key, ranges, n);
}

static void
writes_what_it_reads(void **state)
{
	const struct row *row = *state;
	struct buffer text = BUFFER_INIT(0);

	assert_int_equal(state_key_text(row->key, &text), 0);
	assert_true(span_equal(buffer_span(&text), span_of(row->text)));
	assert_int_equal(buffer_append(&text, "", 1), 0);
	assert_true(finds(text.ptr, "", row->key));
	buffer_clear(&text);
}

static const struct found {
	const char *name, *text, *metric;
	struct span key;
	bool found;
} found[] = {
	{ "a device, any metric", "a", "", SPAN("a\x1fm"), true },
	{ "a device, any metric, with a length", "a", "", SPAN("1:am"), true },
	{ "not a longer device", "a", "", SPAN("ab\x1fm"), false },
	{ "not a longer device, with a length", "a", "", SPAN("2:abm"), false },
	{ "not the next separator", "a", "", SPAN("a m"), false },
	{ "one metric", "a", "m", SPAN("a\x1fm"), true },
	{ "one metric, with a length", "a", "m", SPAN("1:am"), true },
	{ "a device, its groups", "a", "", SPAN("\x1fgroup1:agroup:g"), true },
	{ "not a longer device's groups", "a", "", SPAN("\x1fgroup2:abgroup:g"), false },
	{ "one group", "a", "group:g", SPAN("\x1fgroup1:agroup:g"), true },
	{ "one group behind a slash", "a/group:g", "", SPAN("\x1fgroup1:agroup:g"), true },
	{ "not a group of a longer name", "a/group:g", "", SPAN("\x1fgroup1:agroup:gh"), false },
	{ "not its beginning", "a", "m", SPAN("a\x1fmn"), false },
	{ "not its beginning, with a length", "a", "m", SPAN("1:amn"), false },
	{ "a slash before the metric", "a/b/c", "",
	  SPAN("a/b\x1f"
	       "c"),
	  true },
	{ "an earlier slash", "a/b/c", "",
	  SPAN("a\x1f"
	       "b/c"),
	  true },
	{ "no slash", "a/b/c", "", SPAN("a/b/c\x1fm"), true },
	{ "with a metric slashes are the device's", "a/b", "m",
	  SPAN("a\x1f"
	       "b"),
	  false },
	{ "bytes", "\\x611f6d", "", SPAN("a\x1fm"), true },
	{ "bytes are exact", "\\x611f6d", "", SPAN("a\x1fmn"), false },
};

static void
is_found(void **state)
{
	const struct found *row = *state;

	assert_int_equal(finds(row->text, row->metric, row->key), row->found);
}

static void
refuses(void **state)
{
	static const char *const texts[] = { "", "\\x", "\\x6", "\\x6g", "\\x61 f", "\\xx6", "\\x616" };
	struct arena *arena = arena_new(4096, 0);
	struct checkpoint_range *ranges;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(state_key_ranges(texts[i], "", arena, &ranges, &n, &err), -1);
		assert_int_equal(err.reason, REASON_USAGE);
	}
	arena_free(arena);
}

int
main(void)
{
	struct CMUnitTest tests[2 * ARRAY_LEN(rows) + ARRAY_LEN(found) + 1];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		tests[n++] = (struct CMUnitTest){ rows[i].name, splits, NULL, NULL, (void *)&rows[i] };
		tests[n++] = (struct CMUnitTest){ rows[i].name, writes_what_it_reads, NULL, NULL, (void *)&rows[i] };
	}
	for (size_t i = 0; i < ARRAY_LEN(found); i++)
		tests[n++] = (struct CMUnitTest){ found[i].name, is_found, NULL, NULL, (void *)&found[i] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(refuses);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
