/* utterance.c -- see utterance.h.  Forms of time, bad values and malformed messages are tables. */
#include "cli/utterance.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/random.h"

#define STREAM (UINT64_C(3) << 60)

enum draw { DRAW_TIME, DRAW_BAD, DRAW_KIND };

static size_t
choose(const struct utterance *u, enum draw what, int64_t at, size_t n)
{
	return random_u64(u->seed, STREAM + (uint64_t)u->number * 4 + (uint64_t)what, (uint64_t)at) % n;
}

/* ---- times ---- */

static int
epoch_ms(int64_t us, struct buffer *out)
{
	return buffer_printf(out, "%" PRId64, us / US_PER_MS);
}

/* Seconds with as many decimals as there are. */
static int
epoch_s(int64_t us, struct buffer *out)
{
	if (us % US_PER_SECOND == 0)
		return buffer_printf(out, "%" PRId64, us / US_PER_SECOND);
	return buffer_printf(out, "%" PRId64 ".%06" PRId64, us / US_PER_SECOND, us % US_PER_SECOND);
}

static int
epoch_us(int64_t us, struct buffer *out)
{
	return buffer_printf(out, "%" PRId64, us);
}

static int
epoch_ms_text(int64_t us, struct buffer *out)
{
	return buffer_printf(out, "\"%" PRId64 "\"", us / US_PER_MS);
}

static int
iso_utc(int64_t us, struct buffer *out)
{
	char text[CLOCK_TEXT_BYTES];

	clock_iso8601(us, text);
	return buffer_printf(out, "\"%s\"", text);
}

/* Local time two hours east, to the millisecond. */
static int
iso_east(int64_t us, struct buffer *out)
{
	char text[CLOCK_TEXT_BYTES];

	clock_iso8601(us + 7200 * US_PER_SECOND, text);
	return buffer_printf(out, "\"%.23s+02:00\"", text);
}

/* A blank instead of the T, and no zone: UTC. */
static int
iso_plain(int64_t us, struct buffer *out)
{
	char text[CLOCK_TEXT_BYTES];

	clock_iso8601(us, text);
	return buffer_printf(out, "\"%.10s %.12s\"", text, text + 11);
}

/* Steps are whole milliseconds, so all of these are exact. */
static int (*const times[])(int64_t us, struct buffer *out) = {
	epoch_ms, epoch_s, epoch_us, epoch_ms_text, iso_utc, iso_east, iso_plain,
};

static int
write_time(const struct utterance *u, struct buffer *out)
{
	return times[choose(u, DRAW_TIME, 0, ARRAY_LEN(times))](u->time_us, out);
}

/* ---- values ---- */

static const char *const bad_values[] = { "null", "\"n/a\"", "\"NaN\"", "\"\"", "\"--.-\"" };

static int
write_value(const struct utterance *u, int metric, struct buffer *out)
{
	if (metric == u->bad)
		return buffer_text(out, bad_values[choose(u, DRAW_BAD, u->step, ARRAY_LEN(bad_values))]);
	return buffer_printf(out, "%.*f", u->template->metrics[metric].decimals, u->values[metric]);
}

/* "metrics":{"flow":41.20,"pressure":6.113} */
static int
write_metrics(const struct utterance *u, struct buffer *out)
{
	int bad = buffer_text(out, "\"metrics\":{");

	for (int m = 0; m < u->n_values; m++)
		bad |= buffer_printf(out, "%s\"%s\":", m ? "," : "", u->template->metrics[m].name) |
		       write_value(u, m, out);
	return bad | buffer_text(out, "}");
}

/* "values":[{"metric":"flow","value":41.20,"unit":"m3/h"}] */
static int
write_values(const struct utterance *u, struct buffer *out)
{
	int bad = buffer_text(out, "\"values\":[");

	for (int m = 0; m < u->n_values; m++)
		bad |=
		    buffer_printf(out, "%s{\"metric\":\"%s\",\"value\":", m ? "," : "", u->template->metrics[m].name) |
		    write_value(u, m, out) | buffer_printf(out, ",\"unit\":\"%s\"}", u->template->metrics[m].unit);
	return bad | buffer_text(out, "]");
}

