/* path.c -- a recursive idea without recursion: a root, then steps until the text ends. */
#include "workers/ingest-router/path.h"

struct reader {
	struct span text;
	size_t at;
	struct arena *arena;
};

static int
refuse(const struct reader *r, const char *why, struct err *err)
{
	return err_set(err, REASON_FILE_INVALID, "path \"%.*s\", byte %zu: %s", SPAN_ARG(r->text), r->at, why);
}

static bool
is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
	       (unsigned char)c >= 0x80;
}

static bool
here(const struct reader *r, char c)
{
	return r->at < r->text.len && r->text.ptr[r->at] == c;
}

static int
dotted(struct reader *r, struct path_step *step, struct err *err)
{
	size_t start = ++r->at;

	while (r->at < r->text.len && is_name_byte(r->text.ptr[r->at]))
		r->at++;
	if (r->at == start)
		return refuse(r, "a name is missing behind the dot (odd names are written ['so'])", err);
	step->key = arena_copy(r->arena, (struct span){ r->text.ptr + start, r->at - start });
	return step->key.ptr ? 0 : err_set(err, REASON_NO_MEMORY, "path");
}

static int
quoted(struct reader *r, struct path_step *step, struct err *err)
{
	char quote = r->text.ptr[r->at++];
	char *key = arena_alloc(r->arena, r->text.len);
	size_t n = 0;

	if (!key)
		return err_set(err, REASON_NO_MEMORY, "path");
	for (;; r->at++) {
		if (r->at == r->text.len)
			return refuse(r, "the quote is not closed", err);
		if (here(r, quote))
			break;
		if (here(r, '\\') && ++r->at == r->text.len)
			return refuse(r, "the quote is not closed", err);
		key[n++] = r->text.ptr[r->at];
	}
	r->at++;
	step->key = (struct span){ key, n };
	return 0;
}

static int
numbered(struct reader *r, struct path_step *step, struct err *err)
{
	size_t start = r->at;

	for (step->index = 0; r->at < r->text.len && r->text.ptr[r->at] >= '0' && r->text.ptr[r->at] <= '9'; r->at++) {
		if (step->index > 999999)
			return refuse(r, "an element beyond 9999999", err);
		step->index = step->index * 10 + (uint32_t)(r->text.ptr[r->at] - '0');
	}
	return r->at == start ? refuse(r, "a number, * or a quoted name belongs into the brackets", err) : 0;
}

/* [0], ['name'] or [*]; the latter sets path->all. */
static int
bracketed(struct reader *r, struct path *path, struct path_step *step, struct err *err)
{
	int bad;

	r->at++;
	if (here(r, '*')) {
		r->at++;
		path->all = true;
		bad = 0;
	} else if (here(r, '\'') || here(r, '"')) {
		bad = quoted(r, step, err);
	} else {
		bad = numbered(r, step, err);
	}
	if (bad)
		return -1;
	if (!here(r, ']'))
		return refuse(r, "] is missing", err);
	r->at++;
	return 0;
}

int
path_parse(struct span text, struct arena *arena, struct path *ret, struct err *err)
{
	struct reader r = { .text = text, .arena = arena };

	*ret = (struct path){ 0 };
	if (!here(&r, '$') && !here(&r, '@'))
		return refuse(&r, "a path begins with $ (the message) or @ (the element at hand)", err);
	ret->relative = here(&r, '@');
	for (r.at = 1; r.at < text.len;) {
		struct path_step step = { 0 };

		if (ret->all)
			return refuse(&r, "[*] may only stand at the end", err);
		if (ret->n_steps == PATH_STEPS_MAX)
			return refuse(&r, "more than 16 steps", err);
		if (here(&r, '.')   ? dotted(&r, &step, err) < 0
		    : here(&r, '[') ? bracketed(&r, ret, &step, err) < 0
				    : refuse(&r, "a step begins with . or [", err) < 0)
			return -1;
		if (!ret->all)
			ret->steps[ret->n_steps++] = step;
	}
	return 0;
}
