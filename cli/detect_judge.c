/*
 * detect_judge.c -- see detect_judge.h.  One column speaks for itself; several, and the rows that they are, speak together by the Cauchy
 * combination (fusion.h).
 */
#include "cli/detect_judge.h"

#include <math.h>
#include <stdlib.h>

#include "cli/detect_weeks.h"
#include "common/base/arena.h"
#include "common/base/random.h"
#include "common/detect/fusion.h"
#include "common/detect/group_reason.h"
#include "common/detect/reason.h"

#define HALF 6.0 /* onset of the score one half */
#define TOLD 5   /* columns without a value that are named */

/* A column: its detector, and what was said of its newest value. */
struct juror {
	struct span name;
	uint64_t key;
	struct order order;
	struct detector detector;
	enum judge_mark mark;
	struct verdict verdict;    /* where has_verdict(mark) */
	struct scalar_usual usual; /* before the value */
	struct weeks *weeks;       /* NULL: forecasts have no say */
	struct weeks_view view;    /* where `foreseen`: what was forecast for it */
	bool foreseen;
};

struct judge {
	struct judge_rule rule;
	struct juror *jurors;
	struct span *names;
	size_t n;
	/* Of several columns: */
	struct order order;     /* of rows */
	struct episode episode; /* of all together */
	struct group *group;    /* NULL: rows are not judged as such */
	struct group_verdict row;
	bool row_judged;
	struct group_blame blame[FOREST_COLUMNS_MAX];
	double *p, *alone; /* n + 1: the columns' and the row's, see struct verdict */
	struct arena *arena;
};

const char *const judge_mark_names[JUDGE_MARKS] = { "scored",   "learning", "late",   "ahead",
						    "repeated", "no_value", "no_time" };

static const enum judge_mark mark_of[ORDER_KINDS] = { [ORDER_TAKEN] = JUDGE_SCORED,
						      [ORDER_LATE] = JUDGE_LATE,
						      [ORDER_AHEAD] = JUDGE_AHEAD,
						      [ORDER_REPEATED] = JUDGE_REPEATED };

static int
make_group(struct judge *j, struct err *err)
{
	if (!j->rule.grouped || j->n < 2)
		return 0;
	if (j->n > FOREST_COLUMNS_MAX)
		return err_set(
		    err, REASON_OPTION_INVALID,
		    "value.columns: %zu columns cannot be judged together; choose up to %d by --value-columns, or say --group=false",
		    j->n, FOREST_COLUMNS_MAX);
	j->rule.group.forest.columns = (int)j->n;
	return group_new(&j->rule.group, random_hash(SPAN("group")), &j->group, err);
}

int
judge_new(const struct judge_rule *rule, const char *const *names, size_t n, struct judge **ret, struct err *err)
{
	CLEANUP(judge_free)
	struct judge *j = calloc(1, sizeof(*j));

	if (!j || !(j->jurors = calloc(n, sizeof(*j->jurors))) || !(j->p = calloc(n + 1, sizeof(*j->p))) ||
	    !(j->alone = calloc(n + 1, sizeof(*j->alone))) || !(j->names = calloc(n, sizeof(*j->names))) ||
	    !(j->arena = arena_new(4096, 4096)))
		return err_set(err, REASON_NO_MEMORY, "detectors of %zu columns", n);
	j->rule = *rule;
	j->n = n;
	for (size_t i = 0; i < n; i++) {
		j->jurors[i].name = j->names[i] = span_of(names[i]);
		j->jurors[i].key = random_hash(j->names[i]);
		if (rule->detector.members >> DETECTOR_FORECAST & 1 &&
		    weeks_new(j->jurors[i].key, &j->jurors[i].weeks, err) < 0)
			return -1;
	}
	if (make_group(j, err) < 0)
		return -1;
	*ret = TAKE(j);
	return 0;
}

void
judge_free(struct judge *j)
{
	if (!j)
		return;
	for (size_t i = 0; j->jurors && i < j->n; i++) {
		detector_clear(&j->jurors[i].detector);
		weeks_free(j->jurors[i].weeks);
	}
	group_free(j->group);
	free(j->jurors);
	free(j->names);
	free(j->p);
	free(j->alone);
	arena_free(j->arena);
	free(j);
}

double
judge_score(double onset)
{
	return onset / (onset + HALF);
}

static bool
has_verdict(enum judge_mark m)
{
	return m <= JUDGE_AHEAD;
}

/* ---- one column ---- */

static int
foresee(struct juror *u, int64_t event_us, double value, struct err *err)
{
	if (!u->weeks)
		return 0;
	if (weeks_turn(u->weeks, event_us, err) < 0)
		return -1;
	u->foreseen = weeks_look(u->weeks, event_us, value, scalar_grain(&u->detector.scalar), &u->view);
	return 0;
}

