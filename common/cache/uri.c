/* uri.c -- redis://[[user]:password@]host[:port][/db], taken apart from left to right. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/cache/private.h"

#define SCHEME "redis://"
#define DEFAULT_PORT 6379
#define DB_MAX 1000000

void
redis_uri_clear(struct redis_uri *u)
{
	free(u->host);
	free(u->user);
	free(u->password);
	*u = (struct redis_uri){ 0 };
}

static int
number(const char *text, size_t len, long max, int *ret)
{
	char digits[16], *end;
	long value;

	if (len == 0 || len >= sizeof(digits) || strspn(text, "0123456789") < len)
		return -1;
	memcpy(digits, text, len);
	digits[len] = '\0';
	value = strtol(digits, &end, 10);
	if (value > max)
		return -1;
	*ret = (int)value;
	return 0;
}

static int
take(const char *from, size_t len, char **ret, struct err *err)
{
	if (len == 0)
		return 0;
	*ret = strndup(from, len);
	return *ret ? 0 : err_set(err, REASON_NO_MEMORY, "cache: no memory for the address");
}

/* host, host:port, [v6], [v6]:port */
static int
parse_address(const char *at, size_t len, struct redis_uri *u, struct err *err)
{
	const char *host = at, *end = at + len, *host_end, *colon;

	if (len && *at == '[') {
		host = at + 1;
		host_end = memchr(host, ']', (size_t)(end - host));
		if (!host_end || (host_end + 1 < end && host_end[1] != ':'))
			return err_set(err, REASON_OPTION_INVALID, "cache: '%.*s' is no address", (int)len, at);
		colon = host_end + 1 < end ? host_end + 1 : NULL;
	} else {
		colon = memchr(at, ':', len);
		host_end = colon ? colon : end;
	}
	if (host_end == host)
		return err_set(err, REASON_OPTION_INVALID, "cache: the address has no host");
	if (colon && (number(colon + 1, (size_t)(end - colon - 1), 65535, &u->port) < 0 || u->port == 0))
		return err_set(err, REASON_OPTION_INVALID, "cache: '%.*s' is no port", (int)(end - colon - 1),
			       colon + 1);
	return take(host, (size_t)(host_end - host), &u->host, err);
}

int
redis_uri_parse(const char *uri, struct redis_uri *ret, struct err *err)
{
	CLEANUP(redis_uri_clear) struct redis_uri u = { .port = DEFAULT_PORT };
	const char *at = uri + strlen(SCHEME), *end, *sign, *colon, *slash;

	if (strncmp(uri, SCHEME, strlen(SCHEME)) != 0)
		return err_set(err, REASON_OPTION_INVALID,
			       "cache: the address does not begin with " SCHEME " (redis://host:6379/0)");
	sign = strrchr(at, '@'); /* the last one: a password may hold others */
	if (sign) {
		colon = memchr(at, ':', (size_t)(sign - at));
		if (!colon)
			return err_set(err, REASON_OPTION_INVALID, "cache: a name before '@' needs a password");
		if (take(at, (size_t)(colon - at), &u.user, err) < 0 ||
		    take(colon + 1, (size_t)(sign - colon - 1), &u.password, err) < 0)
			return -1;
		at = sign + 1;
	}
	slash = strchr(at, '/');
	end = slash ? slash : at + strlen(at);
	if (parse_address(at, (size_t)(end - at), &u, err) < 0)
		return -1;
	if (slash && slash[1] && number(slash + 1, strlen(slash + 1), DB_MAX, &u.db) < 0)
		return err_set(err, REASON_OPTION_INVALID, "cache: '%s' is no database number", slash + 1);
	*ret = u;
	u = (struct redis_uri){ 0 };
	return 0;
}
