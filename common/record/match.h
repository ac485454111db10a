/*
 * match.h -- which part of a writer's schema stands for which part of a reader's: names, aliases, promotions.  Used by
 * the translation of values (resolve.h) and by the check of a new schema (compatibility.h).  For this module only.
 */
#ifndef FOREBAY_RECORD_MATCH_H
#define FOREBAY_RECORD_MATCH_H

#include <stdbool.h>

#include "common/record/schema.h"

/* May a value of kind WRITER be read as kind READER?  The same kind, int -> long -> float -> double, string <-> bytes. */
bool match_kinds(enum schema_kind writer, enum schema_kind reader);

/* Named types: the same name without namespace, or an alias of the reader's. */
bool match_names(const struct schema *writer, const struct schema *reader);

/* The place of the field in WRITER that FIELD reads, by name or by alias; -1: it has none. */
int match_field(const struct schema *writer, const struct schema_field *field);

/* The branch of the union READER that takes WRITER, which is no union: the same type before a promotion; -1: none. */
int match_branch(const struct schema *writer, const struct schema *reader);

#endif