static int
hear(struct judge *j, struct juror *u, const struct sheet_row *row, double value, struct err *err)
{
	u->mark = JUDGE_NO_VALUE;
	u->foreseen = false;
	if (!isfinite(value))
		return 0;
	u->mark = mark_of[order_add(&u->order, &j->rule.order, row->time_us)];
	u->usual = scalar_usual(&u->detector.scalar, row->time_us, j->rule.detector.slots);
	if (u->mark == JUDGE_REPEATED)
		return 0;
	if (u->mark != JUDGE_SCORED) {
		u->verdict = detector_look(&u->detector, &j->rule.detector, value, row->time_us, NAN);
		return 0;
	}
	if (foresee(u, row->time_us, value, err) < 0 ||
	    detector_add(&u->detector, &j->rule.detector, u->key, value, row->time_us, u->foreseen ? u->view.p : NAN,
			 &u->verdict, err) < 0)
		return -1;
	if (u->weeks)
		weeks_add(u->weeks, value);
	if (u->verdict.learning)
		u->mark = JUDGE_LEARNING;
	return 0;
}

static void
speak_alone(const struct juror *u, struct judgement *ret)
{
	ret->mark = u->mark;
	if (!has_verdict(u->mark))
		return;
	ret->p = u->verdict.p_value;
	ret->onset = u->verdict.onset;
	ret->state = u->verdict.state;
	ret->action = u->verdict.action;
}

/* ---- several ---- */

static int
hear_row(struct judge *j, const struct sheet_row *row, struct judgement *ret, struct err *err)
{
	j->row_judged = false;
	if (!j->group || ret->mark > JUDGE_LEARNING)
		return 0;
	if (group_add(j->group, &j->rule.group, row->values, row->time_us, &j->row, err) < 0)
		return -1;
	j->row_judged = j->row.judged;
	if (j->row_judged)
		ret->group = j->row.p_value;
	return 0;
}

/* A row is what its columns are: learning while all of them are that have a value. */
static enum judge_mark
mark_row(const struct judge *j, enum judge_mark turn)
{
	size_t values = 0, learning = 0;

	for (size_t i = 0; i < j->n; i++) {
		values += j->jurors[i].mark != JUDGE_NO_VALUE;
		learning += j->jurors[i].mark == JUDGE_LEARNING;
	}
	if (values == 0)
		return JUDGE_NO_VALUE;
	return turn == JUDGE_SCORED && learning == values ? JUDGE_LEARNING : turn;
}

static int
put_together(struct judge *j, const struct sheet_row *row, struct judgement *ret, struct err *err)
{
	struct episode_step step = { .action = EPISODE_NOTHING, .state = (double)j->episode.state };

	ret->mark = mark_row(j, mark_of[order_add(&j->order, &j->rule.order, row->time_us)]);
	if (hear_row(j, row, ret, err) < 0)
		return -1;
	for (size_t i = 0; i < j->n; i++) {
		j->p[i] = has_verdict(j->jurors[i].mark) ? j->jurors[i].verdict.p_value : NAN;
		j->alone[i] = has_verdict(j->jurors[i].mark) ? j->jurors[i].verdict.p_alone : NAN;
	}
	j->p[j->n] = j->alone[j->n] = ret->group;
	ret->p = fusion_cauchy(j->p, j->n + 1);
	if (ret->mark <= JUDGE_LEARNING)
		step = episode_add(&j->episode, &j->rule.detector.episode, fusion_cauchy(j->alone, j->n + 1), ret->p,
				   row->time_us);
	else if (has_verdict(ret->mark))
		step.onset = episode_look(&j->episode, &j->rule.detector.episode, ret->p);
	ret->onset = step.onset;
	ret->state = step.state;
	ret->action = step.action;
	return 0;
}

/* ---- who is to blame, and for what ---- */

static size_t
strangest(const struct judge *j)
{
	size_t least = 0;

	for (size_t i = 1; i < j->n; i++)
		if (has_verdict(j->jurors[i].mark) && (!has_verdict(j->jurors[least].mark) ||
						       j->jurors[i].verdict.p_value < j->jurors[least].verdict.p_value))
			least = i;
	return least;
}

/* Does the row as such mind more than any column? */
static bool
row_minds(const struct judge *j, const struct judgement *ret, size_t least)
{
	return j->row_judged && j->row.explained &&
	       (!has_verdict(j->jurors[least].mark) || ret->group < j->jurors[least].verdict.p_value);
}

