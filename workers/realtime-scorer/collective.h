/*
 * collective.h -- one group of one device as the scorer knows it: its columns, its clock, its detector.  A fold over the device's
 * readings in order, of those that carry at least half of the columns; no clock, no cache, no other key.
 *
 * What becomes of a reading:
 *
 *	outside		less than half of the columns are in it, and nothing is said
 *	learning	the columns are being learnt: all that come good in the first COLLECTIVE_LEARN readings, at most
 *			FOREST_COLUMNS_MAX.  Groups with columns of their own skip this
 *	late, ahead, repeated	by its event time (order.h): nothing is said, nothing is learned
 *	judged		one verdict; columns that are missing are imputed and named
 *
 * Learnt columns are learnt anew when COLLECTIVE_ODD readings in a row do not fit them: less than half of them came, or another
 * metric came beside them and there is room for it.  A group whose columns in the configuration have changed begins anew with
 * the next reading.  In both cases an alert that is open stays so until the new columns have been calm.
 */
#ifndef FOREBAY_SCORER_COLLECTIVE_H
#define FOREBAY_SCORER_COLLECTIVE_H

#include "common/base/image.h"
#include "common/detect/group.h"
#include "common/detect/order.h"
#include "common/record/reading.h"
#include "workers/realtime-scorer/groups.h"

#define COLLECTIVE_LEARN 16
#define COLLECTIVE_ODD 500

struct collective_rule {
	struct group_options group; /* its number of columns is not looked at */
	struct order_rule order;
};

/* Zeroed is new. */
struct collective {
	struct order order;
	struct columns *columns; /* NULL: none so far */
	struct group *group;     /* NULL: there were never two columns */
	uint32_t learning; /* readings that columns were learnt from, up to COLLECTIVE_LEARN; 0: they are the rule's */
	uint32_t odd;      /* readings in a row that did not fit */
};

int collective_copy(struct collective *to, const struct collective *from, struct err *err);
void collective_clear(struct collective *c);

enum collective_kind {
	COLLECTIVE_JUDGED,
	COLLECTIVE_OUTSIDE,
	COLLECTIVE_LEARNING,
	COLLECTIVE_LATE,
	COLLECTIVE_AHEAD,
	COLLECTIVE_REPEATED,
	COLLECTIVE_KINDS
};

extern const char *const collective_kind_names[COLLECTIVE_KINDS];

struct collective_score {
	enum collective_kind kind; /* other than COLLECTIVE_JUDGED: nothing else is set */
	struct group_verdict verdict;
	const struct columns *columns;  /* the collective's */
	double row[FOREST_COLUMNS_MAX]; /* NaN: missing */
};

/* Has R anything to do with this group, so that its state is wanted? */
bool collective_concerns(const struct group_rule *which, const struct reading *r);

/* KEY and errors: group_add(). */
int collective_add(struct collective *c, const struct collective_rule *rule, const struct group_rule *which,
		   uint64_t key, const struct reading *r, struct collective_score *ret, struct err *err);

#endif
