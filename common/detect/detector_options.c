/* detector_options.c -- the one configuration that all figures are measured with, and what its members are called. */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/span.h"
#include "common/detect/detector.h"

const char *const detector_member_names[DETECTOR_MEMBERS] = { "scalar", "forecast", "forest", "neighbours" };

struct detector_options
detector_defaults(void)
{
	return (struct detector_options){
		.members =
		    1u << DETECTOR_SCALAR | 1u << DETECTOR_FORECAST | 1u << DETECTOR_FOREST | 1u << DETECTOR_NEIGHBOURS,
		.slots = 24,
		.warmup_values = 60,
		.forest = { .trees = 50,
			    .sample = 256,
			    .columns = DETECTOR_COLUMNS,
			    .shingle = 1,
			    .decay = 1.0 / 2560,
			    .seed = 1 },
		.neighbours = { .length = 16, .stride = 1, .bank = 256, .nearest = 1, .seed = 1 },
		.episode = { .pending = 1e-3,
			     .firing = 1e-4,
			     .critical = 1e-5,
			     .m = 2,
			     .n = 3,
			     .calm_ratio = 0.6,
			     .calm_values = 5,
			     .refractory_values = 150,
			     .refire = 2,
			     .state_span = 12,
			     .accept_values = 120,
			     .flap_alerts = 6,
			     .flap_us = 3600 * US_PER_SECOND,
			     .fdr = { .level = 0.05, .memory_values = 2000 } },
	};
}

static int
member_of(struct span name, unsigned *ret, struct err *err)
{
	for (unsigned i = 0; i < DETECTOR_MEMBERS; i++)
		if (span_equal(name, span_of(detector_member_names[i]))) {
			*ret |= 1u << i;
			return 0;
		}
	return err_set(err, REASON_OPTION_INVALID, "no member \"%.*s\": there are scalar, forecast, forest, neighbours",
		       SPAN_ARG(name));
}

int
detector_members_parse(const char *text, unsigned *ret, struct err *err)
{
	*ret = 0;
	for (;;) {
		size_t n = strcspn(text, ",");

		if (member_of((struct span){ text, n }, ret, err) < 0)
			return -1;
		if (text[n] == '\0')
			return 0;
		text += n + 1;
	}
}
