/* rules.c -- distinct names: a few are compared pair by pair, many are sorted first. */
#include "common/record/rules.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/span.h"

#define FEW 24 /* up to here comparing all pairs costs less than sorting */

static struct span
name_of(const void *items, size_t i, size_t stride)
{
	return *(const struct span *)(const void *)((const char *)items + i * stride);
}

static int
twice(const char *what, struct span name, struct err *err)
{
	return err_set(err, REASON_RECORD_INVALID, "%s: '%.*s' is there twice", what, SPAN_ARG(name));
}

static int
compare_names(const void *a, const void *b)
{
	return span_compare(*(const struct span *)a, *(const struct span *)b);
}

static int
distinct_sorted(const char *what, const void *items, size_t n, size_t stride, struct err *err)
{
	CLEANUP(heap_free)
	struct span *names = malloc(n * sizeof(*names));

	if (!names)
		return err_set(err, REASON_NO_MEMORY, "no memory for %zu names", n);
	for (size_t i = 0; i < n; i++)
		names[i] = name_of(items, i, stride);
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 1; i < n; i++) {
		if (span_equal(names[i - 1], names[i]))
			return twice(what, names[i], err);
	}
	return 0;
}

int
rules_distinct(const char *what, const void *items, size_t n, size_t stride, struct err *err)
{
	if (n > FEW)
		return distinct_sorted(what, items, n, stride, err);
	for (size_t i = 1; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (span_equal(name_of(items, i, stride), name_of(items, k, stride)))
				return twice(what, name_of(items, i, stride), err);
		}
	}
	return 0;
}

int
rules_order(const char *a, int64_t before, enum rules_equal equal, const char *b, int64_t after, struct err *err)
{
	if (before < after || (equal == OR_EQUAL && before == after))
		return 0;
	return err_set(err, REASON_RECORD_INVALID, "%s: %" PRId64 " must be %s %s, which is %" PRId64, a, before,
		       equal == OR_EQUAL ? "at most" : "less than", b, after);
}
