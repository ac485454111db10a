/* workbench_states.c -- states to bytes and back, as if the worker had been somewhere else meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/workbench_parts.h"

static void
encode(const struct state_type *type, const void *state, struct buffer *out)
{
	size_t before = out->len;

	assert_int_equal(type->encode(state, out), 0);
	assert_int_equal(out->len - before, type->bytes(state));
}

static void
entry_reload(struct entry *e)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0), again = BUFFER_INIT(0);
	void *loaded = calloc(1, e->type->size);
	struct err err = ERR_INIT;

	assert_non_null(loaded);
	assert_false(e->touched);
	encode(e->type, e->now, &bytes);
	if (e->type->decode(buffer_span(&bytes), loaded, &err) < 0)
		fail_msg("%s", err.text);
	workbench_drop(e->type, &e->now);
	e->now = loaded;
	encode(e->type, e->now, &again);
	assert_int_equal(bytes.len, again.len);
	assert_memory_equal(bytes.ptr, again.ptr, bytes.len);
}

void
workbench_reload(struct workbench *b)
{
	struct span key;
	void *value;

	for (size_t at = 0; map_next(b->states, &at, &key, &value);)
		entry_reload(value);
}

void
workbench_images(const struct workbench *b, struct buffer *out)
{
	struct span key;
	void *value;

	for (size_t at = 0; map_next(b->states, &at, &key, &value);) {
		const struct entry *e = value;

		assert_int_equal(buffer_append(out, key.ptr, key.len), 0);
		encode(e->type, e->now, out);
	}
}

void
workbench_assert_same_states(const struct workbench *a, const struct workbench *b)
{
	CLEANUP(buffer_clear) struct buffer one = BUFFER_INIT(0), two = BUFFER_INIT(0);

	workbench_images(a, &one);
	workbench_images(b, &two);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.ptr, two.ptr, one.len);
}

void
workbench_assert_same(const struct workbench *a, const struct workbench *b)
{
	struct span key;
	void *value;

	assert_int_equal(map_count(a->sent), map_count(b->sent));
	for (size_t at = 0; map_next(a->sent, &at, &key, &value);) {
		const struct buffer *text = value, *other = map_get(b->sent, key);

		assert_non_null(other);
		assert_string_equal(text->ptr, other->ptr);
	}
	workbench_assert_same_states(a, b);
}

void
workbench_silent(struct workbench *b, bool silent, const struct workbench *noted)
{
	b->silent = silent;
	b->recalls = noted;
}

void
workbench_store_down(struct workbench *b, int after)
{
	b->down_after = after;
}
