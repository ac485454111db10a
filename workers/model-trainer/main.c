/*
 * model-trainer -- keeps the fleet's models: trains them, judges them, puts them to work and takes them back.
 *
 *	telemetry.series --> series --> training --> fit --> gate --+--> PostgreSQL --> models
 *	                                   |                        |  candidate, canary, live, rejected
 *	                                   `--> progress            |
 *	forecasts.outcomes --> trial of the canary ----------------'
 *	                  `--> drift --> training
 *
 * No transactions and no state per key: what it has done is in the database, and what it knows is read again.
 */
#include "common/base/log.h"
#include "workers/model-trainer/modes.h"

enum exit_code { EXIT_OK = 0, EXIT_CONFIGURATION = 1, EXIT_FAILED = 2 };

static int
run(struct job *j, struct err *err)
{
	bool enough = true;
	int result = j->opt.mode == MODE_ONCE ? mode_once(j, &enough, err) : mode_watch(j, err);

	return result < 0 || !enough ? EXIT_FAILED : EXIT_OK;
}

int
main(int argc, char **argv)
{
	struct job j;
	enum options_verdict verdict = OPTIONS_DONE;
	struct err err = ERR_INIT;
	int code = EXIT_CONFIGURATION;

	if (job_start(&j, argc, argv, &verdict, &err) == 0)
		code = verdict == OPTIONS_RUN ? run(&j, &err) : EXIT_OK;
	if (err.reason)
		log_error(LOG_ERROR, "stopped", &err, "remedy",
			  LOG_S(err_class(&err) == ERR_FATAL ? err_reason_remedy(err.reason) : ""), NULL);
	else if (verdict == OPTIONS_RUN)
		log_event(LOG_INFO, "stopped", NULL);
	job_finish(&j);
	return code;
}
