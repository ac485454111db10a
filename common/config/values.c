/* values.c -- one value: text to field and field to JSON, by the type in the option's row. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/config/private.h"

static void *
field(const struct option *o, const void *target)
{
	return (char *)target + o->offset;
}

static bool
has_bounds(const struct option *o)
{
	return o->min != 0 || o->max != 0;
}

static int
refuse(const struct option *o, const char *text, bool hide, const char *what, struct err *err)
{
	if (hide)
		return err_set(err, REASON_OPTION_INVALID, "%s: the value %s", o->key, what);
	return err_set(err, REASON_OPTION_INVALID, "%s: \"%.80s\" %s", o->key, text, what);
}

/* NUMBER is text's meaning, in the option's unit. */
static int
check_bounds(const struct option *o, double number, const char *text, bool hide, struct err *err)
{
	char range[RANGE_BYTES];

	if (!has_bounds(o) || (number >= o->min && number <= o->max))
		return 0;
	value_range(o, range);
	if (hide)
		return err_set(err, REASON_OPTION_INVALID, "%s: the value is outside %s", o->key, range);
	return err_set(err, REASON_OPTION_INVALID, "%s: %.80s is outside %s", o->key, text, range);
}

int
value_bool(const char *text, bool *ret)
{
	static const char *const words[][2] = { { "false", "true" }, { "no", "yes" }, { "off", "on" }, { "0", "1" } };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		for (size_t b = 0; b < 2; b++)
			if (strcasecmp(text, words[i][b]) == 0) {
				*ret = b;
				return 0;
			}
	return -1;
}

/* A whole decimal number in front of *END; -1 when there is none or it does not fit. */
static int
whole(const char *text, char **end, int64_t *ret)
{
	const char *digits = text + (*text == '-' || *text == '+');

	if (*digits < '0' || *digits > '9')
		return -1;
	errno = 0;
	*ret = strtoll(text, end, 10);
	return errno ? -1 : 0;
}

/* "64k" and the like.  -1 when it is none. */
static int
parse_bytes(const char *text, int64_t *ret)
{
	static const char units[] = "kmgt";
	int64_t n, factor = 1;
	const char *unit;
	char *end;

	if (whole(text, &end, &n) < 0 || n < 0)
		return -1;
	if (*end && (unit = strchr(units, *end | 0x20))) {
		factor = INT64_C(1) << (10 * (unit - units + 1));
		end++;
		if (strcasecmp(end, "ib") == 0 || strcasecmp(end, "b") == 0)
			end = strchr(end, '\0');
	}
	if (*end || n > INT64_MAX / factor)
		return -1;
	*ret = n * factor;
	return 0;
}

static int
store_text(const struct option *o, void *at, const char *text, bool hide, struct err *err)
{
	size_t len = strlen(text);
	char *copy;

	if (has_bounds(o) && ((double)len < o->min || (double)len > o->max)) {
		char range[RANGE_BYTES];

		value_range(o, range);
		if (len == 0)
			return err_set(err, REASON_OPTION_INVALID, "%s: may not be empty (%s)", o->key, range);
		return err_set(err, REASON_OPTION_INVALID, "%s: %zu bytes long, allowed is %s", o->key, len, range);
	}
	copy = strdup(text);
	if (!copy)
		return err_set(err, REASON_NO_MEMORY, "%s: no memory", o->key);
	*(char **)at = copy;
	return 0;
}

static int
store_whole(const struct option *o, void *at, const char *text, bool hide, struct err *err)
{
	char *end = NULL;
	int64_t n;

	if (o->type == OPTION_BYTES ? parse_bytes(text, &n) < 0 : whole(text, &end, &n) < 0 || *end)
		return refuse(o, text, hide,
			      o->type == OPTION_BYTES ? "is not a number of bytes (512, 64k, 16M, 1G)"
						      : "is not a whole number",
			      err);
	if (check_bounds(o, (double)n, text, hide, err) < 0)
		return -1;
	*(int64_t *)at = n;
	return 0;
}

static int
store_real(const struct option *o, void *at, const char *text, bool hide, struct err *err)
{
	char *end;
	double x = strtod(text, &end);

	if (end == text || *end || !isfinite(x) || strchr(" \t\n\v\f\r", *text))
		return refuse(o, text, hide, "is not a number", err);
	if (check_bounds(o, x, text, hide, err) < 0)
		return -1;
	*(double *)at = x;
	return 0;
}

static int
store_bool(const struct option *o, void *at, const char *text, bool hide, struct err *err)
{
	return value_bool(text, at) < 0 ? refuse(o, text, hide, "is neither true nor false", err) : 0;
}

