/* checkpoints_prune.c -- `forebay checkpoints prune` and `forget`: what is dropped is said, and how many rows of it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/checkpoints.h"
#include "cli/moments.h"
#include "common/base/progress.h"
#include "common/base/clock.h"

#define MOST_KEYS 10000

static int
tell(struct checkpoints *c, const struct checkpoint_dropped *d, bool dry, struct err *err)
{
	char partitions[32], states[32], rungs[32];

	if (c->options->json)
		return verb_print_json(json_pack("{s:b, s:I, s:I, s:I}", "dropped", !dry, "partitions",
						 (json_int_t)d->partitions, "states", (json_int_t)d->states, "rungs",
						 (json_int_t)d->rungs),
				       err);
	printf("%s partitions, %s states, %s rungs %s\n", progress_number(d->partitions, partitions),
	       progress_number(d->states, states), progress_number(d->rungs, rungs), dry ? "would go" : "gone");
	return 0;
}

int
checkpoints_prune(struct checkpoints *c, struct err *err)
{
	const struct checkpoints_options *o = c->options;
	struct checkpoint_dropped dropped;
	int64_t age_us = 0;
	int failed;

	if (*o->older_than) {
		if (duration_parse(o->older_than, &age_us, err) < 0)
			return err_wrap(err, "--older.than");
		failed = checkpoint_drop_rungs(c->store, o->run, c->group, clock_real_us() - age_us, o->dry_run,
					       &dropped, err);
	} else if (!*o->run || strcmp(o->run, "live") == 0) {
		return err_set(err, REASON_USAGE,
			       "prune: say how old rungs must be to go (--older.than=7d), or which run "
			       "other than live is no longer wanted (--run.id)");
	} else {
		failed = checkpoint_drop_run(c->store, o->run, c->group, o->dry_run, &dropped, err);
	}
	return failed ? -1 : tell(c, &dropped, o->dry_run, err);
}

int
checkpoints_forget(struct checkpoints *c, struct err *err)
{
	const struct checkpoints_options *o = c->options;
	struct checkpoint_dropped dropped;
	struct checkpoint_found *found;
	size_t n;

	if (o->at >= 0)
		return err_set(err, REASON_USAGE, "forget: --at has no meaning here: a key is forgotten as a whole");
	if (checkpoints_find(c, MOST_KEYS, &found, &n, err) < 0)
		return -1;
	if (!o->json && checkpoints_print_keys(c, found, n, err) < 0)
		return -1;
	if (!o->yes && !o->dry_run)
		return err_set(
		    err, REASON_USAGE,
		    "%zu states and their rungs would go; --yes does it, once the worker is stopped, which begins anew "
		    "with these keys",
		    n);
	if (checkpoint_drop_keys(c->store, found, n, o->dry_run, &dropped, err) < 0)
		return -1;
	return tell(c, &dropped, o->dry_run, err);
}
