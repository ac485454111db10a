/*
 * registry.h -- schemas by id.  Two kinds behind one face, chosen by the URL:
 *
 *	file:DIR	DIR/index.json pins ids (the embedded default; nothing is written at run time)
 *	http(s)://...	a Confluent-compatible registry (libcurl); answers are cached for ever, in memory
 */
#ifndef FOREBAY_RECORD_REGISTRY_H
#define FOREBAY_RECORD_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"

struct registry;

/* SCHEMA_DIR holds our own schemas (*.avsc, index.json) also when URL is http.  -1 on OPTION_INVALID, SCHEMA_INVALID. */
int registry_new(const char *url, const char *schema_dir, struct registry **ret, struct err *err);
void registry_free(struct registry *r);
DEFINE_CLEANUP(struct registry, registry_free)

#endif
