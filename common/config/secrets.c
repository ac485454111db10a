/*
 * secrets.c -- ${env:NAME}, ${file:PATH} and ${file:PATH:KEY}, the forms of Kafka's configuration providers.  What is
 * put in is not looked at again, so that a secret may hold any characters.  Errors name the reference, never what it
 * led to.
 */
#include <stdlib.h>
#include <string.h>

#include "common/config/private.h"

#define NAME_MAX_BYTES 4096

/* Look for one key in a file of secrets. */
struct lookup {
	const char *key;
	struct buffer *out;
	bool found;
};

static int
look(void *ctx, const char *key, const char *value, int line, struct err *err)
{
	struct lookup *l = ctx;

	if (strcmp(key, l->key) != 0)
		return 0;
	l->found = true;
	return buffer_text(l->out, value) < 0 ? err_set(err, REASON_OPTION_INVALID, "%s: value too long", key) : 0;
}

static int
from_file(const char *path, const char *key, struct buffer *out, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(FILE_MAX_BYTES);
	struct lookup lookup = { key, out, false };

	if (file_append(path, &text, err) < 0)
		return -1;
	if (key) {
		if (properties_parse(buffer_span(&text), path, look, &lookup, err) < 0)
			return -1;
		return lookup.found ? 0 : err_set(err, REASON_OPTION_INVALID, "%s has no key %s", path, key);
	}
	while (text.len && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
		text.len--;
	if (text.len && memchr(text.ptr, '\0', text.len))
		return err_set(err, REASON_FILE_INVALID, "%s holds a NUL byte", path);
	if (buffer_append(out, text.ptr, text.len) < 0)
		return err_set(err, REASON_OPTION_INVALID, "%s is longer than a value may be", path);
	return 0;
}

/* Replace one reference; NAME is what stands between "${" and "}". */
static int
replace(const char *name, struct buffer *out, struct err *err)
{
	char copy[NAME_MAX_BYTES];
	const char *value;
	char *key;

	if (strncmp(name, "env:", 4) == 0) {
		value = getenv(name + 4);
		if (!value)
			return err_set(err, REASON_OPTION_INVALID, "${%s}: no such environment variable", name);
		return buffer_text(out, value) < 0 ? err_set(err, REASON_OPTION_INVALID, "${%s}: too long", name) : 0;
	}
	if (strncmp(name, "file:", 5) != 0)
		return err_set(err, REASON_OPTION_INVALID,
			       "${%s}: only ${env:...} and ${file:...} are known ($${ is a plain ${)", name);
	strcpy(copy, name + 5);
	key = strchr(copy, ':');
	if (key)
		*key++ = '\0';
	return from_file(copy, key, out, err) < 0 ? err_wrap(err, "${%s}", name) : 0;
}

/* Length of the provider's name at TEXT ("env" of "env:HOME}"), or 0 when it is not of that form. */
static size_t
provider(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return text[n] == ':' ? n : 0;
}

int
secrets_resolve(const char *text, struct buffer *out, bool *used, struct err *err)
{
	char name[NAME_MAX_BYTES];
	int bad = 0;

	*used = false;
	out->len = 0;
	while (*text) {
		const char *end;

		if (strncmp(text, "$${", 3) == 0) {
			bad |= buffer_text(out, "${");
			text += 3;
			continue;
		}
		if (strncmp(text, "${", 2) != 0 || provider(text + 2) == 0) {
			bad |= buffer_append(out, text++, 1);
			continue;
		}
		end = strchr(text, '}');
		if (!end || end - text - 2 >= NAME_MAX_BYTES)
			return err_set(err, REASON_OPTION_INVALID, "${%.*s:... has no end", (int)provider(text + 2),
				       text + 2);
		memcpy(name, text + 2, (size_t)(end - text - 2));
		name[end - text - 2] = '\0';
		if (replace(name, out, err) < 0)
			return -1;
		*used = true;
		text = end + 1;
	}
	if (bad || buffer_append(out, "", 1) < 0)
		return err_set(err, REASON_OPTION_INVALID, "longer than a value may be");
	return 0;
}
