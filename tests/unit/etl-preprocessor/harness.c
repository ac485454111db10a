/* harness.c -- see harness.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/etl-preprocessor/harness.h"

static void
print_count(struct buffer *out, const char *name, int64_t n)
{
	if (n)
		assert_int_equal(buffer_printf(out, ", %lld %s", (long long)n, name), 0);
}

int
harness_print(void *ctx, const struct cleaner *c, struct err *err)
{
	struct buffer *out = ctx;
	const struct window *w = &c->window;

	buffer_printf(out, "#%lld @%lld:", (long long)w->sequence, (long long)w->first);
	for (size_t i = 0; i < w->n; i++) {
		buffer_text(out, " ");
		if (isnan(w->values[i]))
			buffer_text(out, "-");
		else
			buffer_json_number(out, w->values[i]);
		buffer_printf(out, "%s%s%s", w->flags[i] & STEP_IMPUTED ? "i" : "",
			      w->flags[i] & STEP_OUTLIER ? "o" : "", w->flags[i] & STEP_CLIPPED ? "c" : "");
	}
	buffer_printf(out, " | %lld readings", (long long)w->readings.count);
	print_count(out, "outliers", w->tally.outliers);
	print_count(out, "dropped", w->tally.dropped);
	print_count(out, "late", w->tally.late);
	print_count(out, "repeated", w->tally.repeated);
	print_count(out, "us ingested", w->tally.ingest_us);
	return buffer_text(out, "; ");
}

void
harness_replace_by_copy(struct cleaner *c)
{
	struct cleaner copy;

	assert_int_equal(cleaner_copy(&copy, c), 0);
	cleaner_clear(c);
	*c = copy;
}

void
harness_feed(const struct cleaner_rule *rule, struct cleaner *c, const struct sample *samples, size_t n, size_t every,
	     struct buffer *out, struct cleaner_count *count)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(cleaner_add(rule, c, &samples[i], SPAN("C"), harness_print, out, count, &err), 0);
		if (every && (i + 1) % every == 0)
			harness_replace_by_copy(c);
	}
}
