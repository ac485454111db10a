/*
 * state_key.h -- the keys of stored states, as people write them.
 *
 * A worker makes the key of a state from device and metric:
 *
 *	etl-preprocessor, batch-forecaster	device 0x1f metric
 *	realtime-scorer				length of the device in decimal ":" device metric
 *	realtime-scorer, detect.groups		0x1f "group", then as before, the metric being "group:" and the group's name
 *
 * People write device/metric; what cannot be written that way is \x and the key's bytes in hexadecimal.
 */
#ifndef FOREBAY_CLI_STATE_KEY_H
#define FOREBAY_CLI_STATE_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/base/span.h"
#include "common/store/checkpoint_list.h"

/* Device and metric of KEY; false: it is of neither form. */
bool state_key_split(struct span key, struct span *device, struct span *metric);

/* Append KEY as state_key_ranges() reads it.  -1 when the buffer may not grow. */
int state_key_text(struct span key, struct buffer *out);

/*
 * What a person may have meant: the device TEXT with all its metrics, or device/metric for each slash, or with METRIC (not
 * "") that one alone.  *RET is in ARENA.  -1 on USAGE (empty, broken hexadecimal), NO_MEMORY.
 */
int state_key_ranges(const char *text, const char *metric, struct arena *arena, struct checkpoint_range **ret,
		     size_t *n, struct err *err);

#endif
