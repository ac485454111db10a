/*
 * mapping.h -- which topic becomes which table: a properties file, one block of keys per table (deploy/sink.properties is
 * the shipped one and explains the keys).
 *
 * Everything that can be checked without a database is checked when it is read; what is wrong is said with file and line.
 */
#ifndef FOREBAY_SINK_MAPPING_H
#define FOREBAY_SINK_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "workers/sink-writer/rows.h"

#define MAPPING_MAX_TABLES 64
#define MAPPING_MAX_COLUMNS 64
#define MAPPING_MAX_TOPICS 64

enum conflict { CONFLICT_IGNORE, CONFLICT_NEWER };
enum split { SPLIT_DEFAULT, SPLIT_NONE, SPLIT_DAY, SPLIT_MONTH, SPLIT_YEAR }; /* DEFAULT: as the worker's option says */

struct column {
	char *name;
	const struct field *field;
};

struct mapped_table {
	char *name;  /* of the block */
	char *table; /* schema.table */
	int line;    /* the block's first */
	const struct row_kind *kind;
	char *topics[MAPPING_MAX_TOPICS];
	size_t n_topics;
	struct column columns[MAPPING_MAX_COLUMNS];
	size_t n_columns;
	int identity[MAPPING_MAX_COLUMNS]; /* indices of columns */
	size_t n_identity;
	enum conflict conflict;
	int order, time;                    /* indices of columns; -1: none */
	int topic_column, partition_column; /* the columns that hold the record's origin: rows are counted by them */
	enum split split;
	int64_t retention_days; /* 0: for ever */
};

struct mapping {
	char *path;
	struct mapped_table *tables;
	size_t n_tables;
};

/* -1 on FILE_UNREADABLE, FILE_INVALID (with file and line), NO_MEMORY. */
int mapping_load(const char *path, struct mapping **ret, struct err *err);
void mapping_free(struct mapping *m);
DEFINE_CLEANUP(struct mapping, mapping_free)

/* Is any table fed by TOPIC?  *KIND (may be NULL) is what its records are. */
bool mapping_has_topic(const struct mapping *m, const char *topic, const struct row_kind **kind);
bool mapped_table_takes(const struct mapped_table *t, const char *topic);

#endif
