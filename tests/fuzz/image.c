/*
 * image.c -- any bytes as an image and by any description.  The first byte says what the rest is: an image; the members of an
 * image of each sample type, sealed; a description, a NUL, and the members, also as an image with its description.  What can be read is written as the same bytes,
 * and shown as JSON, and translated.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/base/cleanup.h"
#include "common/base/image_parts.h"
#include "common/base/random.h"
#include "tests/fuzz/target.h"
#include "tests/unit/base/image_sample.h"

#define JSON_MAX (4 << 20)

static void
seal(struct buffer *out, uint32_t version, uint64_t fingerprint, struct span members)
{
	unsigned char head[IMAGE_HEAD_BYTES] = "fbi1", tail[IMAGE_TAIL_BYTES];

	image_store(head + 4, version, 4);
	image_store(head + 8, fingerprint, 8);
	image_store(head + 16, members.len, 4);
	if (buffer_append(out, head, sizeof(head)) || buffer_append(out, members.ptr, members.len))
		target_broken("no memory");
	image_store(tail, image_crc32c(buffer_span(out)), 4);
	if (buffer_append(out, tail, sizeof(tail)))
		target_broken("no memory");
}

/* REST: a description, a NUL, and members. */
static void
seal_described(struct buffer *out, struct span rest)
{
	CLEANUP(buffer_clear) struct buffer members = BUFFER_INIT(0);
	struct span text = { rest.ptr, strnlen(rest.ptr, rest.len) };
	size_t skipped = text.len < rest.len ? text.len + 1 : text.len;
	unsigned char len[4];

	image_store(len, text.len, 4);
	if (buffer_append(&members, len, 4) || buffer_append(&members, text.ptr, text.len) ||
	    buffer_append(&members, rest.ptr + skipped, rest.len - skipped))
		target_broken("no memory");
	seal(out, track_type.version, random_hash(text), buffer_span(&members));
	memcpy(out->ptr, IMAGE_MAGIC_DESCRIBED, IMAGE_MAGIC_BYTES);
	image_store((unsigned char *)out->ptr + out->len - IMAGE_TAIL_BYTES,
		    image_crc32c((struct span){ out->ptr, out->len - IMAGE_TAIL_BYTES }), IMAGE_TAIL_BYTES);
}

/* JSON that is JSON, or an error as image.h says. */
static int
as_json(struct span description, struct span image)
{
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(JSON_MAX);
	struct err err = ERR_INIT;
	json_t *json;

	if (image_json(description, image, &out, &err) < 0) {
		if (out.len)
			target_broken("half of it is left");
		if (err.reason != REASON_STATE_CORRUPT && err.reason != REASON_STATE_VERSION &&
		    err.reason != REASON_NO_MEMORY)
			target_broken(err.text);
		return -1;
	}
	/* Numbers beyond int64_t are no integers for jansson. */
	json = json_loadb(out.ptr, out.len, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
	if (!json)
		target_broken("no JSON");
	json_decref(json);
	return 0;
}

/* In its own layout it is what it was. */
static void
translate_same(const struct image_type *type, struct span text, struct span image)
{
	CLEANUP(buffer_clear) struct buffer same = BUFFER_INIT(0);
	struct err err = ERR_INIT;

	if (image_translate(type, text, image, &same, &err) < 0)
		target_broken(err.text);
	if (!span_equal(buffer_span(&same), image))
		target_broken("translated into something else");
}

/* By any description: an image, or an error as image.h says. */
static void
translate_any(const struct image_type *type, struct span text, struct span image)
{
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0);
	struct err err = ERR_INIT;

	if (image_translate(type, text, image, &out, &err) == 0
		? !image_fingerprint_of(buffer_span(&out))
		: err.reason != REASON_STATE_CORRUPT && err.reason != REASON_STATE_VERSION &&
		      err.reason != REASON_NO_MEMORY)
		target_broken(err.text);
}

/* With a description in it, which may be of another layout: an object that can be written, or an error. */
static void
read_described(const struct image_type *type, struct span image, void *object)
{
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0);
	struct err err = ERR_INIT;

	if (image_read(type, image, object, &err) == 0) {
		if (image_write(type, object, &out) < 0)
			target_broken("no memory");
		image_clear(type, object);
	} else if (err.reason != REASON_STATE_CORRUPT && err.reason != REASON_STATE_VERSION) {
		target_broken(err.text);
	}
}

static void
read_image(const struct image_type *type, struct span image, void *object)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT(0), again = BUFFER_INIT(0);
	struct err err = ERR_INIT;
	int failed = image_read(type, image, object, &err);

	if (failed && err.reason != REASON_STATE_CORRUPT && err.reason != REASON_STATE_VERSION)
		target_broken(err.text);
	if (image_describe(type, &text) < 0)
		target_broken("no memory");
	/* That two lists have one count is not in the description. */
	if (as_json(buffer_span(&text), image) != failed && !strstr(err.text, "its twin"))
		target_broken("image_read and image_json do not agree");
	if (failed)
		return;
	if (image_write(type, object, &again) < 0 || !span_equal(buffer_span(&again), image))
		target_broken("written differently");
	if (image_bytes(type, object) != again.len)
		target_broken("another number of bytes");
	translate_same(type, buffer_span(&text), image);
	image_clear(type, object);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buffer_clear) struct buffer image = BUFFER_INIT(0);
	const struct image_type *type;
	struct span rest, text;
	struct image_head head;
	struct track track;
	struct all all;
	void *object;

	if (size == 0)
		return 0;
	rest = (struct span){ (const char *)data + 1, size - 1 };
	if (data[0] == 'd') {
		text = (struct span){ rest.ptr, strnlen(rest.ptr, rest.len) };
		if (text.len < rest.len)
			rest = (struct span){ text.ptr + text.len + 1, rest.len - text.len - 1 };
		seal(&image, 1, random_hash(text), rest);
		as_json(text, buffer_span(&image));
		translate_any(&all_type, text, buffer_span(&image));
		return 0;
	}
	type = data[0] == 'a' ? &all_type : &track_type;
	if (data[0] == 'i')
		buffer_append(&image, rest.ptr, rest.len);
	else if (data[0] == 'f')
		seal_described(&image, rest);
	else
		seal(&image, type->version, image_fingerprint(type), rest);
	object = data[0] == 'a' ? (void *)&all : (void *)&track;
	if (image_open(buffer_span(&image), &head, NULL) == 0 && head.description.ptr)
		read_described(type, buffer_span(&image), object);
	else
		read_image(type, buffer_span(&image), object);
	return 0;
}
