/* image_text.c -- a type as a line of text, and the hash of that line, which is computed once. */
#include "common/base/image_parts.h"

#include <inttypes.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"

const struct image_kind_word image_kind_words[IMAGE_STRUCT] = {
	[IMAGE_BOOL] = { "bool", 1 }, [IMAGE_CHAR] = { "char", 1 }, [IMAGE_I8] = { "i8", 1 },
	[IMAGE_U8] = { "u8", 1 },     [IMAGE_I16] = { "i16", 2 },   [IMAGE_U16] = { "u16", 2 },
	[IMAGE_I32] = { "i32", 4 },   [IMAGE_U32] = { "u32", 4 },   [IMAGE_I64] = { "i64", 8 },
	[IMAGE_U64] = { "u64", 8 },   [IMAGE_SIZE] = { "size", 8 }, [IMAGE_F32] = { "f32", 4 },
	[IMAGE_F64] = { "f64", 8 },
};

static int describe_members(const struct image_table *table, struct buffer *out);

static int
describe_type(const struct image_member *m, struct buffer *out)
{
	int bad = 0;

	if (m->form == IMAGE_ARRAY)
		bad |= buffer_printf(out, "%zu*", m->count);
	else if (m->form != IMAGE_ONE)
		bad |= buffer_text(out, m->form == IMAGE_LIST ? "[" : "?");
	bad |= m->kind == IMAGE_STRUCT ? describe_members(m->table, out)
				       : buffer_text(out, image_kind_words[m->kind].name);
	return m->form == IMAGE_LIST ? bad | buffer_text(out, "]") : bad;
}

static int
describe_members(const struct image_table *table, struct buffer *out)
{
	int bad = 0;

	for (size_t i = 0; i < table->n; i++) {
		bad |= buffer_printf(out, "%c%s:", i ? ',' : '{', table->members[i].name);
		bad |= describe_type(&table->members[i], out);
	}
	return bad | buffer_text(out, "}");
}

int
image_describe(const struct image_type *type, struct buffer *out)
{
	size_t start = out->len;
	int lists;

	image_table_least(type->table, &lists); /* the rules hold: it ends */
	if (buffer_printf(out, "%s %" PRIu32 " ", type->name, type->version) == 0 &&
	    describe_members(type->table, out) == 0)
		return 0;
	out->len = start;
	return -1;
}

uint64_t
image_fingerprint(const struct image_type *type)
{
	uint64_t hash = image_memo_get(type->memo);
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT(0);

	if (hash || image_describe(type, &text) < 0)
		return hash;
	hash = random_hash(buffer_span(&text));
	image_memo_set(type->memo, hash);
	return hash;
}
