/*
 * cleanup.h -- ownership that the compiler keeps.
 *
 * CLEANUP(x_free) struct x *x = NULL;	x_free(x) runs when x leaves its scope, on every path
 * *ret = TAKE(x);			the caller owns it from here on; x is NULL
 *
 * A module whose objects are used this way puts DEFINE_CLEANUP(struct x, x_free) in its header.
 */
#ifndef FOREBAY_BASE_CLEANUP_H
#define FOREBAY_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>

#define CLEANUP(fn) __attribute__((cleanup(fn##_cleanup)))

#define DEFINE_CLEANUP(type, fn)                  \
	static inline void fn##_cleanup(type **p) \
	{                                         \
		fn(*p);                           \
	}

#define TAKE(p)                             \
	__extension__({                     \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* CLEANUP(heap_free) frees any pointer that malloc gave. */
static inline void
heap_free_cleanup(void *p)
{
	free(*(void **)p);
}

/* CLEANUP(file_close) closes a FILE. */
static inline void
file_close_cleanup(FILE **file)
{
	if (*file)
		fclose(*file);
}

#endif
