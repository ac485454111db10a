/*
 * pathmap.h -- path maps, compiled: how messages of any shape become readings.  The form of the files, with examples, is
 * told in deploy/pathmaps/README.md.
 *
 * All maps share one plan, so one scan of a message serves them all; which map it is for is decided afterwards, from what
 * the scan found.  Read-only once loaded.
 */
#ifndef FOREBAY_INGEST_ROUTER_PATHMAP_H
#define FOREBAY_INGEST_ROUTER_PATHMAP_H

#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "workers/ingest-router/plan.h"
#include "workers/ingest-router/scan.h"
#include "common/series/timestamp.h"

#define MAPS_MAX 256
#define PATHMAP_LIST_MAX 4096 /* most entries of one list in a file */

/* Which row does a path start from? */
enum level { LEVEL_MESSAGE, LEVEL_ITEM, LEVEL_EACH, LEVEL_COUNT };

/* A text of the message: the value at a path, or the part of it between two texts. */
struct reference {
	enum level level;
	size_t slot;
	struct span after, until; /* SPAN_NONE: from the beginning, to the end */
};

/* Literals and references, one after the other. */
struct part {
	struct span literal; /* ptr NULL: a reference */
	struct reference from;
};
struct phrase {
	const struct part *parts;
	size_t n;
};

/* From what the message says to a value: value * factor (or / divisor) + offset. */
struct measure {
	char point; /* '.' or ',' in texts */
	double factor, divisor, offset;
	const double *sentinels; /* "no value" as the message says it, before the scale */
	size_t n_sentinels;
	double min, max; /* of the result; infinities: any */
};

/* One metric at a fixed place. */
struct field {
	struct reference from;
	struct span metric, unit;
	struct measure measure;
};

/* Metrics that the message names itself: elements of an array, or members of an object. */
struct series {
	const struct plan_group *group;
	enum level level;        /* of the row that the group hangs below */
	bool members;            /* the row's name is the metric */
	struct reference metric; /* unless members */
	struct reference value;
	bool has_unit, has_quality;
	struct reference unit, quality;
	struct span fixed_unit; /* where has_unit is false */
	struct measure measure;
};

enum condition_kind { CONDITION_TOPIC, CONDITION_PRESENT, CONDITION_EQUALS };
struct condition {
	enum condition_kind kind;
	struct reference from;
	struct span text; /* the topic, or what the value equals */
};

enum time_default { TIME_DEFAULT_OPTION, TIME_DEFAULT_NONE, TIME_DEFAULT_INGEST };

struct pathmap {
	struct span source;
	const char *file;
	const struct condition *conditions; /* all must hold; none: the default map */
	size_t n_conditions;
	const struct plan_group *items; /* NULL: the message is one item */
	bool device_is_key;
	struct phrase device;
	struct phrase time; /* n 0: none, the time stamp of the record is the event time */
	struct time_format time_format;
	enum time_default time_default;
	const struct field *fields;
	size_t n_fields;
	const struct series *series;
	size_t n_series;
};

struct pathmaps {
	struct arena *arena;
	struct plan *plan;
	struct pathmap *maps; /* in the order in which they are tried, the default one last */
	size_t n;
	bool has_default;
};

/*
 * Read LIST: files and directories, comma separated; of a directory every *.json in order of name.  Maps are tried in this
 * order, the one without `match` last.  -1 on FILE_UNREADABLE, FILE_INVALID (file, line, key, suggestion), NO_MEMORY.
 */
int pathmaps_load(const char *list, struct pathmaps **ret, struct err *err);
void pathmaps_free(struct pathmaps *m);
DEFINE_CLEANUP(struct pathmaps, pathmaps_free)

/* The same from one map's text; NAME stands for the file in errors.  For tests. */
int pathmaps_parse(const char *name, struct span text, struct pathmaps **ret, struct err *err);

/* The map for a message of TOPIC, or NULL: none fits. */
const struct pathmap *pathmaps_choose(const struct pathmaps *m, struct span topic, const struct scan_row *message);

/* Rows by level, as far as they are known. */
struct place {
	const struct scan_row *rows[LEVEL_COUNT];
};

/* The value that R points to. */
static inline const struct scan_value *
reference_value(const struct reference *r, const struct place *at)
{
	return &at->rows[r->level]->values[r->slot];
}

/* Its text, cut by after and until.  SPAN_NONE: absent, null, a container, or the cut does not fit. */
struct span reference_text(const struct reference *r, const struct place *at);

#endif
