/* adopted.c -- see adopted.h: what is stored, noted and compared is the text. */
#include "workers/batch-forecaster/adopted.h"

#include <stdlib.h>

#define SEPARATOR '\x1f'

struct adopted {
	size_t owners, len;
	char text[];
};

static struct adopted *
adopted_alloc(size_t len)
{
	struct adopted *a = malloc(sizeof(*a) + len);

	if (a)
		*a = (struct adopted){ .owners = 1, .len = len };
	return a;
}

static char *
put(char *to, struct span part)
{
	if (part.len)
		memcpy(to, part.ptr, part.len);
	return to + part.len;
}

int
adopted_new(const struct adopted_parts *parts, struct adopted **ret, struct err *err)
{
	struct adopted *a;
	char *to;

	*ret = NULL;
	if (!parts->serving.len && !parts->rival.len)
		return 0;
	a = adopted_alloc(parts->name.len + parts->serving.len + parts->rival.len + 2);
	if (!a)
		return err_set(err, REASON_NO_MEMORY, "versions in use");
	to = put(a->text, parts->name);
	*to++ = SEPARATOR;
	to = put(to, parts->serving);
	*to++ = SEPARATOR;
	put(to, parts->rival);
	*ret = a;
	return 0;
}

/* The text before the next separator, or up to the end. */
static struct span
cut(struct span *rest)
{
	const char *at = rest->len ? memchr(rest->ptr, SEPARATOR, rest->len) : NULL;
	struct span part = { rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len };
	size_t gone = part.len + (at ? 1 : 0);

	*rest = (struct span){ rest->ptr + gone, rest->len - gone };
	return part;
}

static struct adopted_parts
split(struct span text)
{
	struct adopted_parts p;

	p.name = cut(&text);
	p.serving = cut(&text);
	p.rival = text;
	return p;
}

static bool
sound(struct span text)
{
	struct adopted_parts p = split(text);

	return p.name.len && p.name.len <= ADOPTED_PART_BYTES && p.serving.len <= ADOPTED_PART_BYTES &&
	       p.rival.len <= ADOPTED_PART_BYTES && (p.serving.len || p.rival.len) &&
	       text.len == p.name.len + p.serving.len + p.rival.len + 2 &&
	       (!p.rival.len || !memchr(p.rival.ptr, SEPARATOR, p.rival.len));
}

int
adopted_read(struct span text, struct adopted **ret, struct err *err)
{
	struct adopted_parts parts = { SPAN_NONE, SPAN_NONE, SPAN_NONE };

	*ret = NULL;
	if (text.len == 0 || span_equal(text, adopted_text(NULL)))
		return 0;
	if (!sound(text))
		return err_set(err, REASON_STATE_CORRUPT, "%zu bytes do not name the versions in use", text.len);
	parts = split(text);
	return adopted_new(&parts, ret, err);
}

struct adopted *
adopted_share(struct adopted *a)
{
	if (a)
		a->owners++;
	return a;
}

void
adopted_release(struct adopted *a)
{
	if (a && --a->owners == 0)
		free(a);
}

struct span
adopted_text(const struct adopted *a)
{
	return a ? (struct span){ a->text, a->len } : SPAN("\x1f\x1f");
}

struct adopted_parts
adopted_parts(const struct adopted *a)
{
	return a ? split(adopted_text(a)) : (struct adopted_parts){ { "", 0 }, { "", 0 }, { "", 0 } };
}
