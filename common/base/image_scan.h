/* image_scan.h -- a description's text and an image's bytes, read side by side: for image_json.c and image_translate.c alone. */
#ifndef FOREBAY_BASE_IMAGE_SCAN_H
#define FOREBAY_BASE_IMAGE_SCAN_H

#include <stdbool.h>

#include "common/base/image_parts.h"

/*
 *	description	name " " version " " struct
 *	struct		"{" member { "," member } "}"
 *	member		name ":" ( element | count "*" element | "[" element "]" | "?" element )
 *	element		a kind's name | struct
 */
struct image_scan {
	const char *text, *text_end;
	const unsigned char *at, *end;
	struct err *err;
	int depth;
	bool passing; /* text is read without bytes: of elements that there are none of */
};

/* Of an image's members.  -1 on STATE_VERSION: DESCRIPTION, which may be anything, is not theirs. */
int image_scan_open(struct span description, const struct image_head *head, struct image_scan *ret, struct err *err);

/* "name version " in front of the structure; all is read once the structure is. */
int image_scan_title(struct image_scan *s, struct span *name, struct span *version);
int image_scan_end(struct image_scan *s);

/* STATE_CORRUPT: where the text is broken; that the bytes end too early. */
int image_scan_broken(struct image_scan *s);
int image_scan_short(struct image_scan *s);

bool image_scan_is(const struct image_scan *s, char c);
int image_scan_expect(struct image_scan *s, char c);
int image_scan_enter(struct image_scan *s); /* a structure's brace, not too deep */
int image_scan_leave(struct image_scan *s);
struct span image_scan_word(struct image_scan *s);

/* A member's name and its colon. */
int image_scan_name(struct image_scan *s, struct span *ret);

/* How its elements come, up to the text of one: a list's bracket, an optional's mark, an array's "N*" with *N > 0. */
int image_scan_form(struct image_scan *s, enum image_form *form, size_t *n);

/* How many there are of them, by the bytes (an array's N is known); 0 while passing.  Behind a list stands its bracket. */
int image_scan_count(struct image_scan *s, enum image_form form, size_t *n);

/* The kind whose name stands next, IMAGE_STRUCT for a brace; -1: neither.  Nothing is read. */
int image_scan_kind(struct image_scan *s);

/* The next N bytes; NULL: there are fewer. */
const unsigned char *image_scan_take(struct image_scan *s, size_t n);

#endif
