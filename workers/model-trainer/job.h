/*
 * job.h -- what surrounds the trainer's work: options, clients, signals, the HTTP thread, and what is done about trouble.
 *
 * All that counts is in the database and in topics; the process may be killed at any moment.
 */
#ifndef FOREBAY_TRAINER_JOB_H
#define FOREBAY_TRAINER_JOB_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/progress.h"
#include "common/http/admin.h"
#include "common/kafka/client.h"
#include "common/record/codec.h"
#include "common/store/connection.h"
#include "common/worker/retry.h"
#include "workers/model-trainer/meters.h"
#include "workers/model-trainer/options.h"

struct job {
	struct trainer_options opt;
	struct trainer_rules rules;
	struct option_set set;
	struct property_list lists[2]; /* consumer.override., producer.override. */
	struct option_program program;
	struct client_property *overrides[2];
	struct client_config reading, telling;
	char instance[256];
	struct store *store;
	struct registry *registry;
	struct codec *series, *outcome; /* made when first needed: job_codecs() */
	struct metrics *metrics;
	struct admin *admin;
	struct retry retry;
	struct progress progress;  /* of a training, on a terminal */
	pthread_mutex_t face_lock; /* of what the HTTP thread shows: */
	char message[200];
	bool ready, begun;
};

/* Read the options; with OPTIONS_RUN start all that needs no answer from outside.  -1: the configuration is wrong. */
int job_start(struct job *j, int argc, char **argv, enum options_verdict *verdict, struct err *err);
void job_finish(struct job *j);

/* SIGTERM, SIGINT. */
bool job_stop_wanted(void);

/* -1 on what codec_new() says. */
int job_codecs(struct job *j, struct err *err);

/* What /health tells; all goes well. */
void job_say(struct job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Trouble outside of us: log, wait, 0: try again.  Else, and when asked to stop: -1. */
int job_trouble(struct job *j, const struct err *err);

/* Sleep, unless asked to stop. */
void job_pause(int64_t us);

#endif
