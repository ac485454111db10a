/* columns.c -- one allocation: the spans, then the texts. */
#include "workers/realtime-scorer/columns.h"

#include <stdlib.h>
#include <string.h>

struct columns {
	int owners;
	size_t n;
	struct span names[];
};

int
columns_new(const struct span *names, size_t n, struct columns **ret, struct err *err)
{
	size_t bytes = sizeof(**ret) + n * sizeof(names[0]);
	struct columns *c;
	char *text;

	for (size_t i = 0; i < n; i++)
		bytes += names[i].len;
	c = malloc(bytes);
	if (!c)
		return err_set(err, REASON_NO_MEMORY, "names of %zu columns", n);
	*c = (struct columns){ .owners = 1, .n = n };
	text = (char *)&c->names[n];
	for (size_t i = 0; i < n; i++) {
		memcpy(text, names[i].ptr, names[i].len);
		c->names[i] = (struct span){ text, names[i].len };
		text += names[i].len;
	}
	*ret = c;
	return 0;
}

struct columns *
columns_share(struct columns *c)
{
	if (c)
		c->owners++;
	return c;
}

void
columns_release(struct columns *c)
{
	if (c && --c->owners == 0)
		free(c);
}

size_t
columns_count(const struct columns *c)
{
	return c ? c->n : 0;
}

struct span
columns_name(const struct columns *c, size_t i)
{
	return c->names[i];
}

int
columns_find(const struct columns *c, struct span name)
{
	for (size_t i = 0; i < columns_count(c); i++)
		if (span_equal(c->names[i], name))
			return (int)i;
	return -1;
}

bool
columns_equal(const struct columns *a, const struct columns *b)
{
	size_t n = columns_count(a), i = 0;

	if (a == b)
		return true;
	while (n == columns_count(b) && i < n && span_equal(a->names[i], b->names[i]))
		i++;
	return n == columns_count(b) && i == n;
}

static bool
before(struct span a, struct span b)
{
	int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

	return order < 0 || (order == 0 && a.len < b.len);
}

int
columns_with(const struct columns *c, struct span name, struct columns **ret, struct err *err)
{
	struct span names[FOREST_COLUMNS_MAX];
	size_t n = columns_count(c), at = 0;

	while (at < n && before(c->names[at], name))
		at++;
	for (size_t i = 0; i < n; i++)
		names[i + (i >= at)] = c->names[i];
	names[at] = name;
	return columns_new(names, n + 1, ret, err);
}
