/*
 * scan.c -- recursive descent beside the plan.  A value whose node is NULL is only validated.
 *
 * Duplicate keys are found exactly: each key of an open object is kept on a stack with its mark; a new key is compared
 * with the marks before it while the object is small, which costs less than a hash; an object that grows beyond that is
 * sorted once, at its end, so that hostile keys cannot make it quadratic.
 */
#include "workers/ingest-router/scan.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/number.h"
#include "workers/ingest-router/quoted.h"

#define SMALL_OBJECT 32
#define KEYS_AT_HAND 64
#define SAFE_EXPONENT 288 /* 19 digits times 10^288 are finite */

struct seen_key {
	uint64_t mark;
	struct span key;
};

struct scanner {
	const char *begin, *end;
	struct arena *arena;
	struct err *err;
	unsigned depth_max;
	size_t rows_left, rows_max;
	struct seen_key *keys; /* of all open objects, the innermost last */
	size_t n_keys, cap_keys;
};

/* All of these return the byte behind what they read, or NULL with *s->err filled. */
static const char *scan_value(struct scanner *s, const char *p, const struct plan_node *node, struct scan_row *row,
			      unsigned depth);

static const char *
fail(struct scanner *s, const char *p, enum err_reason reason, const char *why)
{
	if (reason == REASON_JSON_SYNTAX && p == s->end)
		why = "the text ends too early";
	err_set(s->err, reason, "byte %zu: %s", (size_t)(p - s->begin), why);
	return NULL;
}

static const char *
out_of_memory(struct scanner *s)
{
	err_set(s->err, REASON_NO_MEMORY, "message");
	return NULL;
}

static inline const char *
blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

static const char *
quoted_fail(struct scanner *s, const char *p, enum quoted_fault fault)
{
	static const struct {
		enum err_reason reason;
		const char *why;
	} faults[] = {
		[QUOTED_OPEN] = { REASON_JSON_SYNTAX, "a string is not closed" },
		[QUOTED_CONTROL] = { REASON_JSON_SYNTAX, "a control character in a string" },
		[QUOTED_UTF8] = { REASON_JSON_UTF8, "not UTF-8" },
		[QUOTED_ESCAPE] = { REASON_JSON_SYNTAX, "no such escape" },
		[QUOTED_SURROGATE] = { REASON_JSON_UTF8, "half a surrogate pair" },
	};

	return fail(s, p, faults[fault].reason, faults[fault].why);
}

/* The rest of a string that is not plain. */
static const char *
string_slowly(struct scanner *s, const char *start, const char *p, bool wanted, struct span *ret)
{
	bool escaped = false;
	enum quoted_fault fault = quoted_check(p, s->end, &escaped, &p);
	char *copy;

	if (fault != QUOTED_OK)
		return quoted_fail(s, p, fault);
	*ret = (struct span){ start, (size_t)(p - start) };
	if (wanted && escaped) {
		copy = arena_alloc(s->arena, ret->len);
		if (!copy)
			return out_of_memory(s);
		*ret = (struct span){ copy, quoted_resolve(*ret, copy) };
	}
	return p + 1;
}

/* From behind the opening quote; *RET is unescaped if WANTED. */
static inline const char *
scan_string(struct scanner *s, const char *start, bool wanted, struct span *ret)
{
	const char *p = quoted_plain(start, s->end);

	if (p == s->end || *p != '"')
		return string_slowly(s, start, p, wanted, ret);
	*ret = (struct span){ start, (size_t)(p - start) };
	return p + 1;
}

static const char *
keys_grow(struct scanner *s, const char *p)
{
	struct seen_key *more = arena_alloc(s->arena, s->cap_keys * 4 * sizeof(*more));

	if (!more)
		return out_of_memory(s);
	memcpy(more, s->keys, s->n_keys * sizeof(*more));
	s->keys = more;
	s->cap_keys *= 4;
	return p;
}

/* Remember KEY of the object whose keys begin at BASE, P is behind it. */
static inline const char *
key_remember(struct scanner *s, size_t base, struct span key, uint64_t mark, const char *p)
{
	size_t n = s->n_keys;

	if (n - base < SMALL_OBJECT)
		for (size_t i = base; i < n; i++)
			if (s->keys[i].mark == mark && span_equal(s->keys[i].key, key))
				return fail(s, p, REASON_JSON_DUPLICATE_KEY, "a key that the object has already");
	if (n == s->cap_keys && !keys_grow(s, p))
		return NULL;
	s->keys[s->n_keys++] = (struct seen_key){ mark, key };
	return p;
}

