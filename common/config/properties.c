/*
 * properties.c -- Java's .properties files, read in three steps: natural lines are joined to a logical line, the line
 * is split at the first separator that no backslash protects, and both halves lose their escapes.  Nothing of the text
 * gets into an error but the key: a line may hold a password.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"
#include "common/config/private.h"

struct reader {
	const char *p, *end;
	const char *name;
	int line;  /* of the next natural line */
	int first; /* natural line that the logical line starts in */
	struct buffer logical, key, value;
	struct map *lines; /* key -> number of its line */
};

static int
fault(const struct reader *r, struct err *err, const char *what)
{
	return err_set(err, REASON_FILE_INVALID, "%s:%d: %s", r->name, r->first, what);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

/* The next natural line without its end and the white space in front; false at the end of the text. */
static bool
natural_line(struct reader *r, struct span *ret)
{
	const char *start = r->p, *at = start;

	if (start == r->end)
		return false;
	while (at < r->end && *at != '\n' && *at != '\r')
		at++;
	r->p = at;
	if (r->p < r->end)
		r->p += *at == '\r' && at + 1 < r->end && at[1] == '\n' ? 2 : 1;
	r->line++;
	while (start < at && is_blank(*start))
		start++;
	*ret = (struct span){ start, (size_t)(at - start) };
	return true;
}

/* Whether an odd number of backslashes ends the line. */
static bool
continues(struct span s)
{
	size_t n = 0;

	while (n < s.len && s.ptr[s.len - 1 - n] == '\\')
		n++;
	return n % 2 == 1;
}

/* Join natural lines.  1: r->logical holds a line; 0: end of text. */
static int
logical_line(struct reader *r, struct err *err)
{
	struct span s;
	bool more;

	do {
		r->first = r->line;
		if (!natural_line(r, &s))
			return 0;
	} while (s.len == 0 || s.ptr[0] == '#' || s.ptr[0] == '!');
	r->logical.len = 0;
	do {
		more = continues(s);
		if (buffer_append(&r->logical, s.ptr, s.len - more) < 0)
			return fault(r, err, "the line is longer than 64 KiB");
	} while (more && natural_line(r, &s));
	return 1;
}

/* Four hexadecimal digits at S, or -1. */
static int32_t
hex4(struct span s)
{
	int32_t code = 0;

	if (s.len < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef", *d = s.ptr[i] ? strchr(digits, s.ptr[i] | 0x20) : NULL;

		if (!d)
			return -1;
		code = code * 16 + (int32_t)(d - digits);
	}
	return code;
}

static int
append_utf8(struct buffer *out, uint32_t c)
{
	char utf8[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; c >>= 6)
		utf8[i] = (char)(0x80 | (c & 0x3f));
	utf8[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xff) | c);
	return buffer_append(out, utf8, n);
}

/* The code point behind "\u" at S, a pair of surrogates as one; *TAKEN digits and letters were read.  -1: none. */
static int32_t
unicode_escape(struct span s, size_t *taken)
{
	int32_t code = hex4(s), low;

	*taken = 4;
	if (code <= 0 || (code >= 0xdc00 && code < 0xe000))
		return -1;
	if (code < 0xd800 || code >= 0xe000)
		return code;
	if (s.len < 10 || s.ptr[4] != '\\' || s.ptr[5] != 'u')
		return -1;
	low = hex4((struct span){ s.ptr + 6, 4 });
	*taken = 10;
	return low < 0xdc00 || low >= 0xe000 ? -1 : 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

/* S without its escapes and without unprotected white space at the end, NUL-terminated into OUT. */
static int
unescape(struct reader *r, struct span s, struct buffer *out, struct err *err)
{
	size_t kept = 0;
	int bad = 0;

	out->len = 0;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		size_t taken = 0;

		if (c == '\\' && i + 1 < s.len && s.ptr[i + 1] == 'u') {
			int32_t code = unicode_escape((struct span){ s.ptr + i + 2, s.len - i - 2 }, &taken);

			if (code < 0)
				return fault(r, err, "\\u needs four hexadecimal digits of a character");
			bad |= append_utf8(out, (uint32_t)code);
			kept = out->len;
			i += 1 + taken;
			continue;
		}
		if (c == '\\' && i + 1 < s.len) {
			c = s.ptr[++i];
			c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'f' ? '\f' : c;
			taken = 1;
		}
		if (c == '\0')
			return fault(r, err, "a NUL byte");
		bad |= buffer_append(out, &c, 1);
		if (taken || !is_blank(c))
			kept = out->len;
	}
	out->len = kept;
	if (bad || buffer_append(out, "", 1) < 0)
		return err_set(err, REASON_NO_MEMORY, "%s:%d: no memory", r->name, r->first);
	return 0;
}

