/*
 * groups.h -- which metrics of a device are judged together: the option detect.groups.
 *
 *	pump=pressure,flow,temperature; motor=current,speed; all=*
 *
 * A group has a name and the metrics that are its columns.  `*` stands for all good metrics of the device, learnt from its first
 * readings; and `*` alone for `all=*`.
 */
#ifndef FOREBAY_SCORER_GROUPS_H
#define FOREBAY_SCORER_GROUPS_H

#include "common/base/span.h"
#include "workers/realtime-scorer/columns.h"

#define GROUPS_MAX 16
#define GROUP_NAME_BYTES 64
#define GROUP_PREFIX "group:" /* of its name in records, where the name of a metric is otherwise */

struct group_rule {
	char metric[sizeof(GROUP_PREFIX) + GROUP_NAME_BYTES]; /* "group:pump" */
	struct columns *columns;                              /* NULL: learnt */
};

struct groups {
	size_t n;
	struct group_rule rules[GROUPS_MAX];
};

/* *RET is the caller's, for groups_clear(), whatever is returned.  -1 on OPTION_INVALID (names what is wrong), NO_MEMORY. */
int groups_parse(const char *text, struct groups *ret, struct err *err);
void groups_clear(struct groups *g);

#endif
