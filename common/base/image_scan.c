/* image_scan.c -- see image_scan.h. */
#include "common/base/image_scan.h"

#include <inttypes.h>

#include "common/base/random.h"

int
image_scan_open(struct span description, const struct image_head *head, struct image_scan *ret, struct err *err)
{
	if (head->fingerprint != random_hash(description))
		return err_set(err, REASON_STATE_VERSION,
			       "written as version %" PRIu32 ", layout %016" PRIx64
			       "; the description is layout %016" PRIx64 ", \"%.*s...\"",
			       head->version, head->fingerprint, random_hash(description),
			       (int)(description.len < 40 ? description.len : 40), description.ptr);
	*ret = (struct image_scan){ .text = description.ptr,
				    .text_end = description.ptr + description.len,
				    .at = (const unsigned char *)head->members.ptr,
				    .end = (const unsigned char *)head->members.ptr + head->members.len,
				    .err = err };
	return 0;
}

int
image_scan_broken(struct image_scan *s)
{
	size_t left = (size_t)(s->text_end - s->text);

	return err_set(s->err, REASON_STATE_CORRUPT, "the description is broken at \"%.*s\"",
		       left < 20 ? (int)left : 20, s->text);
}

int
image_scan_short(struct image_scan *s)
{
	return err_set(s->err, REASON_STATE_CORRUPT, "the image is shorter than its description says");
}

bool
image_scan_is(const struct image_scan *s, char c)
{
	return s->text < s->text_end && *s->text == c;
}

int
image_scan_expect(struct image_scan *s, char c)
{
	if (!image_scan_is(s, c))
		return image_scan_broken(s);
	s->text++;
	return 0;
}

int
image_scan_enter(struct image_scan *s)
{
	return ++s->depth > IMAGE_DEPTH_MAX ? image_scan_broken(s) : image_scan_expect(s, '{');
}

int
image_scan_leave(struct image_scan *s)
{
	s->depth--;
	return image_scan_expect(s, '}');
}

struct span
image_scan_word(struct image_scan *s)
{
	const char *start = s->text;

	while (s->text < s->text_end &&
	       ((*s->text >= 'a' && *s->text <= 'z') || (*s->text >= 'A' && *s->text <= 'Z') ||
		(*s->text >= '0' && *s->text <= '9') || *s->text == '_' || *s->text == '.' || *s->text == '-'))
		s->text++;
	return (struct span){ start, (size_t)(s->text - start) };
}

int
image_scan_title(struct image_scan *s, struct span *name, struct span *version)
{
	*name = image_scan_word(s);
	if (!name->len || image_scan_expect(s, ' ') < 0)
		return image_scan_broken(s);
	*version = image_scan_word(s);
	return !version->len ? image_scan_broken(s) : image_scan_expect(s, ' ');
}

int
image_scan_end(struct image_scan *s)
{
	if (s->text < s->text_end)
		return image_scan_broken(s);
	return s->at == s->end ? 0 : err_set(s->err, REASON_STATE_CORRUPT, "%td bytes too many", s->end - s->at);
}

int
image_scan_name(struct image_scan *s, struct span *ret)
{
	*ret = image_scan_word(s);
	return ret->len ? image_scan_expect(s, ':') : image_scan_broken(s);
}

static int
array_count(struct image_scan *s, size_t *n)
{
	*n = 0;
	for (; s->text < s->text_end && *s->text >= '0' && *s->text <= '9'; s->text++)
		if (__builtin_mul_overflow(*n, 10, n) || __builtin_add_overflow(*n, *s->text - '0', n))
			return image_scan_broken(s);
	return *n == 0 ? image_scan_broken(s) : image_scan_expect(s, '*');
}

int
image_scan_form(struct image_scan *s, enum image_form *form, size_t *n)
{
	*n = 1;
	*form = image_scan_is(s, '[') ? IMAGE_LIST : image_scan_is(s, '?') ? IMAGE_OPTIONAL : IMAGE_ONE;
	if (*form != IMAGE_ONE) {
		s->text++;
		return 0;
	}
	if (s->text == s->text_end || *s->text < '0' || *s->text > '9')
		return 0;
	*form = IMAGE_ARRAY;
	return array_count(s, n);
}

int
image_scan_count(struct image_scan *s, enum image_form form, size_t *n)
{
	const unsigned char *p;

	if (s->passing)
		*n = 0;
	if (s->passing || form == IMAGE_ONE || form == IMAGE_ARRAY)
		return 0;
	p = image_scan_take(s, form == IMAGE_LIST ? 4 : 1);
	if (!p)
		return image_scan_short(s);
	*n = image_load(p, form == IMAGE_LIST ? 4 : 1);
	if (form == IMAGE_OPTIONAL && *n > 1)
		return err_set(s->err, REASON_STATE_CORRUPT, "an optional is there %zu times", *n);
	return 0;
}

int
image_scan_kind(struct image_scan *s)
{
	const char *start = s->text;
	struct span name;

	if (image_scan_is(s, '{'))
		return IMAGE_STRUCT;
	name = image_scan_word(s);
	s->text = start;
	for (int kind = 0; kind < IMAGE_STRUCT; kind++)
		if (span_equal(name, span_of(image_kind_words[kind].name)))
			return kind;
	return -1;
}

const unsigned char *
image_scan_take(struct image_scan *s, size_t n)
{
	const unsigned char *p = s->at;

	if (n > (size_t)(s->end - s->at))
		return NULL;
	s->at += n;
	return p;
}