/* Split r->logical into r->key and r->value. */
static int
split(struct reader *r, struct err *err)
{
	struct span all = buffer_span(&r->logical);
	size_t i = 0, key_len = 0;

	for (; i < all.len && all.ptr[i] != '=' && all.ptr[i] != ':'; i++) {
		if (is_blank(all.ptr[i]))
			continue;
		if (key_len != i)
			return fault(r, err, "white space inside the key (a line is key=value)");
		i += all.ptr[i] == '\\' && i + 1 < all.len;
		key_len = i + 1;
	}
	if (i == all.len)
		return fault(r, err, "no '=' (a line is key=value)");
	if (key_len == 0)
		return fault(r, err, "no key in front of '='");
	for (i++; i < all.len && is_blank(all.ptr[i]);)
		i++;
	if (unescape(r, (struct span){ all.ptr, key_len }, &r->key, err) < 0)
		return -1;
	return unescape(r, (struct span){ all.ptr + i, all.len - i }, &r->value, err);
}

/* Remember the key; an error names both lines of one that comes twice. */
static int
once(struct reader *r, struct err *err)
{
	struct span key = { r->key.ptr, r->key.len - 1 };
	intptr_t earlier = (intptr_t)map_get(r->lines, key);

	if (earlier)
		return err_set(err, REASON_FILE_INVALID, "%s:%d: %.200s is given twice, first in line %d", r->name,
			       r->first, r->key.ptr, (int)earlier);
	if (map_put(r->lines, key, (void *)(intptr_t)r->first) < 0)
		return err_set(err, REASON_NO_MEMORY, "%s:%d: no memory", r->name, r->first);
	return 0;
}

static void
reader_clear_cleanup(struct reader *r)
{
	buffer_clear(&r->logical);
	buffer_clear(&r->key);
	buffer_clear(&r->value);
	map_free(r->lines);
}

int
properties_parse(struct span text, const char *name, property_visit *visit, void *ctx, struct err *err)
{
	CLEANUP(reader_clear)
	struct reader r = { text.ptr, text.ptr + text.len, name, 1, 1 };
	int got;

	r.logical.max = VALUE_MAX_BYTES;
	r.lines = map_new(NULL);
	if (!r.lines)
		return err_set(err, REASON_NO_MEMORY, "%s: no memory", name);
	if (text.len > FILE_MAX_BYTES)
		return err_set(err, REASON_FILE_INVALID, "%s: larger than 1 MiB", name);
	if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
		r.p += 3; /* a byte order mark */
	while ((got = logical_line(&r, err)) > 0) {
		if (split(&r, err) < 0 || once(&r, err) < 0)
			return -1;
		if (visit(ctx, r.key.ptr, r.value.ptr, r.first, err) < 0)
			return -1;
	}
	return got;
}

int
file_append(const char *path, struct buffer *out, struct err *err)
{
	CLEANUP(file_close)
	FILE *file = fopen(path, "re");
	char piece[4096];
	size_t n;

	if (!file)
		return err_set(err, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno));
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
		if (buffer_append(out, piece, n) < 0)
			return err_set(err, REASON_FILE_INVALID, "%s: larger than %zu KiB", path, out->max / 1024);
	if (ferror(file))
		return err_set(err, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno));
	return 0;
}

/* Stands between the parser and the visitor of properties_read. */
struct resolver {
	property_visit *visit;
	void *ctx;
	const char *path;
	struct buffer value;
};

static int
resolve_and_visit(void *ctx, const char *key, const char *value, int line, struct err *err)
{
	struct resolver *to = ctx;
	bool used;

	if (secrets_resolve(value, &to->value, &used, err) < 0)
		return err_wrap(err, "%s:%d: %.200s", to->path, line, key);
	return to->visit(to->ctx, key, to->value.ptr, line, err) < 0 ? err_wrap(err, "%s:%d", to->path, line) : 0;
}

int
properties_read(const char *path, property_visit *visit, void *ctx, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(FILE_MAX_BYTES);
	struct resolver to = { visit, ctx, path, BUFFER_INIT(VALUE_MAX_BYTES) };
	int got;

	if (file_append(path, &text, err) < 0)
		return -1;
	got = properties_parse(buffer_span(&text), path, resolve_and_visit, &to, err);
	buffer_clear(&to.value);
	return got;
}
