/* groups.c -- which texts are groups, and what is wrong with others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "workers/realtime-scorer/groups.h"

static const struct row {
	const char *name, *text, *shown; /* shown NULL: refused ... */
	const char *says;                /* ... with these words */
} rows[] = {
	{ "none", "", "", NULL },
	{ "nothing but separators", " ; ;; ", "", NULL },
	{ "one", "pump=pressure,flow", "group:pump(pressure|flow)", NULL },
	{ "two, with blanks", " pump = pressure , flow temperature ; motor=current,speed;",
	  "group:pump(pressure|flow temperature)group:motor(current|speed)", NULL },
	{ "all", "*", "group:all(*)", NULL },
	{ "all by name", "whole = * ; pump=a,b", "group:whole(*)group:pump(a|b)", NULL },
	{ "no metrics", "pump", NULL, "NAME=METRIC" },
	{ "no name", "=a,b", NULL, "1 to 64 bytes" },
	{ "a long name", "01234567890123456789012345678901234567890123456789012345678901234=a,b", NULL,
	  "1 to 64 bytes" },
	{ "one metric", "pump=a", NULL, "at least two" },
	{ "an empty metric", "pump=a,,b", NULL, "no metric" },
	{ "a star among metrics", "pump=a,*", NULL, "no metric" },
	{ "twice the same metric", "pump=a,b,a", NULL, "twice" },
	{ "twice the same group", "pump=a,b;pump=c,d", NULL, "two groups" },
	{ "33 metrics", "g=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33",
	  NULL, "more than 32" },
	{ "17 groups", "a=*;b=*;c=*;d=*;e=*;f=*;g=*;h=*;i=*;j=*;k=*;l=*;m=*;n=*;o=*;p=*;q=*", NULL, "more than 16" },
};

static void
show(const struct groups *g, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < g->n; i++) {
		const struct columns *c = g->rules[i].columns;

		n += (size_t)snprintf(text + n, size - n, "%s(%s", g->rules[i].metric, c ? "" : "*");
		for (size_t k = 0; k < columns_count(c); k++)
			n += (size_t)snprintf(text + n, size - n, "%s%.*s", k ? "|" : "", SPAN_ARG(columns_name(c, k)));
		n += (size_t)snprintf(text + n, size - n, ")");
	}
}

static void
parses(void **state)
{
	const struct row *row = *state;
	struct groups g;
	struct err err = ERR_INIT;
	char text[512];

	if (row->shown) {
		if (groups_parse(row->text, &g, &err) < 0)
			fail_msg("%s", err.text);
		show(&g, text, sizeof(text));
		assert_string_equal(text, row->shown);
	} else {
		assert_int_equal(groups_parse(row->text, &g, &err), -1);
		assert_int_equal(err.reason, REASON_OPTION_INVALID);
		if (strncmp(err.text, "detect.groups: ", 15) != 0 || !strstr(err.text, row->says))
			fail_msg("%s", err.text);
	}
	groups_clear(&g);
}

static void
columns_are_sorted_and_found(void **state)
{
	struct columns *c = NULL, *wider, *same = NULL;
	struct err err = ERR_INIT;
	static const char *const names[] = { "m", "z", "a", "mm", "" };

	for (size_t i = 0; i + 1 < ARRAY_LEN(names); i++) {
		assert_int_equal(columns_with(c, span_of(names[i]), &wider, &err), 0);
		columns_release(c);
		c = wider;
	}
	assert_int_equal(columns_count(c), 4);
	assert_true(span_equal(columns_name(c, 0), SPAN("a")) && span_equal(columns_name(c, 2), SPAN("mm")));
	assert_int_equal(columns_find(c, SPAN("z")), 3);
	assert_int_equal(columns_find(c, SPAN("b")), -1);
	assert_int_equal(columns_new((struct span[]){ SPAN("a"), SPAN("m"), SPAN("mm"), SPAN("z") }, 4, &same, &err),
			 0);
	assert_true(columns_equal(c, same) && !columns_equal(c, NULL) && columns_equal(NULL, NULL));
	columns_release(same);
	columns_release(c);
}

int
main(void)
{
	struct CMUnitTest tests[1 + ARRAY_LEN(rows)] = { cmocka_unit_test(columns_are_sorted_and_found) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[1 + i] = (struct CMUnitTest){ rows[i].name, parses, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
