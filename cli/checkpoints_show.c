/*
 * checkpoints_show.c -- `forebay checkpoints show`: the state of a key, its members by the names that its layout gives them.
 *
 * A state that cannot be read is the reason why most people come here: then it says why, and which older one can be.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/checkpoints.h"
#include "cli/columns.h"
#include "common/base/progress.h"
#include "cli/readable.h"
#include "common/base/terminal.h"
#include "common/base/clock.h"
#include "common/base/image.h"

#define MOST_KEYS 1000
#define MOST_RUNGS 1000
#define WIDTH_WITHOUT_TERMINAL 100
#define WIDTH_LEAST 40
#define WIDTH_OF_A_NUMBER 12 /* that begins before the end of a line */

/* A state and what its bytes say. */
struct shown {
	const struct checkpoint_found *f;
	struct span bytes, layout; /* layout SPAN_NONE: not known */
	uint64_t fingerprint;      /* 0: the bytes are no image */
	struct buffer json;        /* empty: cannot be read, for the reason */
	struct err why;
	struct checkpoint_found *rungs; /* older ones, the newest first */
	size_t n_rungs;
	const struct checkpoint_found *previous; /* the newest of them that can be read, when this one cannot */
};

/* ---- reading ---- */

/* The bytes of F as JSON into X; that they cannot be read is no failure. */
static int
read_state(struct checkpoints *c, const struct checkpoint_found *f, struct shown *x, struct err *err)
{
	if (checkpoint_bytes(c->store, f, c->arena, &x->bytes, err) < 0)
		return -1;
	if (!x->bytes.ptr)
		return err_set(err, REASON_USAGE, "the state of %s has just been replaced: try again",
			       checkpoints_key(c, f->key));
	x->fingerprint = image_fingerprint_of(x->bytes);
	x->layout = SPAN_NONE;
	if (x->fingerprint && checkpoint_layout_of(c->store, (int64_t)x->fingerprint, c->arena, &x->layout, err) < 0)
		return -1;
	x->json.len = 0;
	if (x->fingerprint && !x->layout.ptr)
		err_set(&x->why, REASON_STATE_VERSION,
			"forebay.state_layouts does not say what bytes with the fingerprint %016" PRIx64 " mean",
			x->fingerprint);
	else if (image_json(x->layout.ptr ? x->layout : SPAN(""), x->bytes, &x->json, &x->why) < 0 &&
		 x->why.reason == REASON_NO_MEMORY)
		return err_set(err, REASON_NO_MEMORY, "%s", x->why.text);
	return 0;
}

static int
look_for_previous(struct checkpoints *c, struct shown *x, struct err *err)
{
	struct shown older = { .json = BUFFER_INIT(0) };
	int failed = 0;

	for (size_t i = 0; !failed && !x->previous && i < x->n_rungs; i++) {
		failed = read_state(c, &x->rungs[i], &older, err);
		if (!failed && older.json.len)
			x->previous = &x->rungs[i];
	}
	buffer_clear(&older.json);
	return failed;
}

/* ---- one state ---- */

static struct span
first_words(struct span layout)
{
	size_t len = 0;

	for (int spaces = 0; len < layout.len; len++)
		if (layout.ptr[len] == ' ' && ++spaces == 2)
			break;
	return (struct span){ layout.ptr, len };
}

static void
print_head(struct checkpoints *c, const struct shown *x)
{
	const struct checkpoint_found *f = x->f;
	int64_t now = clock_real_us();
	char number[32], age[READABLE_BYTES], size[READABLE_BYTES];

	printf("%s\n", checkpoints_key(c, f->key));
	printf("  worker       %s, %s/%d, run %s\n", c->group, f->topic, f->partition,
	       *c->options->run ? c->options->run : "live");
	for (size_t i = 0; i < f->positions.n; i++)
		printf("  %-12s %s at %s\n", i ? "" : "stands at", f->positions.sources[i],
		       f->positions.at[i] < 0 ? "nothing yet" : progress_number(f->positions.at[i], number));
	printf("  %-12s %s, epoch %" PRId64 ", %s ago%s\n", "taken at", checkpoints_time(c, f->taken_us), f->epoch,
	       readable_age(now - f->taken_us, age), f->rung ? " (from the ladder)" : "");
	printf("  %-12s offset %s\n", "born at", progress_number(f->born, number));
	printf("  %-12s %s\n", "last record", checkpoints_time(c, f->active_us));
	if (x->layout.ptr)
		printf("  %-12s %.*s (%016" PRIx64 ")\n", "layout", SPAN_ARG(first_words(x->layout)), x->fingerprint);
	printf("  %-12s %s\n", "size", readable_size(f->size, size));
	if (x->n_rungs)
		printf("  %-12s %zu%s, the next at offset %s, %s ago\n", "older ones", x->n_rungs,
		       x->n_rungs == MOST_RUNGS ? " or more" : "", progress_number(x->rungs[0].clock, number),
		       readable_age(now - x->rungs[0].taken_us, age));
}

static int
print_text(struct checkpoints *c, const struct shown *x, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	int width = terminal_width(STDOUT_FILENO, WIDTH_WITHOUT_TERMINAL) - WIDTH_OF_A_NUMBER;
	char number[32];

	print_head(c, x);
	if (x->json.len) {
		if (readable_json(buffer_span(&x->json), 0, width < WIDTH_LEAST ? WIDTH_LEAST : width, &out) < 0)
			return err_set(err, REASON_NO_MEMORY, "state");
		printf("%.*s\n", SPAN_ARG(buffer_span(&out)));
		return 0;
	}
	printf("  CANNOT BE READ: %s [%s]\n", x->why.text, err_reason_name(x->why.reason));
	if (x->previous)
		printf("  the newest one before that can be read stands at offset %s, taken at %s\n",
		       progress_number(x->previous->clock, number), checkpoints_time(c, x->previous->taken_us));
	else
		puts("  no older one can be read");
	return 0;
}