static void
blame(struct judge *j, struct judgement *ret)
{
	ret->blame = j->blame;
	ret->n_blame = j->row_judged ? group_blame(&j->row, j->n, j->blame) : 0;
	ret->column = strangest(j);
	if (row_minds(j, ret, ret->column) && ret->n_blame > 0)
		ret->column = ret->blame[0].column;
	if (has_verdict(j->jurors[ret->column].mark))
		memcpy(ret->members, j->jurors[ret->column].verdict.p, sizeof(ret->members));
}

static char *
tell_column(const struct judge *j, const struct juror *u, double value)
{
	const struct circumstances c = { .name = u->name,
					 .value = value,
					 .p = u->verdict.p,
					 .together = u->mark == JUDGE_SCORED && u->verdict.together,
					 .expected = u->foreseen ? u->view.expected : NAN,
					 .lower = u->foreseen ? u->view.lower : NAN,
					 .upper = u->foreseen ? u->view.upper : NAN,
					 .usual = u->usual,
					 .sign = u->verdict.sign,
					 .run = u->mark == JUDGE_SCORED ? scalar_standstill(&u->detector.scalar) : 0 };

	return reason_tell(&c, j->arena);
}

static char *
tell_row(const struct judge *j, const struct sheet_row *row)
{
	const struct group_circumstances c = {
		.name = SPAN("the row"), .columns = j->names, .n = j->n, .row = row->values, .verdict = &j->row
	};

	return group_reason_tell(&c, j->arena);
}

/* The first column whose level has become the usual one; NULL: none. */
static const struct juror *
shifted(const struct judge *j)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->jurors[i].mark == JUDGE_SCORED && j->jurors[i].verdict.shifted)
			return &j->jurors[i];
	return NULL;
}

/* What did not come of a row that did: "no value: b, c"; NULL: nothing is missing. */
static int
tell_missing(struct judge *j, struct judgement *ret, struct err *err)
{
	size_t missing = 0;
	char *text = NULL;

	for (size_t i = 0; i < j->n; i++) {
		if (j->jurors[i].mark != JUDGE_NO_VALUE || missing++ >= TOLD)
			continue;
		text = arena_printf(j->arena, "%s%s%.*s", text ? text : "no value: ", text ? ", " : "",
				    SPAN_ARG(j->jurors[i].name));
		if (!text)
			return err_set(err, REASON_NO_MEMORY, "a reason");
	}
	if (missing > TOLD)
		text = arena_printf(j->arena, "%s and %zu more", text, missing - TOLD);
	ret->reason = text;
	return text || !missing ? 0 : err_set(err, REASON_NO_MEMORY, "a reason");
}

static int
explain(struct judge *j, const struct sheet_row *row, struct judgement *ret, struct err *err)
{
	static const char *const words[JUDGE_MARKS] = {
		[JUDGE_LEARNING] = "learning: too few values so far",
		[JUDGE_LATE] = "late: newer times came before it, so it teaches nothing",
		[JUDGE_AHEAD] = "far ahead of the row before, so it teaches nothing until the next one confirms it",
		[JUDGE_REPEATED] = "a repeated time: not scored",
		[JUDGE_NO_VALUE] = "no value",
	};
	const struct juror *s = shifted(j);
	size_t least = strangest(j);
	bool strange = ret->p < j->rule.detector.episode.pending;
	bool judged = ret->mark == JUDGE_SCORED || (ret->mark == JUDGE_LEARNING && j->row_judged && strange);

	ret->reason = words[ret->mark];
	if (!judged)
		return 0;
	if (s)
		ret->reason = reason_tell_shift(s->name, &s->verdict, scalar_standstill(&s->detector.scalar), j->arena);
	else if (!strange)
		return tell_missing(j, ret, err);
	else if (row_minds(j, ret, least))
		ret->reason = tell_row(j, row);
	else
		ret->reason = tell_column(j, &j->jurors[least], row->values[least]);
	return ret->reason ? 0 : err_set(err, REASON_NO_MEMORY, "a reason");
}

int
judge_add(struct judge *j, const struct sheet_row *row, struct judgement *ret, struct err *err)
{
	arena_reset(j->arena);
	*ret = (struct judgement){ .mark = JUDGE_NO_TIME, .p = 1, .group = NAN };
	for (int i = 0; i < DETECTOR_MEMBERS; i++)
		ret->members[i] = NAN;
	ret->state = (double)(j->n == 1 ? j->jurors[0].detector.episode.state : j->episode.state);
	if (!row->timed)
		return 0;
	for (size_t i = 0; i < j->n; i++)
		if (hear(j, &j->jurors[i], row, row->values[i], err) < 0)
			return -1;
	if (j->n == 1)
		speak_alone(&j->jurors[0], ret);
	else if (put_together(j, row, ret, err) < 0)
		return -1;
	blame(j, ret);
	return explain(j, row, ret, err);
}
