/*
 * vus_of.c -- VUS-PR of a scored series: lines "value label score score ..." on standard input, one per point; "W vus vus ..." on standard
 * output, a figure per score.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/vus.h"
#include "common/base/cleanup.h"

#define SCORES_MAX 16

struct points {
	double *values, *scores[SCORES_MAX];
	uint8_t *labels;
	size_t n, room, n_scores;
};

static int
grow(void **array, size_t n, size_t size)
{
	void *more = reallocarray(*array, n, size);

	if (!more)
		return -1;
	*array = more;
	return 0;
}

static int
make_room(struct points *p)
{
	size_t room = p->room ? 2 * p->room : 4096;

	if (p->n < p->room)
		return 0;
	if (grow((void **)&p->values, room, sizeof(*p->values)) < 0 ||
	    grow((void **)&p->labels, room, sizeof(*p->labels)) < 0)
		return -1;
	for (size_t i = 0; i < SCORES_MAX; i++)
		if (grow((void **)&p->scores[i], room, sizeof(double)) < 0)
			return -1;
	p->room = room;
	return 0;
}

static int
take(struct points *p, char *line)
{
	char *end = line, *before;
	size_t i = 0;

	p->values[p->n] = strtod(line, &end);
	p->labels[p->n] = strtod(end, &end) != 0;
	for (;; i++) {
		double score = strtod(before = end, &end);

		if (end == before)
			break;
		if (i == SCORES_MAX)
			return -1;
		p->scores[i][p->n] = score;
	}
	if (p->n > 0 && i != p->n_scores)
		return -1;
	p->n_scores = i;
	p->n++;
	return 0;
}

int
main(void)
{
	struct points p = { 0 };
	char line[1024];
	size_t width;

	while (fgets(line, sizeof(line), stdin))
		if (make_room(&p) < 0 || take(&p, line) < 0) {
			fprintf(stderr, "vus_of: line %zu is wrong, or memory is out\n", p.n + 1);
			return 1;
		}
	width = vus_width(p.values, p.n);
	printf("%zu", width);
	for (size_t i = 0; i < p.n_scores; i++)
		printf(" %.6f", vus_pr(p.scores[i], p.labels, p.n, width));
	puts("");
	for (size_t i = 0; i < SCORES_MAX; i++)
		free(p.scores[i]);
	free(p.values);
	free(p.labels);
	return 0;
}
