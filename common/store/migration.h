/*
 * migration.h -- the database's schema as numbered SQL files, each applied once, in order, and never changed after.
 *
 * Files are DIR/NNNN-name.sql, numbered from 1 without gaps.  Each is applied in a transaction of its own together with
 * its row in forebay.migrations (version, name, checksum, applied_at); an advisory lock keeps programs apart.
 */
#ifndef FOREBAY_STORE_MIGRATION_H
#define FOREBAY_STORE_MIGRATION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/store/connection.h"

struct migration {
	int version;
	char *name;          /* "readings", of 0001-readings.sql */
	char *path, *text;   /* the file */
	char checksum[65];   /* SHA-256 of the text, hexadecimal; filled by migrations_compare() */
	char applied_at[32]; /* ISO 8601; "" while not applied */
};

struct migrations {
	struct migration *items;
	size_t n;
};

/* Read the files.  -1 on FILE_UNREADABLE (no folder, no file in it), FILE_INVALID (a gap, a double number, a bad name). */
int migrations_load(const char *dir, struct migrations **ret, struct err *err);
void migrations_free(struct migrations *m);
DEFINE_CLEANUP(struct migrations, migrations_free)

/* Fill in what the database has applied; changes nothing.  -1 on STORE_SCHEMA: a file was changed after it was applied, or
 * the database has a version that is not among the files; and as store_reason() says. */
int migrations_compare(struct store *s, struct migrations *m, struct err *err);

/* Compare, then apply what is missing, calling VISIT (may be NULL) after each. */
int migrations_apply(struct store *s, struct migrations *m, void (*visit)(void *ctx, const struct migration *applied),
		     void *ctx, struct err *err);

#endif
