/*
 * csv.h -- one record of comma-separated values (RFC 4180) at the beginning of a text.  Pure.
 *
 * Lines end with LF or CRLF.  A field in double quotes may hold delimiters, quotes (doubled) and line ends; a quote inside
 * an unquoted field is a character like any other.  With ' ' as delimiter a run of blanks and tabs is one delimiter, those
 * at the ends of a line are none, and quotes mean nothing.
 *
 * A record that is not well formed (a quoted field that never ends, or goes on behind its closing quote; too many fields)
 * is BROKEN: its first line alone, so that what follows is read as if nothing had happened.
 */
#ifndef FOREBAY_CLI_CSV_H
#define FOREBAY_CLI_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"
#include "common/base/span.h"

#define CSV_MAX_FIELDS 4096

struct csv_format {
	char delimiter;
	char comment; /* first character of lines that say nothing; '\0': none */
	bool trim;    /* blanks around fields are no part of them */
};

enum csv_kind {
	CSV_MORE, /* the record's end is not in the text, and more text may come */
	CSV_ROW,
	CSV_BLANK,
	CSV_COMMENT,
	CSV_BROKEN,
};

struct csv_record {
	struct span line; /* as it stands, without its line end */
	size_t taken;     /* bytes of the text, line end included */
	size_t lines;     /* that these are */
	struct span fields[CSV_MAX_FIELDS];
	size_t n_fields;      /* of a ROW */
	struct buffer quoted; /* what fields with doubled quotes point into; cleared by the owner at the end */
};

/* Fields point into TEXT or RET->quoted and are valid until the next call.  LAST: no more text will come.  TEXT is not
 * empty. */
enum csv_kind csv_scan(const struct csv_format *format, struct span text, bool last, struct csv_record *ret);

/* The first line of TEXT as BROKEN, without looking into it; CSV_MORE when its end is not there. */
enum csv_kind csv_first_line(struct span text, bool last, struct csv_record *ret);

#endif
