/* loggers.c -- the log level as Connect's REST interface shows it: one logger, "root", whose level can be set. */
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/http/private.h"

static int
print_root(struct site *site, struct buffer *out)
{
	int64_t changed = atomic_load(&site->level_changed_ms);
	const char *name = log_level_name(log_get_level());
	int bad = buffer_text(out, "{\"level\":\"");

	for (; *name; name++)
		bad |= buffer_printf(out, "%c", toupper((unsigned char)*name));
	bad |= buffer_text(out, "\",\"last_modified\":");
	return bad | (changed ? buffer_printf(out, "%" PRId64, changed) : buffer_text(out, "null")) |
	       buffer_text(out, "}");
}

int
loggers_list(struct site *site, const struct request *request, struct reply *reply)
{
	return buffer_text(&reply->body, "{\"root\":") | print_root(site, &reply->body) |
	       buffer_text(&reply->body, "}");
}

static int
unknown_logger(struct reply *reply, struct span name)
{
	return reply_error(reply, 404, "Logger %.*s not found; the only one is root", SPAN_ARG(name));
}

int
loggers_get(struct site *site, const struct request *request, struct reply *reply)
{
	if (!span_equal(request->item, SPAN("root")))
		return unknown_logger(reply, request->item);
	return print_root(site, &reply->body);
}

static void
json_release_cleanup(json_t **json)
{
	json_decref(*json);
}

int
loggers_put(struct site *site, const struct request *request, struct reply *reply)
{
	CLEANUP(json_release)
	json_t *body = NULL;
	enum log_level level;
	const char *name;

	if (!span_equal(request->item, SPAN("root")))
		return unknown_logger(reply, request->item);
	body = json_loadb(request->body.ptr ? request->body.ptr : "", request->body.len, JSON_REJECT_DUPLICATES, NULL);
	name = json_string_value(json_object_get(body, "level"));
	if (!name)
		return reply_error(reply, 400,
				   "the body must be {\"level\":\"...\"} with TRACE, DEBUG, INFO, WARN or ERROR");
	if (log_level_parse(name, &level) < 0)
		return reply_error(reply, 400, "invalid log level '%.40s'; known are TRACE, DEBUG, INFO, WARN, ERROR",
				   name);
	log_set_level(level);
	atomic_store(&site->level_changed_ms, clock_real_us() / US_PER_MS);
	return buffer_text(&reply->body, "[\"root\"]");
}
