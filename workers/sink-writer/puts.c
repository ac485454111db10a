/* puts.c -- each takes what lies at the field's place and appends it as a column of binary COPY. */
#include "workers/sink-writer/puts.h"

#include "common/record/utf8.h"
#include "common/store/copy.h"

int
put_span(struct buffer *out, const struct row *row, const struct field *f)
{
	return copy_text(out, *(const struct span *)field_at(row, f));
}

int
put_name(struct buffer *out, const struct row *row, const struct field *f)
{
	return copy_text(out, span_of(*(const char *const *)field_at(row, f)));
}

int
put_real(struct buffer *out, const struct row *row, const struct field *f)
{
	return copy_real(out, *(const double *)field_at(row, f));
}

int
put_time(struct buffer *out, const struct row *row, const struct field *f)
{
	return copy_time(out, *(const int64_t *)field_at(row, f));
}

/* Kafka's time stamp: -1 is none. */
int
put_stamp(struct buffer *out, const struct row *row, const struct field *f)
{
	return row->in->timestamp_us < 0 ? copy_null(out) : put_time(out, row, f);
}

/* A time that is not there. */
int
put_time_or_none(struct buffer *out, const struct row *row, const struct field *f)
{
	int64_t us = *(const int64_t *)field_at(row, f);

	return us == TIME_NONE ? copy_null(out) : copy_time(out, us);
}

int
put_int4(struct buffer *out, const struct row *row, const struct field *f)
{
	return copy_int4(out, *(const int32_t *)field_at(row, f));
}

int
put_int8(struct buffer *out, const struct row *row, const struct field *f)
{
	return copy_int8(out, *(const int64_t *)field_at(row, f));
}

int
put_quality(struct buffer *out, const struct row *row, const struct field *f)
{
	return copy_text(out, span_of(quality_name(*(const enum quality *)field_at(row, f))));
}

int
put_status(struct buffer *out, const struct row *row, const struct field *f)
{
	return copy_text(out, span_of(alert_status_name(*(const enum alert_status *)field_at(row, f))));
}

int
put_severity(struct buffer *out, const struct row *row, const struct field *f)
{
	return copy_text(out, span_of(alert_severity_name(*(const enum alert_severity *)field_at(row, f))));
}

int
put_kind(struct buffer *out, const struct row *row, const struct field *f)
{
	return copy_text(out, span_of(anomaly_kind_name(*(const enum anomaly_kind *)field_at(row, f))));
}

/* Column, share and direction of an attribution: arrays side by side, NULL where nobody is to blame. */
int
put_columns(struct buffer *out, const struct row *row, const struct field *f)
{
	const struct attributions *a = field_at(row, f);
	struct span names[ATTRIBUTION_MAX];

	for (size_t i = 0; i < a->n; i++)
		names[i] = a->items[i].column;
	return a->n ? copy_texts(out, names, a->n) : copy_null(out);
}

int
put_shares(struct buffer *out, const struct row *row, const struct field *f)
{
	const struct attributions *a = field_at(row, f);
	double shares[ATTRIBUTION_MAX];

	for (size_t i = 0; i < a->n; i++)
		shares[i] = a->items[i].share;
	return a->n ? copy_reals(out, shares, a->n, 0) : copy_null(out);
}

int
put_directions(struct buffer *out, const struct row *row, const struct field *f)
{
	const struct attributions *a = field_at(row, f);
	struct span names[ATTRIBUTION_MAX];

	for (size_t i = 0; i < a->n; i++)
		names[i] = span_of(attribution_direction_name(a->items[i].direction));
	return a->n ? copy_texts(out, names, a->n) : copy_null(out);
}

int
put_target(struct buffer *out, const struct row *row, const struct field *f)
{
	const struct series *s = row->record;

	(void)f;
	return copy_reals(out, s->target, s->n_target, 0);
}

int
put_flags(struct buffer *out, const struct row *row, const struct field *f)
{
	const struct series *s = row->record;

	(void)f;
	return copy_text(out, (struct span){ (const char *)s->flags, s->flags ? s->n_target : 0 });
}

int
put_levels(struct buffer *out, const struct row *row, const struct field *f)
{
	const struct forecast *c = row->record;

	(void)f;
	return copy_reals(out, c->levels, c->n_levels, 0);
}

int
put_quantiles(struct buffer *out, const struct row *row, const struct field *f)
{
	const struct forecast *c = row->record;

	(void)f;
	return copy_reals(out, c->values, c->n_levels ? c->n_steps : 0, c->n_levels);
}

#define MEMBERS_MAX 64 /* more are not shown */

int
put_members(struct buffer *out, const struct row *row, const struct field *f)
{
	const struct forecast *c = row->record;
	struct span names[MEMBERS_MAX];
	size_t n = 0;

	(void)f;
	for (; n < c->n_members && n < MEMBERS_MAX; n++)
		names[n] = c->members[n].name;
	return n ? copy_texts(out, names, n) : copy_null(out);
}

int
put_weights(struct buffer *out, const struct row *row, const struct field *f)
{
	const struct forecast *c = row->record;
	double weights[MEMBERS_MAX];
	size_t n = 0;

	(void)f;
	for (; n < c->n_members && n < MEMBERS_MAX; n++)
		weights[n] = c->members[n].weight;
	return n ? copy_reals(out, weights, n, 0) : copy_null(out);
}

/* An outcome's members: as many as are shown of a forecast's. */
int
put_judged(struct buffer *out, const struct row *row, const struct field *f)
{
	const struct outcome *o = row->record;
	struct span names[MEMBERS_MAX];
	size_t n = 0;

	(void)f;
	for (; n < o->n_members && n < MEMBERS_MAX; n++)
		names[n] = o->members[n].name;
	return n ? copy_texts(out, names, n) : copy_null(out);
}

int
put_losses(struct buffer *out, const struct row *row, const struct field *f)
{
	const struct outcome *o = row->record;
	double losses[MEMBERS_MAX];
	size_t n = 0;

	(void)f;
	for (; n < o->n_members && n < MEMBERS_MAX; n++)
		losses[n] = o->members[n].loss;
	return n ? copy_reals(out, losses, n, 0) : copy_null(out);
}

int
put_boolean(struct buffer *out, const struct row *row, const struct field *f)
{
	return copy_boolean(out, *(const bool *)field_at(row, f));
}

int
put_shown(struct buffer *out, struct span text)
{
	if (!text.ptr || utf8_valid(text))
		return copy_text(out, text);
	if (copy_text(out, text) < 0)
		return -1;
	for (size_t i = out->len - text.len; i < out->len; i++)
		if (out->ptr[i] == '\0' || (unsigned char)out->ptr[i] >= 0x80)
			out->ptr[i] = '?';
	return 0;
}

/* A dead letter's texts come from anywhere and must not make it die again. */
int
put_header(struct buffer *out, const struct row *row, const struct field *f)
{
	return put_shown(out, input_header(row->in, f->header));
}
