/* support.c -- see support.h. */
#include "tests/unit/realtime-scorer/support.h"

static char scores_topic[] = "scores", anomalies_topic[] = "anomalies", alerts_topic[] = "alerts";
static char members[] = "scalar,forecast", no_groups[] = "", all_members[] = "scalar,forecast,forest,neighbours",
	    groups[] = "pair=t,h; *", ondemand_members[] = "season,last", family[] = "deepar";

struct scorer_options
support_options(char *cache)
{
	return (struct scorer_options){ .scores_topic = scores_topic,
					.anomalies_topic = anomalies_topic,
					.alerts_topic = alerts_topic,
					.groups = no_groups,
					.settings = { .slots_per_day = 24,
						      .warmup_readings = 60,
						      .state_readings = 12,
						      .pending_p = 1e-3,
						      .firing_p = 1e-4,
						      .critical_p = 1e-6,
						      .firing_readings = 2,
						      .window_readings = 3,
						      .calm_readings = 5,
						      .refractory_readings = 100,
						      .calm_ratio = 0.6,
						      .refire_ratio = 1.5,
						      .jump_max_ms = 86400000,
						      .late_max_readings = 50,
						      .members = members,
						      .fdr_level = 0.05,
						      .fdr_memory = 10000,
						      .accept_readings = 120,
						      .flap_alerts = 6,
						      .flap_ms = 3600000,
						      .forest_trees = 10,
						      .forest_sample = 32,
						      .forest_shingle = 1,
						      .group_shingle = 1,
						      .neighbours_length = 16,
						      .neighbours_stride = 1,
						      .neighbours_bank = 16,
						      .neighbours_nearest = 1 },
					.forecast_max_steps = 1000,
					.forecast_max_levels = 99,
					.cache_uri = cache,
					.cache_timeout_ms = 2000,
					.cache_window_ms = 300000,
					.forecast_retry_ms = 60000,
					.ondemand_step_ms = 3600000,
					.ondemand_members = ondemand_members,
					.ondemand_paths = 20,
					.ondemand_seed = 1,
					.models_family = family };
}

struct scorer_options
support_alarmed(char *cache)
{
	struct scorer_options opt = support_options(cache);

	opt.settings.pending_p = 5e-2;
	opt.settings.firing_p = 2e-2;
	opt.settings.critical_p = 1e-3;
	opt.settings.accept_readings = 30;
	opt.settings.refractory_readings = 20;
	opt.settings.jump_max_ms = 100000;
	opt.settings.late_max_readings = 5;
	opt.settings.fdr_level = 0;
	opt.settings.members = all_members;
	opt.groups = groups;
	return opt;
}
