/*
 * reorder.h -- readings of one series put into the order of their event times, as far as a stated lateness allows.
 *
 * The only clock is the greatest event time so far: what lies LATENESS behind it is released, in order.  Disorder within
 * the lateness leaves no trace in what comes out.
 *
 * A reading that is far ahead of all before it (JUMP), and the very first one, waits for the next reading.  If that is on
 * the old side -- no farther than JUMP ahead of what was before; of a first one farther than JUMP behind -- the stamp was wrong
 * and the reading is left out: else one broken stamp would make all true readings late.  Else both are taken, whichever is
 * older: a device that was away may send what is newest before what it has kept, and the newest waits for that.  Without a
 * lateness nothing waits, so that there any older one is on the old side.
 */
#ifndef FOREBAY_ETL_REORDER_H
#define FOREBAY_ETL_REORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum repeat_policy { REPEAT_FIRST, REPEAT_LAST };

struct reorder_rule {
	int64_t lateness_us; /* >= 0 */
	int64_t jump_us;     /* >= lateness_us */
	int64_t max_items;   /* more than this are not held: the oldest is released early */
	enum repeat_policy repeats;
};

struct sample {
	int64_t time_us, ingest_us;
	double value;      /* NaN: a reading without a usable value; it moves the clock and no more */
	uint32_t repeated; /* further readings with the same time */
	uint8_t unit;      /* that the value is in, see units.h; 0: not named */
};

/* Of one series; zeroed: nothing seen.  Owns `items`. */
struct reorder {
	struct sample *items; /* [first, end), ascending, distinct times */
	size_t first, end, cap;
	int64_t newest_us, released_us;
	bool started, released; /* newest_us, released_us are set */
	bool waits;             /* for confirmation: */
	struct sample doubtful;
};

/*
 * What became of a reading: a sum of these.  REPEATED: it became part of the one with the same time, whose `repeated`
 * counts it; with GONE that one had been released.  WILD is said of the doubtful one before it, with all its repetitions.
 */
enum { REORDER_TAKEN = 0, REORDER_REPEATED = 1, REORDER_GONE = 2, REORDER_LATE = 4, REORDER_WILD = 8 };

/*
 * Take S (its `repeated` 0).  *WHAT says what became of it.  Late is what lies before the last released one.  Of readings
 * with the same time the policy's value stays, but a usable one always beats a missing one.  -1 when memory is out.
 */
int reorder_push(const struct reorder_rule *rule, struct reorder *r, const struct sample *s, int *what);

/* The next one to be released into *S; false: none yet. */
bool reorder_pop(const struct reorder_rule *rule, struct reorder *r, struct sample *s);

/* COPY becomes a deep copy (its own content is not freed).  -1 when memory is out: *COPY may then be cleared. */
int reorder_copy(struct reorder *copy, const struct reorder *r);
void reorder_clear(struct reorder *r);

#endif
