/* names.h -- names of topics, before any broker is asked for them. */
#ifndef FOREBAY_WORKER_NAMES_H
#define FOREBAY_WORKER_NAMES_H

#include <stddef.h>

#include "common/base/error.h"

/* "a, b" -> words; the caller frees with names_free(), also after a failure.  -1 on NO_MEMORY. */
int names_split(const char *text, char ***ret, size_t *n, struct err *err);
void names_free(char **words, size_t n);

/* Each is a name that Kafka takes, and none is there twice, in READ and SIDE together.  -1 on OPTION_INVALID. */
int names_check_inputs(char *const *read, size_t n_read, char *const *side, size_t n_side, struct err *err);

/* A name that Kafka takes, and none that is read: the worker would feed itself.  -1 on OPTION_INVALID. */
int names_check_output(const char *topic, char *const *read, size_t n_read, char *const *side, size_t n_side,
		       struct err *err);

#endif