static int
key_order(const void *a, const void *b)
{
	const struct seen_key *x = a, *y = b;

	if (x->mark != y->mark)
		return x->mark < y->mark ? -1 : 1;
	return span_compare(x->key, y->key);
}

/* The object that ends at P: forget its keys, and look for two alike if it was too large to look on the way. */
static inline const char *
keys_forget(struct scanner *s, size_t base, const char *p)
{
	size_t n = s->n_keys - base;

	s->n_keys = base;
	if (n <= SMALL_OBJECT)
		return p;
	qsort(s->keys + base, n, sizeof(*s->keys), key_order);
	for (size_t i = base + 1; i < base + n; i++)
		if (key_order(&s->keys[i - 1], &s->keys[i]) == 0)
			return fail(s, p, REASON_JSON_DUPLICATE_KEY, "the object that ends here has a key twice");
	return p;
}

/* A new row of GROUP below PARENT (NULL: the message itself). */
static struct scan_row *
row_new(struct scanner *s, const struct plan_group *group, struct scan_row *parent, const char *p)
{
	size_t values_bytes = group->n_slots * sizeof(struct scan_value);
	struct scan_row *row;

	if (parent && s->rows_left-- == 0) {
		err_set(s->err, REASON_TOO_MANY_VALUES, "byte %zu: more than %zu values or event times",
			(size_t)(p - s->begin), s->rows_max);
		return NULL;
	}
	row = arena_zalloc(s->arena, sizeof(*row) + values_bytes + group->n_lists * sizeof(struct scan_list));
	if (!row) {
		out_of_memory(s);
		return NULL;
	}
	row->lists = (struct scan_list *)((char *)row->values + values_bytes);
	if (parent) {
		struct scan_list *list = &parent->lists[group->list];

		if (list->last)
			list->last->next = row;
		else
			list->first = row;
		list->last = row;
		list->n++;
	}
	return row;
}

static const char *
scan_object(struct scanner *s, const char *p, const struct plan_node *node, struct scan_row *row, unsigned depth)
{
	size_t base = s->n_keys;

	p = blanks(p, s->end);
	if (p < s->end && *p == '}')
		return p + 1;
	for (;; p = blanks(p + 1, s->end)) {
		const struct plan_node *child = NULL;
		struct scan_row *home = row;
		struct span key;
		uint64_t mark;

		if (p == s->end || *p != '"')
			return fail(s, p, REASON_JSON_SYNTAX, "a key in quotes belongs here");
		p = scan_string(s, p + 1, true, &key);
		if (!p)
			return NULL;
		mark = key_mark(key);
		if (!key_remember(s, base, key, mark, p))
			return NULL;
		p = blanks(p, s->end);
		if (p == s->end || *p != ':')
			return fail(s, p, REASON_JSON_SYNTAX, "a colon belongs here");
		if (node && node->members) {
			home = row_new(s, node->members, row, p);
			if (!home)
				return NULL;
			home->name = key;
			child = node->members->node;
		} else if (node) {
			child = plan_child(node, mark, key);
		}
		p = scan_value(s, blanks(p + 1, s->end), child, home, depth);
		if (!p)
			return NULL;
		p = blanks(p, s->end);
		if (p < s->end && *p == '}')
			return keys_forget(s, base, p + 1);
		if (p == s->end || *p != ',')
			return fail(s, p, REASON_JSON_SYNTAX, "a comma or } belongs here");
	}
}

static const struct plan_node *
element(const struct plan_node *node, size_t index)
{
	for (size_t i = 0; i < node->n_elements && node->elements[i].index <= index; i++)
		if (node->elements[i].index == index)
			return node->elements[i].node;
	return NULL;
}

