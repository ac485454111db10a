/* plan.c -- see plan.h. */
#include "common/worker/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/worker/internal.h"

#define LINE_BYTES 600

/* "telemetry.readings.3 = 100..2000" */
static int
read_line(const char *line, struct plan_range *r)
{
	long long partition, start, end;
	char name[300], *dot, *rest;
	int used = 0;

	if (sscanf(line, " %299[^= \t] = %lld..%lld %n", name, &start, &end, &used) != 3 || line[used])
		return -1;
	dot = strrchr(name, '.');
	if (!dot || dot == name || start < 0 || end < start)
		return -1;
	errno = 0;
	partition = strtoll(dot + 1, &rest, 10);
	if (errno || rest == dot + 1 || *rest || partition < 0 || partition > INT32_MAX)
		return -1;
	*r = (struct plan_range){ strndup(name, (size_t)(dot - name)), (int32_t)partition, start, end };
	return r->topic ? 0 : -1;
}

static int
add_line(struct worker *w, const char *line, int number, struct err *err)
{
	struct plan_range r = { 0 }, *grown;

	if (line[strspn(line, " \t\r\n")] == '\0' || line[strspn(line, " \t")] == '#')
		return 0;
	if (read_line(line, &r) < 0)
		return err_set(err, REASON_FILE_INVALID,
			       "%s, line %d: want <topic>.<partition> = <start>..<end>, 0 <= start <= end",
			       w->opt.run_plan, number);
	if (plan_find(w, r.topic, r.partition)) {
		err_set(err, REASON_FILE_INVALID, "%s, line %d: %s.%d for the second time", w->opt.run_plan, number,
			r.topic, r.partition);
		free(r.topic);
		return -1;
	}
	grown = realloc(w->plan.ranges, (w->plan.n + 1) * sizeof(*grown));
	if (!grown) {
		free(r.topic);
		return err_set(err, REASON_NO_MEMORY, "run.plan");
	}
	w->plan.ranges = grown;
	grown[w->plan.n++] = r;
	return 0;
}

static int
check_topics(struct worker *w, struct err *err)
{
	for (size_t i = 0; i < w->plan.n; i++)
		if (journal_source(w, span_of(w->plan.ranges[i].topic)) < 0)
			return err_set(err, REASON_FILE_INVALID, "%s: %s does not read topic %s", w->opt.run_plan,
				       w->spec->name, w->plan.ranges[i].topic);
	return w->plan.n ? 0 : err_set(err, REASON_FILE_INVALID, "%s: no partition in it", w->opt.run_plan);
}

int
plan_load(struct worker *w, struct err *err)
{
	bool live = strcmp(w->opt.run_id, "live") == 0;
	char line[LINE_BYTES];
	int failed = 0;
	FILE *f;

	if (live != !w->opt.run_plan[0])
		return err_set(err, REASON_OPTION_INVALID,
			       "run.plan and run.id go together: a bounded run has a plan and a name other than live");
	if (live && w->opt.run_outputs != OUTPUTS_LIVE)
		return err_set(err, REASON_OPTION_INVALID, "run.outputs: only a bounded run may write elsewhere");
	if (live)
		return 0;
	f = fopen(w->opt.run_plan, "r");
	if (!f)
		return err_set(err, REASON_FILE_UNREADABLE, "run.plan: %s: %s", w->opt.run_plan, strerror(errno));
	for (int number = 1; !failed && fgets(line, sizeof(line), f); number++)
		failed = add_line(w, line, number, err);
	fclose(f);
	return failed ? -1 : check_topics(w, err);
}

void
plan_clear(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->ranges[i].topic);
	free(p->ranges);
	*p = (struct plan){ 0 };
}

const struct plan_range *
plan_find(const struct worker *w, const char *topic, int32_t partition)
{
	for (size_t i = 0; i < w->plan.n; i++)
		if (w->plan.ranges[i].partition == partition && strcmp(w->plan.ranges[i].topic, topic) == 0)
			return &w->plan.ranges[i];
	return NULL;
}

bool
plan_bounded(const struct worker *w)
{
	return w->plan.n > 0;
}

bool
plan_follows(const struct worker *w)
{
	return w->plan.n > 0 && w->checkpointer && strcmp(w->opt.run_source_group, "none") != 0;
}

bool
plan_names_sides(const struct worker *w)
{
	for (size_t i = 0; i < w->plan.n; i++)
		if (strcmp(w->plan.ranges[i].topic, w->topics[0]) != 0)
			return true;
	return false;
}

const char *
plan_source_group(const struct worker *w)
{
	if (!plan_bounded(w) || !plan_follows(w))
		return w->group;
	return w->opt.run_source_group[0] ? w->opt.run_source_group : w->base_group;
}