json_t *
checkpoints_key_json(struct checkpoints *c, const struct checkpoint_found *f)
{
	return json_pack("{s:s, s:s, s:i, s:I, s:o, s:I, s:s, s:s, s:I, s:I, s:b}", "key", checkpoints_key(c, f->key),
			 "topic", f->topic, "partition", f->partition, "clock", (json_int_t)f->clock, "positions",
			 checkpoints_offsets_json(&f->positions), "epoch", (json_int_t)f->epoch, "taken_at",
			 checkpoints_time(c, f->taken_us), "active_at", checkpoints_time(c, f->active_us), "born",
			 (json_int_t)f->born, "bytes", (json_int_t)f->size, "rung", f->rung);
}

/* OBJECT with the state behind its members, digit by digit as it is. */
static int
print_with_state(json_t *object, const struct shown *x, struct err *err)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int failed = !text;

	json_decref(object);
	if (failed)
		return err_set(err, REASON_NO_MEMORY, "JSON output");
	failed = printf("%.*s,\"state\":%.*s}\n", (int)strlen(text) - 1, text, SPAN_ARG(buffer_span(&x->json))) < 0;
	free(text);
	return failed ? err_set(err, REASON_IO, "standard output cannot be written") : 0;
}

static int
print_json(struct checkpoints *c, const struct shown *x, struct err *err)
{
	json_t *object = checkpoints_key_json(c, x->f), *rungs = json_array();
	char fingerprint[24];

	for (size_t i = 0; i < x->n_rungs; i++)
		json_array_append_new(rungs, json_pack("{s:I, s:s}", "clock", (json_int_t)x->rungs[i].clock, "taken_at",
						       checkpoints_time(c, x->rungs[i].taken_us)));
	snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64, x->fingerprint);
	json_object_set_new(object, "rungs", rungs);
	json_object_set_new(object, "fingerprint", x->fingerprint ? json_string(fingerprint) : json_null());
	json_object_set_new(object, "layout",
			    x->layout.ptr ? json_stringn(x->layout.ptr, first_words(x->layout).len) : json_null());
	json_object_set_new(object, "readable", json_boolean(x->json.len > 0));
	if (x->json.len)
		return print_with_state(object, x, err);
	json_object_set_new(object, "reason", json_string(err_reason_name(x->why.reason)));
	json_object_set_new(object, "error", json_string(x->why.text));
	json_object_set_new(object, "readable_before", x->previous ? json_integer(x->previous->clock) : json_null());
	return verb_print_json(object, err);
}

static int
show_one(struct checkpoints *c, const struct checkpoint_found *f, struct err *err)
{
	struct shown x = { .f = f, .json = BUFFER_INIT(0) };
	int failed = read_state(c, f, &x, err) < 0 ||
		     checkpoint_before(c->store, f, MOST_RUNGS, c->arena, &x.rungs, &x.n_rungs, err) < 0;

	if (!failed && !x.json.len) {
		c->broken = true;
		failed = look_for_previous(c, &x, err);
	}
	if (!failed)
		failed = c->options->json ? print_json(c, &x, err) : print_text(c, &x, err);
	buffer_clear(&x.json);
	return failed ? -1 : 0;
}

/* ---- several ---- */

int
checkpoints_print_keys(struct checkpoints *c, const struct checkpoint_found *found, size_t n, struct err *err)
{
	static const struct column columns[] = {
		{ "key", false }, { "partition", false }, { "stands at", true }, { "size", true }, { "taken", true },
	};
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	const char **cells = arena_alloc(c->arena, (n + 1) * ARRAY_LEN(columns) * sizeof(*cells)), **cell = cells;
	char text[READABLE_BYTES];

	for (size_t i = 0; cells && i < n; i++) {
		const struct checkpoint_found *f = &found[i];

		*cell++ = checkpoints_key(c, f->key);
		*cell++ = arena_printf(c->arena, "%s/%d", f->topic, f->partition);
		*cell++ = arena_copy(c->arena, span_of(progress_number(f->clock, text))).ptr;
		*cell++ = arena_copy(c->arena, span_of(readable_size(f->size, text))).ptr;
		*cell++ = arena_printf(c->arena, "%s ago", readable_age(clock_real_us() - f->taken_us, text));
	}
	if (!cells || columns_print(columns, ARRAY_LEN(columns), cells, n, &out) < 0)
		return err_set(err, REASON_NO_MEMORY, "table");
	fwrite(out.ptr, 1, out.len, stdout);
	return 0;
}

static int
show_several(struct checkpoints *c, const struct checkpoint_found *found, size_t n, struct err *err)
{
	json_t *list;

	if (!c->options->json) {
		if (checkpoints_print_keys(c, found, n, err) < 0)
			return -1;
		printf("%zu states%s; --metric shows one\n", n, n == MOST_KEYS ? " or more" : "");
		return 0;
	}
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, checkpoints_key_json(c, &found[i]));
	return verb_print_json(json_pack("{s:o}", "states", list), err);
}

int
checkpoints_show(struct checkpoints *c, struct err *err)
{
	struct checkpoint_found *found;
	size_t n;

	if (checkpoints_find(c, MOST_KEYS, &found, &n, err) < 0)
		return -1;
	return n == 1 ? show_one(c, &found[0], err) : show_several(c, found, n, err);
}
