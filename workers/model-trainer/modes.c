/* modes.c -- see modes.h.  A watch trains in between: nothing is judged meanwhile, and nothing is lost by that. */
#include "workers/model-trainer/modes.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "workers/model-trainer/candidate.h"
#include "workers/model-trainer/follow.h"
#include "workers/model-trainer/source.h"
#include "workers/model-trainer/trainer.h"

/* After ERR: 1: try again; 0: we were asked to stop; -1: it is no use. */
static int
again(struct job *j, struct err *err)
{
	int result = job_trouble(j, err);

	if (result < 0 && !(job_stop_wanted() && err_class(err) == ERR_RETRY))
		return -1;
	err_clear(err);
	return result == 0;
}

static int
collect(struct job *j, struct collection *c, struct err *err)
{
	job_say(j, "reading %s", j->opt.series_topic);
	if (source_read(j, c, err) < 0)
		return -1;
	log_event(c->unreadable ? LOG_WARN : LOG_INFO, "collected", "topic", LOG_S(j->opt.series_topic), "records",
		  LOG_I((int64_t)c->records), "unreadable", LOG_I((int64_t)c->unreadable), "steps",
		  LOG_I((int64_t)c->n_groups), NULL);
	return 0;
}

static bool
wanted(const struct job *j, const struct group *g)
{
	char name[ARTEFACT_TEXT_BYTES];
	struct frequency f;

	/* A step without a model is told of by who is asked to train it. */
	return trainer_name(j, g->step_us, &f, name, NULL) < 0 || trainer_wants(j, &f);
}

/* ---- once ---- */

/* One group, again and again.  1: done; 0: we were asked to stop. */
static int
train_and_tell(struct job *j, const struct collection *c, const struct group *g, bool *enough, struct err *err)
{
	enum trained result;
	int more = 1;

	while (more > 0 && trainer_train(j, c, g, &result, err) < 0)
		more = again(j, err);
	*enough |= more == 0; /* asked to stop: it was not for want of data */
	if (more <= 0)
		return more;
	*enough |= result != TRAINED_NOT_ENOUGH;
	if (result == TRAINED_STOPPED)
		return 0;
	while (more > 0 && candidate_announce(j, err) < 0)
		more = again(j, err);
	return more;
}

static int
train_all(struct job *j, const struct collection *c, bool *enough, struct err *err)
{
	for (size_t i = 0; i < c->n_groups; i++) {
		int more = wanted(j, &c->groups[i]) ? train_and_tell(j, c, &c->groups[i], enough, err) : 1;

		if (more <= 0)
			return more;
	}
	if (!*enough)
		log_event(LOG_ERROR, "nothing to train on", "topic", LOG_S(j->opt.series_topic), "records",
			  LOG_I((int64_t)c->records), "steps", LOG_I((int64_t)c->n_groups), NULL);
	return 0;
}

int
mode_once(struct job *j, bool *enough, struct err *err)
{
	CLEANUP(collection_clear)
	struct collection c = { 0 };

	*enough = false;
	for (;;) {
		int more;

		collection_clear(&c);
		if (candidate_announce(j, err) == 0 && source_freeze(j, &c, err) == 0 && collect(j, &c, err) == 0)
			return train_all(j, &c, enough, err);
		more = again(j, err);
		*enough |= more == 0; /* asked to stop: it was not for want of data */
		if (more <= 0)
			return more;
	}
}

/* ---- watch ---- */

/* What a watch remembers of the series' topic. */
struct lookout {
	struct follow follow;
	int64_t seen,
	    worth; /* ends of the topic, all partitions together: as seen last; from where on it is worth another look */
};

static bool
any_wanted(const struct follow *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->models[i].wanted != RETRAIN_NO)
			return true;
	return false;
}

/* Trouble with the data or the options of one model is no trouble of the others. */
static int
train_one(struct job *j, const struct collection *c, const struct group *g, struct followed *m, struct err *err)
{
	struct err trouble = ERR_INIT;
	enum trained result;

	if (m)
		log_event(LOG_INFO, "retrain", "model", LOG_S(m->name), "because", LOG_S(retrain_name(m->wanted)),
			  NULL);
	if (trainer_train(j, c, g, &result, &trouble) < 0) {
		if (trouble.reason != REASON_OPTION_INVALID && trouble.reason != REASON_RECORD_INVALID) {
			if (m)
				m->under_way = true;
			*err = trouble;
			return -1;
		}
		log_error(LOG_ERROR, "not trained", &trouble, NULL);
	}
	if (job_stop_wanted())
		return 0;
	if (m)
		follow_trained(m);
	return candidate_announce(j, err);
}

/* There is a tenth more to learn from than when we looked last, or the topic is another one. */
static bool
worth_a_look(const struct lookout *l, const struct collection *c)
{
	return source_end(c) >= l->worth || source_end(c) < l->seen;
}

/* Models that nobody has yet, and those that want a new version. */
static int
train(struct job *j, struct lookout *l, struct err *err)
{
	CLEANUP(collection_clear)
	struct collection c = { 0 };

	if (source_freeze(j, &c, err) < 0)
		return -1;
	if (!worth_a_look(l, &c) && !any_wanted(&l->follow))
		return 0;
	if (collect(j, &c, err) < 0)
		return -1;
	for (size_t i = 0; i < c.n_groups && !job_stop_wanted(); i++) {
		char name[ARTEFACT_TEXT_BYTES];
		struct frequency f;
		struct followed *m;

		if (!wanted(j, &c.groups[i]) || trainer_name(j, c.groups[i].step_us, &f, name, NULL) < 0)
			continue;
		m = follow_find(&l->follow, name);
		if ((!m || m->wanted != RETRAIN_NO) && train_one(j, &c, &c.groups[i], m, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < l->follow.n; i++) /* those of whose step there is nothing */
		if (l->follow.models[i].wanted != RETRAIN_NO && !job_stop_wanted())
			follow_trained(&l->follow.models[i]);
	l->seen = source_end(&c);
	l->worth = l->seen + source_size(&c) / 10 + 1;
	return 0;
}

/* All goes well only when all of it does: else a service that is away would never be given the longer pauses. */
static int
look(struct job *j, struct lookout *l, struct err *err)
{
	if (candidate_announce(j, err) < 0 || follow_models(j, &l->follow, err) < 0 ||
	    follow_outcomes(j, &l->follow, err) < 0 || candidate_announce(j, err) < 0 || train(j, l, err) < 0)
		return -1;
	job_say(j, "watching %zu models", l->follow.n);
	return 0;
}

int
mode_watch(struct job *j, struct err *err)
{
	struct lookout l = { .worth = 1 };
	int more = 1;

	while (more > 0 && !job_stop_wanted()) {
		if (look(j, &l, err) < 0)
			more = again(j, err);
		else
			job_pause(j->opt.poll_ms * US_PER_MS);
	}
	follow_clear(&l.follow);
	return more < 0 ? -1 : 0;
}
