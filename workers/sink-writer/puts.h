/* puts.h -- fields as columns of binary COPY, a function per kind of field.  -1 when the buffer is full.  For rows.c alone. */
#ifndef FOREBAY_SINK_PUTS_H
#define FOREBAY_SINK_PUTS_H

#include "workers/sink-writer/rows.h"

int put_span(struct buffer *out, const struct row *row, const struct field *f);
int put_name(struct buffer *out, const struct row *row, const struct field *f);
int put_real(struct buffer *out, const struct row *row, const struct field *f);
int put_time(struct buffer *out, const struct row *row, const struct field *f);
int put_stamp(struct buffer *out, const struct row *row, const struct field *f);
int put_time_or_none(struct buffer *out, const struct row *row, const struct field *f);
int put_int4(struct buffer *out, const struct row *row, const struct field *f);
int put_int8(struct buffer *out, const struct row *row, const struct field *f);
int put_quality(struct buffer *out, const struct row *row, const struct field *f);
int put_status(struct buffer *out, const struct row *row, const struct field *f);
int put_severity(struct buffer *out, const struct row *row, const struct field *f);
int put_kind(struct buffer *out, const struct row *row, const struct field *f);
int put_columns(struct buffer *out, const struct row *row, const struct field *f);
int put_shares(struct buffer *out, const struct row *row, const struct field *f);
int put_directions(struct buffer *out, const struct row *row, const struct field *f);
int put_target(struct buffer *out, const struct row *row, const struct field *f);
int put_flags(struct buffer *out, const struct row *row, const struct field *f);
int put_levels(struct buffer *out, const struct row *row, const struct field *f);
int put_quantiles(struct buffer *out, const struct row *row, const struct field *f);
int put_members(struct buffer *out, const struct row *row, const struct field *f);
int put_weights(struct buffer *out, const struct row *row, const struct field *f);
int put_judged(struct buffer *out, const struct row *row, const struct field *f);
int put_losses(struct buffer *out, const struct row *row, const struct field *f);
int put_boolean(struct buffer *out, const struct row *row, const struct field *f);
int put_header(struct buffer *out, const struct row *row, const struct field *f);

/* Where the field lies. */
static inline const void *
field_at(const struct row *row, const struct field *f)
{
	const void *base = f->place == PLACE_INPUT ? row->in : f->place == PLACE_RECORD ? row->record : row->value;

	return (const char *)base + f->offset;
}

#endif