static const char *
scan_array(struct scanner *s, const char *p, const struct plan_node *node, struct scan_row *row, unsigned depth)
{
	p = blanks(p, s->end);
	if (p < s->end && *p == ']')
		return p + 1;
	for (size_t index = 0;; index++) {
		const struct plan_node *child = NULL;
		struct scan_row *home = row;

		if (node && node->each) {
			home = row_new(s, node->each, row, p);
			if (!home)
				return NULL;
			child = node->each->node;
		} else if (node) {
			child = element(node, index);
		}
		p = scan_value(s, p, child, home, depth);
		if (!p)
			return NULL;
		p = blanks(p, s->end);
		if (p < s->end && *p == ']')
			return p + 1;
		if (p == s->end || *p != ',')
			return fail(s, p, REASON_JSON_SYNTAX, "a comma or ] belongs here");
		p = blanks(p + 1, s->end);
	}
}

static const char *
scan_number(struct scanner *s, const char *start, bool wanted, struct scan_value *ret)
{
	struct decimal d;
	const char *p = decimal_scan(start, s->end, &d);

	if (!p)
		return fail(s, start, REASON_JSON_SYNTAX, "no number that JSON knows");
	if (wanted || d.cut || d.exponent > SAFE_EXPONENT) {
		ret->number = decimal_double(&d);
		if (isinf(ret->number))
			return fail(s, start, REASON_JSON_NUMBER, "a number beyond the range of a double");
	}
	ret->kind = SCAN_NUMBER;
	ret->text = d.text;
	return p;
}

static const char *
scan_word(struct scanner *s, const char *p, struct scan_value *ret)
{
	static const struct {
		const char *text;
		size_t len;
		enum scan_kind kind;
	} words[] = { { "true", 4, SCAN_TRUE }, { "false", 5, SCAN_FALSE }, { "null", 4, SCAN_NULL } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((size_t)(s->end - p) < words[i].len || memcmp(p, words[i].text, words[i].len) != 0)
			continue;
		ret->kind = words[i].kind;
		ret->text = (struct span){ p, words[i].len };
		return p + words[i].len;
	}
	return fail(s, p, REASON_JSON_SYNTAX, "a value belongs here");
}

static const char *
scan_container(struct scanner *s, const char *start, const struct plan_node *node, struct scan_row *row, unsigned depth,
	       struct scan_value *ret)
{
	const char *p;

	if (depth == s->depth_max) {
		err_set(s->err, REASON_JSON_DEPTH, "byte %zu: more than %u containers inside each other",
			(size_t)(start - s->begin), s->depth_max);
		return NULL;
	}
	p = *start == '{' ? scan_object(s, start + 1, node, row, depth + 1)
			  : scan_array(s, start + 1, node, row, depth + 1);
	if (p) {
		ret->kind = *start == '{' ? SCAN_OBJECT : SCAN_ARRAY;
		ret->text = (struct span){ start, (size_t)(p - start) };
	}
	return p;
}

static const char *
scan_value(struct scanner *s, const char *p, const struct plan_node *node, struct scan_row *row, unsigned depth)
{
	bool wanted = node && node->slot >= 0;
	struct scan_value skipped = { .kind = SCAN_ABSENT }, *ret = wanted ? &row->values[node->slot] : &skipped;

	if (p == s->end)
		return fail(s, p, REASON_JSON_SYNTAX, "");
	switch (*p) {
	case '"': ret->kind = SCAN_STRING; return scan_string(s, p + 1, wanted, &ret->text);
	case '{':
	case '[': return scan_container(s, p, node, row, depth, ret);
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9': return scan_number(s, p, wanted, ret);
	default: return scan_word(s, p, ret);
	}
}

int
scan_json(const struct plan *plan, struct span text, const struct scan_limits *limits, struct arena *arena,
	  const struct scan_row **ret, struct err *err)
{
	struct seen_key at_hand[KEYS_AT_HAND];
	struct scanner s = {
		.begin = text.ptr,
		.end = text.ptr + text.len,
		.arena = arena,
		.err = err,
		.depth_max = limits->depth,
		.rows_left = limits->rows,
		.rows_max = limits->rows,
		.keys = at_hand,
		.cap_keys = KEYS_AT_HAND,
	};
	struct scan_row *root = row_new(&s, plan->root, NULL, text.ptr);
	const char *p;

	if (!root)
		return -1;
	p = scan_value(&s, blanks(s.begin, s.end), plan->root->node, root, 0);
	if (!p)
		return -1;
	p = blanks(p, s.end);
	if (p < s.end) {
		fail(&s, p, REASON_JSON_SYNTAX, "more text behind the document");
		return -1;
	}
	*ret = root;
	return 0;
}