static int
write_body(const struct utterance *u, struct buffer *out)
{
	if (u->template->form == FORM_VALUES)
		return write_values(u, out);
	return write_metrics(u, out);
}

static int
open_message(const struct utterance *u, struct buffer *out)
{
	return buffer_text(out, "{\"device\":") | buffer_json_string(out, u->device);
}

int
utter(const struct utterance *u, struct buffer *out, struct err *err)
{
	int bad = open_message(u, out) | buffer_text(out, ",\"time\":") | write_time(u, out) | buffer_text(out, ",") |
		  write_body(u, out);

	if (u->template->form == FORM_METRICS_AND_MORE) /* what no path map asks for */
		bad |= buffer_printf(out, ",\"firmware\":\"2.%lld.1\",\"radio\":{\"rssi\":-%lld,\"hops\":[1,2]}",
				     (long long)(u->number % 5), (long long)(60 + u->step % 30));
	bad |= buffer_text(out, "}");
	return bad ? err_set(err, REASON_NO_MEMORY, "message of a simulated device") : 0;
}

/* ---- what nobody can read ---- */

static int
cut_short(const struct utterance *u, struct buffer *out)
{
	return open_message(u, out) | buffer_text(out, ",\"time\":") | write_time(u, out) |
	       buffer_text(out, ",\"metrics\":{\"te");
}

static int
no_json(const struct utterance *u, struct buffer *out)
{
	return buffer_printf(out, "%.*s OK %lld", SPAN_ARG(u->device), (long long)u->step);
}

static int
no_utf8(const struct utterance *u, struct buffer *out)
{
	return open_message(u, out) | buffer_text(out, ",\"place\":\"K\xfchlraum\",\"time\":") | write_time(u, out) |
	       buffer_text(out, ",") | write_body(u, out) | buffer_text(out, "}");
}

static int
no_time(const struct utterance *u, struct buffer *out)
{
	return open_message(u, out) | buffer_text(out, ",") | write_body(u, out) | buffer_text(out, "}");
}

static int
odd_time(const struct utterance *u, struct buffer *out)
{
	return open_message(u, out) | buffer_text(out, ",\"time\":\"noon\",") | write_body(u, out) |
	       buffer_text(out, "}");
}

static int
unset_clock(const struct utterance *u, struct buffer *out)
{
	return open_message(u, out) |
	       buffer_printf(out, ",\"time\":\"1980-01-06T00:%02d:%02dZ\",", (int)(u->step / 60 % 60),
			     (int)(u->step % 60)) |
	       write_body(u, out) | buffer_text(out, "}");
}

static int
no_device(const struct utterance *u, struct buffer *out)
{
	return buffer_text(out, "{\"time\":") | write_time(u, out) | buffer_text(out, ",") | write_body(u, out) |
	       buffer_text(out, "}");
}

static int
no_good_value(const struct utterance *u, struct buffer *out)
{
	return open_message(u, out) | buffer_text(out, ",\"time\":") | write_time(u, out) |
	       buffer_printf(out, ",\"metrics\":{\"%s\":\"error\"}}", u->template->metrics[0].name);
}

static int
nothing(const struct utterance *u, struct buffer *out)
{
	(void)u, (void)out;
	return 0;
}

static const struct malformed {
	int (*write)(const struct utterance *u, struct buffer *out);
	enum err_reason reason;
} malformed[] = {
	{ cut_short, REASON_JSON_SYNTAX },    { no_json, REASON_JSON_SYNTAX },    { no_utf8, REASON_JSON_UTF8 },
	{ no_time, REASON_TIME_MISSING },     { odd_time, REASON_TIME_SYNTAX },   { unset_clock, REASON_TIME_RANGE },
	{ no_device, REASON_DEVICE_MISSING }, { no_good_value, REASON_NO_VALUE }, { nothing, REASON_EMPTY_VALUE },
};

int
utter_malformed(const struct utterance *u, struct buffer *out, enum err_reason *reason, struct err *err)
{
	const struct malformed *m = &malformed[choose(u, DRAW_KIND, u->step, ARRAY_LEN(malformed))];

	*reason = m->reason;
	return m->write(u, out) ? err_set(err, REASON_NO_MEMORY, "message of a simulated device") : 0;
}
