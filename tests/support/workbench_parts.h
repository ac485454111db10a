/* workbench_parts.h -- what a workbench is made of.  For workbench*.c alone. */
#ifndef FOREBAY_TEST_WORKBENCH_PARTS_H
#define FOREBAY_TEST_WORKBENCH_PARTS_H

#include "tests/support/workbench.h"

struct worker {
	const struct worker_spec *spec;
	struct registry *registry;
	struct metrics *metrics;
	struct codec *inputs[4];
	size_t n_inputs;
	struct output *outputs[4];
	size_t n_outputs;
	char topic[250]; /* the first of the spec's */
	const char *topics[1];
};

struct output {
	char *topic;
	struct codec *codec; /* NULL: raw bytes */
};

struct entry {
	const struct state_type *type;
	void *now, *before;
	bool touched, fresh;
};

struct emission {
	struct output *output;
	struct span key, value; /* in the batch's arena */
};

struct note {
	struct span name, value; /* in the batch's arena */
};

struct workbench {
	struct worker worker;
	void *self;
	struct arena *call, *batch;
	struct map *states, *sent;
	struct emission *emissions; /* of the transaction; [n_done, n) of the call */
	size_t n, cap, n_done;
	struct note notes[8]; /* of the transaction, [n_noted_done, n_noted) of the call */
	size_t n_noted, n_noted_done;
	struct map *noted; /* what was committed of them */
	int64_t offset, committed;
	bool silent;
	const struct workbench *recalls;
	int down_after; /* -1: the store answers */
};

struct context {
	struct workbench *b;
	const struct input *input;
};

/* Clear and free *STATE, which becomes NULL. */
void workbench_drop(const struct state_type *type, void **state);

#endif