static int
store_choice(const struct option *o, void *at, const char *text, bool hide, struct err *err)
{
	const char *choice = o->unit;
	char range[RANGE_BYTES], what[RANGE_BYTES + 8];

	for (int i = 0; *choice; i++) {
		size_t len = strcspn(choice, "|");

		if (strlen(text) == len && strncasecmp(choice, text, len) == 0) {
			*(int *)at = i;
			return 0;
		}
		choice += len + (choice[len] == '|');
	}
	value_range(o, range);
	snprintf(what, sizeof(what), "is not %s", range);
	return refuse(o, text, hide, what, err);
}

int
value_store(const struct option *o, void *target, const char *text, bool hide, struct err *err)
{
	static int (*const stores[])(const struct option *, void *, const char *, bool, struct err *) = {
		[OPTION_TEXT] = store_text,     [OPTION_SECRET] = store_text, [OPTION_BOOL] = store_bool,
		[OPTION_INT] = store_whole,     [OPTION_BYTES] = store_whole, [OPTION_REAL] = store_real,
		[OPTION_CHOICE] = store_choice,
	};

	return stores[o->type](o, field(o, target), text, hide || o->type == OPTION_SECRET, err);
}

void
value_forget(const struct option *o, void *target)
{
	if (o->type == OPTION_TEXT || o->type == OPTION_SECRET)
		*(char **)field(o, target) = NULL;
}

void
value_clear(const struct option *o, void *target)
{
	if (o->type == OPTION_TEXT || o->type == OPTION_SECRET)
		free(*(char **)field(o, target));
	value_forget(o, target);
}

/* The NUMBERth word of "a|b|c". */
static struct span
choice_word(const char *choices, int number)
{
	while (number-- > 0 && *choices) {
		choices += strcspn(choices, "|");
		choices += *choices == '|';
	}
	return (struct span){ choices, strcspn(choices, "|") };
}

int
value_json(const struct option *o, const void *target, struct buffer *out)
{
	const void *at = field(o, target);
	const char *text;

	switch (o->type) {
	case OPTION_BOOL: return buffer_text(out, *(const bool *)at ? "true" : "false");
	case OPTION_INT:
	case OPTION_BYTES: return buffer_printf(out, "%" PRId64, *(const int64_t *)at);
	case OPTION_REAL: return buffer_json_number(out, *(const double *)at);
	case OPTION_CHOICE: return buffer_json_string(out, choice_word(o->unit, *(const int *)at));
	case OPTION_TEXT:
	case OPTION_SECRET: break;
	}
	text = *(char *const *)at ? *(char *const *)at : "";
	return buffer_json_string(out, span_of(o->type == OPTION_SECRET && *text ? HIDDEN : text));
}

/* 16777216 as "16M" for bytes; whole numbers without exponent. */
static void
bound_text(enum option_type type, double bound, char text[48])
{
	static const char units[] = "TGMk";
	double size = 0x1p40;

	for (size_t i = 0; type == OPTION_BYTES && i < 4; i++, size /= 1024)
		if (bound >= size && fmod(bound, size) == 0) {
			snprintf(text, 48, "%.0f%c", bound / size, units[i]);
			return;
		}
	snprintf(text, 48, fabs(bound) < 1e15 && bound == floor(bound) ? "%.0f" : "%.15g", bound);
}

void
value_range(const struct option *o, char text[RANGE_BYTES])
{
	char least[48], most[48];
	size_t used = 0;

	text[0] = '\0';
	if (o->type == OPTION_CHOICE) {
		used = (size_t)snprintf(text, RANGE_BYTES, "one of ");
		for (const char *c = o->unit; *c && used < RANGE_BYTES - 2; c++) {
			text[used++] = *c == '|' ? ',' : *c;
			if (*c == '|')
				text[used++] = ' ';
		}
		text[used] = '\0';
		return;
	}
	if (!has_bounds(o) || o->type == OPTION_BOOL)
		return;
	bound_text(o->type, o->min, least);
	bound_text(o->type, o->max, most);
	if (o->type == OPTION_TEXT || o->type == OPTION_SECRET)
		snprintf(text, RANGE_BYTES, "%s%s%s bytes", o->min > 0 ? least : "at most", o->min > 0 ? ".." : " ",
			 most);
	else
		snprintf(text, RANGE_BYTES, "%s..%s%s%.64s", least, most, o->unit && *o->unit ? " " : "",
			 o->unit ? o->unit : "");
}
