/* columns.c -- see columns.h. */
#include "cli/columns.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/base/cleanup.h"

#define GAP 2

/* In characters; what is no UTF-8 counts byte by byte. */
static size_t
width_of(const char *text)
{
	size_t width = 0;

	for (size_t left = strlen(text); left > 0; width++) {
		size_t len = utf8_sequence(text, left);

		len += len == 0;
		text += len;
		left -= len;
	}
	return width;
}

/* 0: the column is left out. */
static size_t
column_width(const struct column *column, const char *const *cells, size_t n_columns, size_t n_rows)
{
	size_t width = width_of(column->title);
	bool any = n_rows == 0;

	for (size_t i = 0; i < n_rows; i++) {
		const char *text = cells[i * n_columns];

		any |= text != NULL;
		if (text && width_of(text) > width)
			width = width_of(text);
	}
	return any ? width : 0;
}

static int
put_cell(struct buffer *out, const char *text, bool right, size_t width)
{
	int fill = (int)(width - width_of(text));

	return right ? buffer_printf(out, "%*s%s", fill, "", text) : buffer_printf(out, "%s%*s", text, fill, "");
}

static int
put_row(struct buffer *out, const struct column *columns, const size_t *widths, size_t n, const char *const *cells)
{
	size_t start = out->len;
	int bad = 0;

	for (size_t k = 0; k < n; k++) {
		const char *text = !cells ? columns[k].title : cells[k] ? cells[k] : "-";

		if (widths[k] == 0)
			continue;
		if (out->len > start)
			bad |= buffer_printf(out, "%*s", GAP, "");
		bad |= put_cell(out, text, columns[k].right, widths[k]);
	}
	while (out->len > start && out->ptr[out->len - 1] == ' ')
		out->len--;
	return bad | buffer_text(out, "\n");
}

int
columns_print(const struct column *columns, size_t n_columns, const char *const *cells, size_t n_rows,
	      struct buffer *out)
{
	CLEANUP(heap_free)
	size_t *widths = calloc(n_columns + 1, sizeof(*widths));
	int bad = 0;

	if (!widths)
		return -1;
	for (size_t k = 0; k < n_columns; k++)
		widths[k] = column_width(&columns[k], cells + k, n_columns, n_rows);
	bad |= put_row(out, columns, widths, n_columns, NULL);
	for (size_t i = 0; i < n_rows; i++)
		bad |= put_row(out, columns, widths, n_columns, cells + i * n_columns);
	return bad ? -1 : 0;
}
