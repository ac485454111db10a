/*
 * scarce.h -- memory that runs out, for one program: linked with --wrap=malloc --wrap=calloc, its own calls of them come here.
 */
#ifndef FOREBAY_TESTS_SCARCE_H
#define FOREBAY_TESTS_SCARCE_H

#include <stddef.h>

static int scarce_left = -1; /* so many calls succeed, then one fails; -1: all succeed */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *
__wrap_malloc(size_t size)
{
	return scarce_left >= 0 && scarce_left-- == 0 ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return scarce_left >= 0 && scarce_left-- == 0 ? NULL : __real_calloc(n, size);
}

#endif
