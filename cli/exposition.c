/* exposition.c -- see exposition.h. */
#include "cli/exposition.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next line of TEXT, which becomes the rest. */
static struct span
take_line(struct span *text)
{
	const char *end = memchr(text->ptr, '\n', text->len);
	struct span line = { text->ptr, end ? (size_t)(end - text->ptr) : text->len };
	size_t taken = end ? line.len + 1 : line.len;

	text->ptr += taken;
	text->len -= taken;
	return line;
}

double
exposition_value(struct span text, const char *name)
{
	size_t len = strlen(name);
	char number[64], *end;

	while (text.len > 0) {
		struct span line = take_line(&text);
		double value;

		if (line.len <= len || memcmp(line.ptr, name, len) != 0 || line.ptr[len] != ' ')
			continue;
		snprintf(number, sizeof(number), "%.*s", (int)(line.len - len - 1), line.ptr + len + 1);
		value = strtod(number, &end);
		if (end > number)
			return value;
	}
	return NAN;
}

static void
add(struct histogram *h, double bound, double count)
{
	size_t i = 0;

	while (i < h->n && h->bounds[i] < bound)
		i++;
	if (i == h->n || h->bounds[i] > bound) {
		if (h->n == HISTOGRAM_MOST_BUCKETS)
			return;
		memmove(h->bounds + i + 1, h->bounds + i, (h->n - i) * sizeof(*h->bounds));
		memmove(h->counts + i + 1, h->counts + i, (h->n - i) * sizeof(*h->counts));
		h->bounds[i] = bound;
		h->counts[i] = 0;
		h->n++;
	}
	h->counts[i] += count;
}

/* NAME_bucket{...,le="0.25",...} 17 */
static void
read_line(struct histogram *h, struct span line, const char *name)
{
	char text[1024], *le, *end, *value;
	size_t len = strlen(name);
	double bound, count;

	if (line.len >= sizeof(text) || line.len < len || memcmp(line.ptr, name, len) != 0)
		return;
	memcpy(text, line.ptr, line.len);
	text[line.len] = '\0';
	if (strncmp(text + len, "_bucket{", 8) != 0 || !(le = strstr(text + len, "le=\"")) ||
	    !(value = strstr(le, "} ")))
		return;
	bound = strtod(le + 4, &end); /* also "+Inf" */
	if (end == le + 4 || *end != '"' || isnan(bound))
		return;
	count = strtod(value + 2, &end);
	if (end > value + 2 && count >= 0 && isfinite(count))
		add(h, bound, count);
}

void
histogram_read(struct histogram *h, struct span text, const char *name)
{
	while (text.len > 0)
		read_line(h, take_line(&text), name);
}

int64_t
histogram_count(const struct histogram *h)
{
	return h->n ? (int64_t)h->counts[h->n - 1] : 0;
}

double
histogram_quantile(const struct histogram *h, double q, int *beyond)
{
	double wanted = q * (double)histogram_count(h), low = 0, below = 0;

	*beyond = 0;
	if (histogram_count(h) == 0)
		return NAN;
	for (size_t i = 0; i < h->n; i++) {
		if (h->counts[i] >= wanted && h->counts[i] > below) {
			if (isfinite(h->bounds[i]))
				return low + (h->bounds[i] - low) * (wanted - below) / (h->counts[i] - below);
			break;
		}
		low = h->bounds[i];
		below = h->counts[i];
	}
	*beyond = 1;
	return low;
}
