/* words.c -- why something is strange is said by common/detect; the rest is short. */
#include "workers/realtime-scorer/words.h"

#include <math.h>
#include <string.h>

#include "common/detect/group_reason.h"
#include "common/detect/reason.h"

static struct span
text(const char *t)
{
	return t ? span_of(t) : SPAN_NONE;
}

static const char *
strange(struct span metric, double value, const struct stream_score *s, struct arena *arena)
{
	const struct circumstances c = { .name = metric,
					 .value = value,
					 .p = s->verdict.p,
					 .together = s->verdict.together,
					 .expected = s->forecast ? s->outlook.expected : NAN,
					 .lower = s->forecast ? s->outlook.lower : NAN,
					 .upper = s->forecast ? s->outlook.upper : NAN,
					 .usual = s->usual,
					 .sign = s->verdict.sign,
					 .run = s->run };

	return reason_tell(&c, arena);
}

struct span
words_of_stream(enum occasion what, struct span metric, double value, const struct stream_score *s, struct arena *arena)
{
	switch (what) {
	case OCCASION_STRANGE: return text(strange(metric, value, s, arena));
	case OCCASION_ACCEPTED: return text(reason_tell_shift(metric, &s->verdict, s->run, arena));
	default: break;
	}
	if (s->forecast)
		return text(arena_printf(arena, "%.*s is as usual again: %.5g, expected %.5g", SPAN_ARG(metric), value,
					 s->outlook.expected));
	return text(arena_printf(arena, "%.*s is as usual again: %.5g", SPAN_ARG(metric), value));
}

static const char *
strange_row(struct span name, const struct collective_score *s, struct arena *arena)
{
	struct span columns[FOREST_COLUMNS_MAX];
	const struct group_circumstances c = {
		.name = name, .columns = columns, .n = columns_count(s->columns), .row = s->row, .verdict = &s->verdict
	};

	for (size_t i = 0; i < c.n; i++)
		columns[i] = columns_name(s->columns, i);
	return group_reason_tell(&c, arena);
}

struct span
words_of_group(enum occasion what, const struct group_rule *which, const struct collective_score *s,
	       struct arena *arena)
{
	struct span name = span_of(which->metric + strlen(GROUP_PREFIX));

	switch (what) {
	case OCCASION_STRANGE: return text(strange_row(name, s, arena));
	case OCCASION_ACCEPTED:
		return text(
		    arena_printf(arena, "%.*s: what it does now is taken as usual from here on", SPAN_ARG(name)));
	default: return text(arena_printf(arena, "%.*s is as usual again", SPAN_ARG(name)));
	}
}

struct span
words_detector(const double p[DETECTOR_MEMBERS])
{
	int least = 0;

	for (int i = 1; i < DETECTOR_MEMBERS; i++)
		if (p[i] < p[least] || (isnan(p[least]) && !isnan(p[i])))
			least = i;
	return isnan(p[least]) ? SPAN("") : span_of(detector_member_names[least]);
}
