/* groups.c -- split at semicolons, at '=', at commas; blanks around are not part of a name. */
#include "workers/realtime-scorer/groups.h"

#include <stdio.h>
#include <string.h>

#include "common/record/utf8.h"

#define METRIC_BYTES 256 /* as in a reading */

static struct span
trimmed(struct span s)
{
	while (s.len > 0 && strchr(" \t\r\n", s.ptr[0]))
		s = (struct span){ s.ptr + 1, s.len - 1 };
	while (s.len > 0 && strchr(" \t\r\n", s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* What comes before SEPARATOR, trimmed; *REST becomes what is behind it, SPAN_NONE at the end. */
static struct span
next(struct span *rest, char separator)
{
	const char *end = memchr(rest->ptr, separator, rest->len);
	size_t n = end ? (size_t)(end - rest->ptr) : rest->len;
	struct span part = { rest->ptr, n };

	*rest = end ? (struct span){ end + 1, rest->len - n - 1 } : SPAN_NONE;
	return trimmed(part);
}

static int
take_name(struct span name, struct groups *g, struct group_rule *rule, struct err *err)
{
	if (name.len == 0 || name.len > GROUP_NAME_BYTES || !utf8_valid(name))
		return err_set(err, REASON_OPTION_INVALID, "a group's name has 1 to %d bytes: \"%.*s\"",
			       GROUP_NAME_BYTES, SPAN_ARG(name));
	snprintf(rule->metric, sizeof(rule->metric), GROUP_PREFIX "%.*s", SPAN_ARG(name));
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->rules[i].metric, rule->metric) == 0)
			return err_set(err, REASON_OPTION_INVALID, "two groups are called \"%.*s\"", SPAN_ARG(name));
	return 0;
}

static int
take_columns(struct span list, struct group_rule *rule, struct err *err)
{
	struct span names[FOREST_COLUMNS_MAX];
	size_t n = 0;

	if (span_equal(trimmed(list), SPAN("*")))
		return 0;
	while (list.ptr) {
		struct span name = next(&list, ',');

		if (name.len == 0 || name.len > METRIC_BYTES || span_equal(name, SPAN("*")))
			return err_set(err, REASON_OPTION_INVALID, "%s: \"%.*s\" is no metric", rule->metric,
				       SPAN_ARG(name));
		if (n == FOREST_COLUMNS_MAX)
			return err_set(err, REASON_OPTION_INVALID, "%s: more than %d metrics", rule->metric,
				       FOREST_COLUMNS_MAX);
		for (size_t i = 0; i < n; i++)
			if (span_equal(names[i], name))
				return err_set(err, REASON_OPTION_INVALID, "%s: \"%.*s\" is named twice", rule->metric,
					       SPAN_ARG(name));
		names[n++] = name;
	}
	if (n < 2)
		return err_set(err, REASON_OPTION_INVALID, "%s: a group has at least two metrics", rule->metric);
	return columns_new(names, n, &rule->columns, err);
}

static int
take_group(struct span entry, struct groups *g, struct err *err)
{
	struct group_rule *rule = &g->rules[g->n];
	struct span list = entry, name = next(&list, '=');

	if (!list.ptr && span_equal(name, SPAN("*"))) {
		list = name;
		name = SPAN("all");
	}
	if (!list.ptr)
		return err_set(err, REASON_OPTION_INVALID, "\"%.*s\": NAME=METRIC,METRIC... is wanted, or *",
			       SPAN_ARG(entry));
	if (take_name(name, g, rule, err) < 0 || take_columns(list, rule, err) < 0)
		return -1;
	g->n++;
	return 0;
}

static int
take_groups(const char *text, struct groups *ret, struct err *err)
{
	struct span rest = span_of(text);

	while (rest.ptr) {
		struct span entry = next(&rest, ';');

		if (entry.len == 0)
			continue;
		if (ret->n == GROUPS_MAX)
			return err_set(err, REASON_OPTION_INVALID, "more than %d groups", GROUPS_MAX);
		if (take_group(entry, ret, err) < 0)
			return -1;
	}
	return 0;
}

int
groups_parse(const char *text, struct groups *ret, struct err *err)
{
	*ret = (struct groups){ 0 };
	return take_groups(text, ret, err) < 0 ? err_wrap(err, "detect.groups") : 0;
}

void
groups_clear(struct groups *g)
{
	for (size_t i = 0; i < g->n; i++)
		columns_release(g->rules[i].columns);
	*g = (struct groups){ 0 };
}
