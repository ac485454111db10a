/* missing.c -- see missing.h. */
#include "cli/missing.h"

#include "common/base/number.h"

static bool
number_of(struct span text, double *ret)
{
	struct decimal number;

	if (decimal_parse(text, '.', &number) != NUMBER_OK)
		return false;
	*ret = decimal_double(&number);
	return true;
}

static struct span
trimmed(struct span s)
{
	while (s.len && *s.ptr == ' ')
		s = (struct span){ s.ptr + 1, s.len - 1 };
	while (s.len && s.ptr[s.len - 1] == ' ')
		s.len--;
	return s;
}

int
missing_parse(const char *list, struct missing *ret)
{
	*ret = (struct missing){ 0 };
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");
		struct missing_text item = { .text = trimmed((struct span){ p, n }) };

		p += n + (p[n] == ',');
		if (item.text.len == 0)
			continue;
		if (ret->n == MISSING_MAX)
			return -1;
		item.numeric = number_of(item.text, &item.value);
		ret->items[ret->n++] = item;
	}
	return 0;
}

bool
missing_is(struct missing *m, struct span text)
{
	double value = 0;
	bool numeric = m->n > 0 && number_of(text, &value);

	for (size_t i = 0; i < m->n; i++) {
		struct missing_text *item = &m->items[i];

		if (span_equal(item->text, text) || (numeric && item->numeric && item->value == value))
			return item->seen = true;
	}
	return false;
}

int
missing_unseen(const struct missing *m, struct buffer *out)
{
	int bad = 0;

	for (size_t i = 0; i < m->n; i++)
		if (!m->items[i].seen)
			bad |= buffer_printf(out, "%s\"%.*s\"", out->len ? ", " : "", SPAN_ARG(m->items[i].text));
	return bad;
}
