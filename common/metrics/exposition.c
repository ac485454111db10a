/*
 * exposition.c -- the text format of Prometheus, version 0.0.4: two comment lines per metric, a line per value; buckets
 * are cumulative.  A histogram's count is the sum of the buckets as read, so that both always agree.
 */
#include <math.h>
#include <inttypes.h>
#include <string.h>

#include "common/metrics/private.h"

static int
print_number(struct buffer *out, double value)
{
	if (isnan(value))
		return buffer_text(out, "NaN");
	if (isinf(value))
		return buffer_text(out, value > 0 ? "+Inf" : "-Inf");
	if (value == floor(value) && fabs(value) < 1e17)
		return buffer_printf(out, "%.0f", value);
	return buffer_json_number(out, value);
}

/* Text with \ and line ends escaped, quotes too when QUOTES; what is not UTF-8 becomes U+FFFD. */
static int
print_escaped(struct buffer *out, const char *text, bool quotes)
{
	size_t len = strlen(text), n;
	int bad = 0;

	for (size_t i = 0; i < len; i += n) {
		n = utf8_sequence(text + i, len - i);
		if (n == 0) {
			bad |= buffer_text(out, "\xef\xbf\xbd");
			n = 1;
		} else if (text[i] == '\n') {
			bad |= buffer_text(out, "\\n");
		} else {
			if (text[i] == '\\' || (quotes && text[i] == '"'))
				bad |= buffer_text(out, "\\");
			bad |= buffer_append(out, text + i, n);
		}
	}
	return bad;
}

int
labels_print(struct buffer *out, const struct metric_spec *spec, const char *const *values)
{
	const char *name = spec->labels;
	int bad = 0;

	for (size_t i = 0; *name; i++) {
		size_t len = strcspn(name, ",");

		bad |= buffer_printf(out, "%s%.*s=\"", i ? "," : "", (int)len, name);
		bad |= print_escaped(out, values[i] ? values[i] : "", true) | buffer_text(out, "\"");
		name += len + (name[len] == ',');
	}
	return bad;
}

/* name_suffix{labels,le="0.5"} value */
static int
print_line(struct buffer *out, const struct metric_series *s, const char *suffix, const double *le, double value)
{
	int bad = buffer_printf(out, "%s%s", s->metric->spec->name, suffix);

	if (*s->labels || le)
		bad |= buffer_printf(out, "{%s%s", s->labels, *s->labels && le ? "," : "");
	if (le)
		bad |= buffer_text(out, "le=\"") | print_number(out, *le) | buffer_text(out, "\"");
	if (*s->labels || le)
		bad |= buffer_text(out, "}");
	return bad | buffer_text(out, " ") | print_number(out, value) | buffer_text(out, "\n");
}

static int
print_histogram(struct buffer *out, const struct metric_series *s)
{
	const struct metric *metric = s->metric;
	uint64_t count = 0;
	int bad = 0;

	for (size_t i = 0; i <= metric->n_bounds; i++) {
		double le = i < metric->n_bounds ? metric->bounds[i] : INFINITY;

		count += atomic_load_explicit(&s->buckets[i], memory_order_relaxed);
		bad |= print_line(out, s, "_bucket", &le, (double)count);
	}
	bad |= print_line(out, s, "_sum", NULL, metric_bits_load(&s->bits));
	return bad | print_line(out, s, "_count", NULL, (double)count);
}

static int
print_header(struct buffer *out, const struct metric_spec *spec)
{
	static const char *const kinds[] = { "counter", "gauge", "histogram" };

	return buffer_printf(out, "# HELP %s ", spec->name) | print_escaped(out, spec->help, false) |
	       buffer_printf(out, "\n# TYPE %s %s\n", spec->name, kinds[spec->kind]);
}

static int
print_metric(struct buffer *out, const struct metric *metric)
{
	bool headed = false;
	struct span key;
	void *value;
	int bad = 0;

	for (size_t at = 0; map_next(metric->series, &at, &key, &value) && !bad;) {
		const struct metric_series *s = value;

		if (s->removed)
			continue;
		if (!headed)
			bad |= print_header(out, metric->spec);
		headed = true;
		bad |= metric->spec->kind == METRIC_HISTOGRAM
			   ? print_histogram(out, s)
			   : print_line(out, s, "", NULL, metric_bits_load(&s->bits));
	}
	return bad;
}

int
metrics_expose(struct metrics *m, struct buffer *out)
{
	static const struct metric_spec refused = {
		"forebay_metrics_refused_series_total", METRIC_COUNTER, "",
		"series refused because a metric has too many, or no memory was left"
	};
	size_t start = out->len;
	struct span key;
	void *value;
	int bad = 0;

	pthread_mutex_lock(&m->lock);
	for (size_t at = 0; map_next(m->by_name, &at, &key, &value) && !bad;)
		bad |= print_metric(out, value);
	if (m->refused)
		bad |= print_header(out, &refused) | buffer_printf(out, "%s %" PRIu64 "\n", refused.name, m->refused);
	pthread_mutex_unlock(&m->lock);
	if (bad)
		out->len = start;
	return bad;
}
