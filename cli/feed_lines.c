/* feed_lines.c -- the jsonl format: a line is a message, whatever it holds. */
#include <jansson.h>

#include "cli/feed_private.h"

static bool
is_white(struct span line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.ptr[i] != ' ' && line.ptr[i] != '\t' && line.ptr[i] != '\r')
			return false;
	return true;
}

/* The next line with its bytes as they are, CR included.  As feed_record(). */
static int
next_line(struct feed *f, struct span *ret, struct err *err)
{
	int got;

	while ((got = input_whole_line(f->input, ret, err)) > 0) {
		f->counts.lines++;
		if (f->counts.lines > f->options->skip_lines && !is_white(*ret))
			return 1;
		f->counts.blank += is_white(*ret);
	}
	return got;
}

/* The top-level member NAME as a text, copied into f->value; SPAN_NONE: none, or not an object. */
static struct span
member_text(struct feed *f, struct span line, const char *name)
{
	json_t *root = json_loadb(line.ptr, line.len, 0, NULL), *member;
	char *text = NULL;

	f->value.len = 0;
	member = json_object_get(root, name);
	if (json_is_string(member))
		buffer_append(&f->value, json_string_value(member), json_string_length(member));
	else if (json_is_number(member) && (text = json_dumps(member, JSON_ENCODE_ANY)))
		buffer_text(&f->value, text);
	free(text);
	json_decref(root);
	return f->value.len ? buffer_span(&f->value) : SPAN_NONE;
}

int
lines_next(struct feed *f, struct feed_message *ret, struct err *err)
{
	int got = next_line(f, &ret->value, err);

	if (got <= 0)
		return got;
	ret->key = SPAN_NONE;
	if (*f->options->key)
		ret->key = span_of(f->options->key);
	else if (*f->options->device_column)
		ret->key = member_text(f, ret->value, f->options->device_column);
	f->counts.messages++;
	f->counts.without_key += !ret->key.ptr;
	return 1;
}
