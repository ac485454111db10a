/* image_file.c -- what is wrong with a file that should be an image, in the words of who gave it. */
#include <stdio.h>

#include "common/base/image_parts.h"

/* Of BYTES, or WHY where they are an image. */
static void
fault(struct span bytes, const struct err *why, char *ret, size_t size)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	struct image_head head;
	size_t whole;

	if (!image_has_magic(bytes)) {
		snprintf(ret, size, "its %zu bytes are something else, or only its beginning", bytes.len);
		return;
	}
	whole = IMAGE_HEAD_BYTES + image_load(p + 16, 4) + IMAGE_TAIL_BYTES;
	if (bytes.len != whole)
		snprintf(ret, size, "%s: %zu bytes instead of %zu",
			 bytes.len < whole ? "it is cut short" : "it goes on", bytes.len, whole);
	else if (image_open(bytes, &head, NULL) < 0)
		snprintf(ret, size, "its checksum is wrong: something has changed it");
	else if (why->reason == REASON_STATE_VERSION)
		snprintf(ret, size, "another version of the program wrote it, or it is for something else");
	else
		snprintf(ret, size, "%s", why->text);
}

int
image_refuse_file(const char *path, struct span bytes, const char *what, const char *remedy, struct err *err)
{
	char text[sizeof(err->text)];

	if (err->reason != REASON_STATE_CORRUPT && err->reason != REASON_STATE_VERSION)
		return err_wrap(err, "%s", path);
	fault(bytes, err, text, sizeof(text));
	return err_set(err, REASON_FILE_INVALID, "%s is no %s that can be used: %.200s; %s", path, what, text, remedy);
}
