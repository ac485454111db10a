/* image_seal.h -- images whose members are written by hand. */
#ifndef FOREBAY_TESTS_IMAGE_SEAL_H
#define FOREBAY_TESTS_IMAGE_SEAL_H

#include "common/base/image.h"
#include "common/base/image_parts.h"

/* An image of MEMBERS with a true length and checksum. */
static void
seal(struct buffer *out, const struct image_type *type, struct span members)
{
	unsigned char head[IMAGE_HEAD_BYTES] = "fbi1", tail[IMAGE_TAIL_BYTES];

	out->len = 0;
	image_store(head + 4, type->version, 4);
	image_store(head + 8, image_fingerprint(type), 8);
	image_store(head + 16, members.len, 4);
	assert_int_equal(buffer_append(out, head, sizeof(head)), 0);
	assert_int_equal(buffer_append(out, members.ptr, members.len), 0);
	image_store(tail, image_crc32c(buffer_span(out)), 4);
	assert_int_equal(buffer_append(out, tail, sizeof(tail)), 0);
}

#endif
