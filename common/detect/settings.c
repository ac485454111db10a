/* settings.c -- see settings.h. */
#include "common/detect/settings.h"

#include <inttypes.h>

#include "common/base/clock.h"

#define SAMPLES 10.0 /* a forest forgets over so many times as many points as a tree holds */
#define SEED 1

static int
check(const struct settings *s, struct err *err)
{
	if (s->firing_p > s->pending_p || s->critical_p > s->firing_p)
		return err_set(err, REASON_OPTION_INVALID,
			       "alert.pending.p %g, alert.firing.p %g and alert.critical.p %g must not ascend",
			       s->pending_p, s->firing_p, s->critical_p);
	if (s->firing_readings > s->window_readings)
		return err_set(err, REASON_OPTION_INVALID,
			       "alert.firing.readings: %" PRId64 " of the last %" PRId64
			       " (alert.window.readings) can never be",
			       s->firing_readings, s->window_readings);
	return 0;
}

static struct episode_options
episode_of(const struct settings *s)
{
	return (struct episode_options){ .pending = s->pending_p,
					 .firing = s->firing_p,
					 .critical = s->critical_p,
					 .m = (int)s->firing_readings,
					 .n = (int)s->window_readings,
					 .calm_ratio = s->calm_ratio,
					 .calm_values = (int)s->calm_readings,
					 .refractory_values = (int)s->refractory_readings,
					 .refire = s->refire_ratio,
					 .state_span = (int)s->state_readings,
					 .accept_values = (int)s->accept_readings,
					 .flap_alerts = (int)s->flap_alerts,
					 .flap_us = s->flap_ms * US_PER_MS,
					 .fdr = { s->fdr_level, (int)s->fdr_memory } };
}

static int
forest_of(const struct settings *s, int64_t shingle, struct forest_rule *ret, struct err *err)
{
	if (s->forest_trees * s->forest_sample > FOREST_POINTS_MAX)
		return err_set(err, REASON_OPTION_INVALID,
			       "forest.trees %" PRId64 " of forest.sample %" PRId64 " points: %d are allowed in all",
			       s->forest_trees, s->forest_sample, FOREST_POINTS_MAX);
	*ret = (struct forest_rule){ .trees = (int)s->forest_trees,
				     .sample = (int)s->forest_sample,
				     .columns = 1,
				     .shingle = (int)shingle,
				     .decay = 1 / (SAMPLES * (double)s->forest_sample),
				     .seed = SEED };
	return 0;
}

int
settings_detector(const struct settings *s, struct detector_options *ret, struct err *err)
{
	int columns = ret->forest.columns;

	if (s->neighbours_length % 8 != 0)
		return err_set(err, REASON_OPTION_INVALID, "neighbours.length: %" PRId64 " is no multiple of 8",
			       s->neighbours_length);
	if (check(s, err) < 0 || forest_of(s, s->forest_shingle, &ret->forest, err) < 0)
		return -1;
	if (detector_members_parse(s->members, &ret->members, err) < 0)
		return err_wrap(err, "detect.members");
	ret->forest.columns = columns;
	ret->slots = (int)s->slots_per_day;
	ret->warmup_values = (int)s->warmup_readings;
	ret->episode = episode_of(s);
	ret->neighbours = (struct neighbours_rule){ .length = (int)s->neighbours_length,
						    .stride = (int)s->neighbours_stride,
						    .bank = (int)s->neighbours_bank,
						    .nearest = (int)s->neighbours_nearest,
						    .seed = SEED };
	return 0;
}

int
settings_group(const struct settings *s, struct group_options *ret, struct err *err)
{
	ret->warmup_rows = (int)s->warmup_readings;
	ret->episode = episode_of(s);
	return check(s, err) < 0 ? -1 : forest_of(s, s->group_shingle, &ret->forest, err);
}

struct order_rule
settings_order(const struct settings *s)
{
	return (struct order_rule){ .jump_max_us = s->jump_max_ms * US_PER_MS, .late_max = (int)s->late_max_readings };
}
