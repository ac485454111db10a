/* state_key.c -- see state_key.h.  A device may hold slashes, so each of them may be the one before the metric. */
#include "cli/state_key.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SEPARATOR '\x1f'
#define GROUP "\x1fgroup" /* in front of the length: the state of a group of metrics */
#define SLASHES_MAX 16

/* ---- bytes to text ---- */

/* "<length>:" in front, behind GROUP if that is there; the length of all of it in *PREFIX. */
static bool
counted(struct span key, size_t *prefix, size_t *device)
{
	const struct span group = SPAN(GROUP);
	size_t start = key.len > group.len && memcmp(key.ptr, group.ptr, group.len) == 0 ? group.len : 0;
	size_t at = start, n = 0;

	while (at < key.len && isdigit((unsigned char)key.ptr[at]) && n <= key.len)
		n = n * 10 + (size_t)(key.ptr[at++] - '0');
	if (at == start || at == key.len || key.ptr[at] != ':' || n == 0 || n > key.len - at - 1)
		return false;
	*prefix = at + 1;
	*device = n;
	return true;
}

bool
state_key_split(struct span key, struct span *device, struct span *metric)
{
	const char *separator = key.len ? memchr(key.ptr, SEPARATOR, key.len) : NULL;
	size_t prefix, len;

	if (separator && separator > key.ptr) {
		*device = (struct span){ key.ptr, (size_t)(separator - key.ptr) };
		*metric = (struct span){ separator + 1, key.len - device->len - 1 };
		return true;
	}
	if (!counted(key, &prefix, &len))
		return false;
	*device = (struct span){ key.ptr + prefix, len };
	*metric = (struct span){ key.ptr + prefix + len, key.len - prefix - len };
	return true;
}

/* Of UTF-8, without control characters: C0, DEL, and C1 in its two bytes, which terminals obey, too. */
static bool
is_plain(struct span text)
{
	for (size_t at = 0, len; at < text.len; at += len) {
		const unsigned char *c = (const unsigned char *)text.ptr + at;

		len = utf8_sequence(text.ptr + at, text.len - at);
		if (len == 0 || iscntrl(*c) || (len == 2 && c[0] == 0xc2 && c[1] < 0xa0))
			return false;
	}
	return text.len > 0 && text.ptr[0] != '\\';
}

int
state_key_text(struct span key, struct buffer *out)
{
	struct span device, metric;
	int bad;

	if (state_key_split(key, &device, &metric) && is_plain(device) && is_plain(metric))
		return buffer_printf(out, "%.*s/%.*s", SPAN_ARG(device), SPAN_ARG(metric));
	if (is_plain(key))
		return buffer_append(out, key.ptr, key.len);
	bad = buffer_text(out, "\\x");
	for (size_t i = 0; i < key.len; i++)
		bad |= buffer_printf(out, "%02x", (unsigned char)key.ptr[i]);
	return bad;
}

/* ---- text to bytes ---- */

struct ranges {
	struct arena *arena;
	struct checkpoint_range items[4 + 3 * SLASHES_MAX];
	size_t n;
	bool bad; /* memory is out */
};

static void
add(struct ranges *r, struct span low, struct span high)
{
	r->bad |= !low.ptr || !high.ptr;
	r->items[r->n++] = (struct checkpoint_range){ low, high };
}

/* KEY itself: up to the key that is a zero byte longer. */
static void
add_exact(struct ranges *r, struct span key)
{
	char *next = key.ptr ? arena_zalloc(r->arena, key.len + 1) : NULL;

	if (next)
		memcpy(next, key.ptr, key.len);
	add(r, key, (struct span){ next, key.len + 1 });
}

/* All keys that begin with PREFIX, which ends in a byte of UTF-8: there is a next one. */
static void
add_prefix(struct ranges *r, struct span prefix)
{
	struct span high = prefix.ptr ? arena_copy(r->arena, prefix) : SPAN_NONE;

	if (high.ptr)
		((char *)(uintptr_t)high.ptr)[high.len - 1]++;
	add(r, prefix, high);
}

static void
add_pair(struct ranges *r, struct span device, struct span metric)
{
	add_exact(r, span_of(arena_printf(r->arena, "%.*s%c%.*s", SPAN_ARG(device), SEPARATOR, SPAN_ARG(metric))));
	add_exact(r, span_of(arena_printf(r->arena, "%zu:%.*s%.*s", device.len, SPAN_ARG(device), SPAN_ARG(metric))));
	add_exact(
	    r, span_of(arena_printf(r->arena, GROUP "%zu:%.*s%.*s", device.len, SPAN_ARG(device), SPAN_ARG(metric))));
}

static void
add_device(struct ranges *r, struct span device)
{
	add_exact(r, device);
	add_prefix(r, span_of(arena_printf(r->arena, "%.*s%c", SPAN_ARG(device), SEPARATOR)));
	add_prefix(r, span_of(arena_printf(r->arena, "%zu:%.*s", device.len, SPAN_ARG(device))));
	add_prefix(r, span_of(arena_printf(r->arena, GROUP "%zu:%.*s", device.len, SPAN_ARG(device))));
}

static int
add_hex(struct ranges *r, const char *digits, struct err *err)
{
	size_t n = strlen(digits) / 2;
	char *bytes = arena_zalloc(r->arena, n + 1);

	for (size_t i = 0; i < n && bytes; i++) {
		unsigned int byte;

		if (!isxdigit((unsigned char)digits[2 * i]) || sscanf(digits + 2 * i, "%2x", &byte) != 1 ||
		    !isxdigit((unsigned char)digits[2 * i + 1]))
			n = 0;
		else
			bytes[i] = (char)byte;
	}
	if (n == 0 || strlen(digits) % 2)
		return err_set(err, REASON_USAGE, "--key=\\x%.100s: two hexadecimal digits a byte are wanted", digits);
	add_exact(r, (struct span){ bytes, n });
	return 0;
}

static void
add_meanings(struct ranges *r, const char *text, const char *metric)
{
	int slashes = 0;

	if (*metric) {
		add_pair(r, span_of(text), span_of(metric));
		return;
	}
	add_device(r, span_of(text));
	for (const char *at = text; (at = strchr(at, '/')) && slashes < SLASHES_MAX; at++)
		if (at > text && at[1]) {
			add_pair(r, (struct span){ text, (size_t)(at - text) }, span_of(at + 1));
			slashes++;
		}
}

int
state_key_ranges(const char *text, const char *metric, struct arena *arena, struct checkpoint_range **ret, size_t *n,
		 struct err *err)
{
	struct ranges *r = arena_zalloc(arena, sizeof(*r));

	if (!r)
		return err_set(err, REASON_NO_MEMORY, "key");
	r->arena = arena;
	if (!*text)
		return err_set(err, REASON_USAGE, "--key: a device, or device/metric");
	if (strncmp(text, "\\x", 2) == 0) {
		if (add_hex(r, text + 2, err) < 0)
			return -1;
	} else {
		add_meanings(r, text, metric);
	}
	if (r->bad)
		return err_set(err, REASON_NO_MEMORY, "key");
	*ret = r->items;
	*n = r->n;
	return 0;
}
