/* csv.c -- see csv.h.  A scanner with one position; every function leaves it behind what it took. */
#include "cli/csv.h"

struct scanner {
	const struct csv_format *format;
	const char *at, *end;
	struct csv_record *record;
	bool last;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The length of the line end at AT: 0, 1 or 2. */
static size_t
line_end(const char *at, const char *end)
{
	if (at < end && *at == '\n')
		return 1;
	return end - at >= 2 && at[0] == '\r' && at[1] == '\n' ? 2 : 0;
}

enum csv_kind
csv_first_line(struct span text, bool last, struct csv_record *ret)
{
	const char *nl = memchr(text.ptr, '\n', text.len);
	size_t len = nl ? (size_t)(nl - text.ptr) : text.len;

	if (!nl && !last)
		return CSV_MORE;
	ret->taken = nl ? len + 1 : len;
	ret->lines = 1;
	if (len > 0 && text.ptr[len - 1] == '\r')
		len--;
	ret->line = (struct span){ text.ptr, len };
	ret->n_fields = 0;
	return CSV_BROKEN;
}

/* What trimming takes away. */
static bool
is_padding(const struct scanner *s, char c)
{
	return is_blank(c) && c != s->format->delimiter;
}

static void
skip_padding(struct scanner *s)
{
	while (s->at < s->end && is_padding(s, *s->at))
		s->at++;
}

static bool
add_field(struct scanner *s, const char *from, const char *to)
{
	if (s->format->trim)
		while (to > from && is_padding(s, to[-1]))
			to--;
	if (s->record->n_fields == CSV_MAX_FIELDS)
		return false;
	s->record->fields[s->record->n_fields++] = (struct span){ from, (size_t)(to - from) };
	return true;
}

/* Behind the opening quote.  BROKEN also stands for no memory: the line is then kept as it is. */
static enum csv_kind
take_quoted(struct scanner *s)
{
	struct buffer *quoted = &s->record->quoted;
	const char *from = s->at, *quote;
	size_t start = quoted->len;
	bool doubled = false;

	while ((quote = memchr(s->at, '"', (size_t)(s->end - s->at)))) {
		if (quote + 1 == s->end && !s->last)
			return CSV_MORE; /* it may be the first of two */
		if (quote + 1 == s->end || quote[1] != '"')
			break;
		/* Room for all that is left, once: what points into the buffer must not move. */
		if (!doubled && buffer_reserve(quoted, (size_t)(s->end - from)) < 0)
			return CSV_BROKEN;
		buffer_append(quoted, s->at, (size_t)(quote + 1 - s->at));
		s->at = quote + 2;
		doubled = true;
	}
	if (!quote)
		return s->last ? CSV_BROKEN : CSV_MORE;
	if (doubled)
		buffer_append(quoted, s->at, (size_t)(quote - s->at));
	s->at = quote + 1;
	if (s->record->n_fields == CSV_MAX_FIELDS)
		return CSV_BROKEN;
	s->record->fields[s->record->n_fields++] = doubled ? (struct span){ quoted->ptr + start, quoted->len - start }
							   : (struct span){ from, (size_t)(quote - from) };
	if (s->format->trim)
		skip_padding(s);
	return CSV_ROW;
}

static enum csv_kind
take_plain(struct scanner *s)
{
	const char *from = s->at;

	while (s->at < s->end && *s->at != s->format->delimiter && *s->at != '\n')
		s->at++;
	if (s->at == s->end && !s->last)
		return CSV_MORE;
	/* The CR of a line end is none of the field's, also where the LF is missing at the very end. */
	if (s->at > from && s->at[-1] == '\r' && (s->at == s->end || *s->at == '\n'))
		s->at--;
	return add_field(s, from, s->at) ? CSV_ROW : CSV_BROKEN;
}

static enum csv_kind
take_field(struct scanner *s)
{
	if (s->format->trim)
		skip_padding(s);
	if (s->at < s->end && *s->at == '"') {
		s->at++;
		return take_quoted(s);
	}
	return take_plain(s);
}

/* Fields between delimiters, up to the end of the record. */
static enum csv_kind
take_fields(struct scanner *s)
{
	enum csv_kind kind;

	while ((kind = take_field(s)) == CSV_ROW) {
		if (s->at == s->end)
			return s->last ? CSV_ROW : CSV_MORE;
		if (line_end(s->at, s->end))
			return CSV_ROW;
		if (*s->at == '\r' && s->at + 1 == s->end)
			return s->last ? CSV_ROW : CSV_MORE;
		if (*s->at != s->format->delimiter)
			return CSV_BROKEN;
		s->at++;
	}
	return kind;
}

/* Words between blanks; the line's end is known. */
static enum csv_kind
take_words(struct scanner *s, struct span line)
{
	const char *end = line.ptr + line.len;

	for (s->at = line.ptr; s->at < end;) {
		const char *from = s->at;

		while (s->at < end && !is_blank(*s->at))
			s->at++;
		if (s->at > from && !add_field(s, from, s->at))
			return CSV_BROKEN;
		while (s->at < end && is_blank(*s->at))
			s->at++;
	}
	return CSV_ROW;
}

static enum csv_kind
take_record(struct scanner *s, struct span text, size_t first_taken, struct span first)
{
	struct csv_record *r = s->record;
	enum csv_kind kind = s->format->delimiter == ' ' ? take_words(s, first) : take_fields(s);

	if (kind == CSV_ROW && s->format->delimiter != ' ') {
		size_t ending = s->at < s->end && *s->at == '\r' && s->at + 1 == s->end ? 1 : line_end(s->at, s->end);

		r->line = (struct span){ text.ptr, (size_t)(s->at - text.ptr) };
		r->taken = r->line.len + ending;
		for (const char *c = text.ptr; (c = memchr(c, '\n', (size_t)(s->at - c))); c++)
			r->lines++;
	} else if (kind == CSV_BROKEN) {
		r->line = first;
		r->taken = first_taken;
		r->n_fields = 0;
	}
	return kind;
}

enum csv_kind
csv_scan(const struct csv_format *format, struct span text, bool last, struct csv_record *ret)
{
	struct scanner s = { format, text.ptr, text.ptr + text.len, ret, last };
	struct span first, inner;

	ret->quoted.len = 0;
	if (csv_first_line(text, last, ret) == CSV_MORE)
		return CSV_MORE;
	first = inner = ret->line;
	while (inner.len > 0 && is_blank(*inner.ptr))
		inner = (struct span){ inner.ptr + 1, inner.len - 1 };
	if (inner.len == 0)
		return CSV_BLANK;
	if (format->comment && *inner.ptr == format->comment)
		return CSV_COMMENT;
	return take_record(&s, text, ret->taken, first);
}
