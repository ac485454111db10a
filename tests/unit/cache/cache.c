/*
 * cache.c -- the cache against a real redis-server: what it keeps, and what it does when Redis dies, comes back, never
 * answers or cannot be reached.  Nothing is asserted about how long a call takes, but a watchdog ends a call that hangs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <hiredis/hiredis.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/cache/cache.h"
#include "tests/unit/cache/server.h"

#define TIMEOUT_MS 2000
#define SHORT_MS 60
#define WATCHDOG_S 60

struct fixture {
	int port;
	pid_t server;
	struct metrics *metrics;
	struct cache *cache;
	struct arena *arena;
};

static double
meter(struct fixture *f, const char *name)
{
	struct buffer text = BUFFER_INIT(1 << 20);
	char line[80], *at;
	double value = -1;

	assert_int_equal(metrics_expose(f->metrics, &text), 0);
	assert_int_equal(buffer_append(&text, "", 1), 0);
	snprintf(line, sizeof(line), "\nforebay_cache_%s ", name);
	at = strstr(text.ptr, line);
	if (at)
		value = strtod(at + strlen(line), NULL);
	buffer_clear(&text);
	return value;
}

static void
open_cache(struct fixture *f, const char *uri, int64_t timeout_ms)
{
	struct err err = ERR_INIT;

	assert_int_equal(metrics_new(&f->metrics, &err), 0);
	assert_int_equal(cache_new(uri, timeout_ms, f->metrics, &f->cache, &err), 0);
	f->arena = arena_new(1 << 16, 1 << 20);
	assert_non_null(f->arena);
	alarm(WATCHDOG_S);
}

static void
close_cache(struct fixture *f)
{
	alarm(0);
	cache_free(f->cache);
	metrics_free(f->metrics);
	arena_free(f->arena);
	f->cache = NULL;
}

static void
open_served(struct fixture *f, int64_t timeout_ms)
{
	char uri[64];

	f->port = free_port();
	f->server = server_start(f->port, NULL);
	assert_true(f->server > 0);
	snprintf(uri, sizeof(uri), "redis://127.0.0.1:%d/1", f->port);
	open_cache(f, uri, timeout_ms);
}

static void
close_served(struct fixture *f)
{
	close_cache(f);
	server_stop(f->server);
}

static void
keeps_bytes(void **state)
{
	struct fixture f = { 0 };
	struct span key = SPAN("k\0ey"), value = SPAN("\0\r\n$-1\r\n\xff"), found;

	open_served(&f, TIMEOUT_MS);
	assert_null(cache_get(f.cache, key, f.arena).ptr);
	cache_put(f.cache, key, value, 60000);
	found = cache_get(f.cache, key, f.arena);
	assert_true(span_equal(found, value));
	assert_null(cache_get(f.cache, SPAN("k"), f.arena).ptr);
	cache_put(f.cache, key, SPAN("second"), 60000);
	cache_flush(f.cache);
	assert_true(span_equal(cache_get(f.cache, key, f.arena), SPAN("second")));
	assert_true(meter(&f, "hits_total") == 2 && meter(&f, "misses_total") == 2);
	assert_true(meter(&f, "puts_total") == 2 && meter(&f, "errors_total") == 0);
	assert_true(meter(&f, "up") == 1);
	close_served(&f);
}

static void
forgets_in_time(void **state)
{
	struct fixture f = { 0 };
	bool gone = false;

	open_served(&f, TIMEOUT_MS);
	cache_put(f.cache, SPAN("short"), SPAN("x"), 1);
	cache_put(f.cache, SPAN("long"), SPAN("x"), 3600000);
	for (int i = 0; i < 1000 && !gone; i++) {
		clock_sleep_us(2 * US_PER_MS);
		gone = !cache_get(f.cache, SPAN("short"), f.arena).ptr;
	}
	assert_true(gone);
	assert_non_null(cache_get(f.cache, SPAN("long"), f.arena).ptr);
	close_served(&f);
}

static void
pipelines_many_puts(void **state)
{
	enum { MANY = 20000 };
	struct fixture f = { 0 };
	char key[32];

	open_served(&f, TIMEOUT_MS);
	for (int i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		cache_put(f.cache, span_of(key), span_of(key), 60000);
	}
	for (int i = 0; i < MANY; i += 97) {
		snprintf(key, sizeof(key), "key %d", i);
		assert_true(span_equal(cache_get(f.cache, span_of(key), f.arena), span_of(key)));
	}
	assert_true(meter(&f, "errors_total") == 0 && meter(&f, "puts_total") == MANY);
	close_served(&f);
}

static void
bounds_what_it_takes(void **state)
{
	struct fixture f = { 0 };
	char *bytes = calloc(1, CACHE_VALUE_MAX + 1);

	assert_non_null(bytes);
	open_served(&f, 20000);
	cache_put(f.cache, SPAN("most"), (struct span){ bytes, CACHE_VALUE_MAX }, 60000);
	assert_true(cache_get(f.cache, SPAN("most"), f.arena).len == CACHE_VALUE_MAX);
	cache_put(f.cache, SPAN("more"), (struct span){ bytes, CACHE_VALUE_MAX + 1 }, 60000);
	assert_null(cache_get(f.cache, SPAN("more"), f.arena).ptr);
	cache_put(f.cache, SPAN("empty"), SPAN(""), 60000);
	cache_put(f.cache, SPAN("no time"), SPAN("x"), 0);
	assert_null(cache_get(f.cache, SPAN("no time"), f.arena).ptr);
	assert_true(meter(&f, "errors_total") == 1 && meter(&f, "puts_total") == 1);
	close_served(&f);
	free(bytes);
}

/* What others left under our keys: too long, no string. */
static void
survives_strange_values(void **state)
{
	struct fixture f = { 0 };
	redisContext *other;

	open_served(&f, 20000);
	other = redisConnect("127.0.0.1", f.port);
	freeReplyObject(redisCommand(other, "SELECT 1"));
	freeReplyObject(redisCommand(other, "LPUSH list x"));
	freeReplyObject(redisCommand(other, "SETRANGE long %d x", (int)CACHE_VALUE_MAX));
	freeReplyObject(redisCommand(other, "SET fine y"));
	redisFree(other);
	assert_null(cache_get(f.cache, SPAN("list"), f.arena).ptr);
	assert_null(cache_get(f.cache, SPAN("long"), f.arena).ptr);
	assert_true(span_equal(cache_get(f.cache, SPAN("fine"), f.arena), SPAN("y")));
	assert_true(meter(&f, "errors_total") == 2 && meter(&f, "misses_total") == 2 && meter(&f, "up") == 1);
	close_served(&f);
}

static void
outlives_its_server(void **state)
{
	struct fixture f = { 0 };
	struct span found = SPAN_NONE;

	open_served(&f, SHORT_MS);
	cache_put(f.cache, SPAN("k"), SPAN("v"), 60000);
	cache_flush(f.cache);
	server_stop(f.server);
	for (int i = 0; i < 1000; i++) {
		assert_null(cache_get(f.cache, SPAN("k"), f.arena).ptr);
		cache_put(f.cache, SPAN("k"), SPAN("v"), 60000);
		cache_flush(f.cache);
	}
	assert_true(meter(&f, "up") == 0);
	assert_true(meter(&f, "misses_total") == 1000);
	assert_true(meter(&f, "errors_total") >= 1000); /* all but the put that found out were not even tried */
	f.server = server_start(f.port, NULL);
	assert_true(f.server > 0);
	for (int i = 0; i < 2000 && !found.ptr; i++) {
		clock_sleep_us(10 * US_PER_MS);
		cache_put(f.cache, SPAN("k"), SPAN("again"), 60000);
		found = cache_get(f.cache, SPAN("k"), f.arena);
	}
	assert_true(span_equal(found, SPAN("again")));
	assert_true(meter(&f, "up") == 1);
	close_served(&f);
}

static void
logs_in(void **state)
{
	static const struct {
		const char *login;
		bool hit;
	} rows[] = { { ":s3cret@", true }, { "default:s3cret@", true }, { ":wrong@", false }, { "", false } };
	int port = free_port();
	pid_t server = server_start(port, "s3cret");

	assert_true(server > 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture f = { 0 };
		char uri[64];

		snprintf(uri, sizeof(uri), "redis://%s127.0.0.1:%d/2", rows[i].login, port);
		print_message("%s\n", uri);
		open_cache(&f, uri, TIMEOUT_MS);
		cache_put(f.cache, SPAN("k"), SPAN("v"), 60000);
		assert_int_equal(cache_get(f.cache, SPAN("k"), f.arena).ptr != NULL, rows[i].hit);
		assert_int_equal(meter(&f, "errors_total") == 0, rows[i].hit);
		close_cache(&f);
	}
	server_stop(server);
}

/* A listener that nobody accepts from.  Its backlog is of one connection: the second hangs while connecting. */
static int
listener(int *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 0) == 0 &&
		    getsockname(fd, (struct sockaddr *)&at, &bytes) == 0);
	*port = ntohs(at.sin_port);
	return fd;
}

/* It accepts (the kernel does) and never answers; after the first attempts, nobody can connect any more. */
static void
never_hangs(void **state)
{
	struct fixture f = { 0 };
	char uri[64];
	int port, fd = listener(&port);
	double errors;

	snprintf(uri, sizeof(uri), "redis://127.0.0.1:%d", port);
	open_cache(&f, uri, SHORT_MS);
	assert_null(cache_get(f.cache, SPAN("k"), f.arena).ptr);
	errors = meter(&f, "errors_total");
	assert_true(errors >= 1);
	for (int i = 0; i < 8; i++) {
		clock_sleep_us(50 * US_PER_MS << (i < 4 ? i : 4)); /* the pauses grow */
		cache_put(f.cache, SPAN("k"), SPAN("v"), 60000);
		assert_null(cache_get(f.cache, SPAN("k"), f.arena).ptr);
		cache_flush(f.cache);
	}
	assert_true(meter(&f, "errors_total") > errors);
	assert_true(meter(&f, "up") == 0 && meter(&f, "misses_total") == 9);
	/* While it pauses no call does anything: a million of them are nothing. */
	for (int i = 0; i < 1000000; i++)
		cache_put(f.cache, SPAN("k"), SPAN("v"), 60000);
	close_cache(&f);
	close(fd);
}

/* Puts into a connection that takes no more: the socket's buffers fill, then the time-out ends it. */
static void
never_hangs_on_puts(void **state)
{
	struct fixture f = { 0 };
	static char bytes[1 << 16];
	char uri[64];
	int port, fd = listener(&port);

	snprintf(uri, sizeof(uri), "redis://127.0.0.1:%d", port);
	open_cache(&f, uri, SHORT_MS);
	for (int i = 0; i < 3000; i++)
		cache_put(f.cache, SPAN("k"), (struct span){ bytes, sizeof(bytes) }, 60000);
	assert_true(meter(&f, "errors_total") > 0 && meter(&f, "up") == 0);
	close_cache(&f);
	close(fd);
}

static void
does_without(void **state)
{
	struct fixture f = { 0 };
	struct cache *c = NULL;
	struct err err = ERR_INIT;

	open_cache(&f, "", SHORT_MS);
	cache_put(f.cache, SPAN("k"), SPAN("v"), 60000);
	assert_null(cache_get(f.cache, SPAN("k"), f.arena).ptr);
	cache_flush(f.cache);
	assert_true(meter(&f, "misses_total") == 1 && meter(&f, "errors_total") == 0);
	close_cache(&f);
	assert_int_equal(cache_new("http://x", 10, NULL, &c, &err), -1);
	assert_int_equal(cache_new("redis://x", 0, NULL, &c, &err), -1);
	assert_null(c);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
}

/* Absent before the first lookup; then what the caller counts, whatever Redis says. */
static void
tells_the_ratio(void **state)
{
	struct fixture f = { 0 };

	open_served(&f, TIMEOUT_MS);
	assert_null(cache_get(f.cache, SPAN("k"), f.arena).ptr);
	assert_true(meter(&f, "hit_ratio") == -1 && isnan(cache_ratio(f.cache)));
	assert_true(meter(&f, "get_seconds_count") == 1);
	cache_count(f.cache, 0, 0);
	assert_true(meter(&f, "hit_ratio") == -1);
	cache_count(f.cache, 3, 1);
	assert_true(meter(&f, "hit_ratio") == 0.75);
	server_stop(f.server);
	for (int i = 0; i < 96; i++)
		cache_count(f.cache, 1, 0);
	assert_true(meter(&f, "hit_ratio") == 0.99 && cache_ratio(f.cache) == 0.99);
	cache_set_window(f.cache, 100);
	cache_count(f.cache, 0, 1);
	clock_sleep_us(200 * US_PER_MS);
	cache_count(f.cache, 1, 0);
	assert_true(meter(&f, "hit_ratio") == 1);
	f.server = server_start(f.port, NULL);
	assert_true(f.server > 0);
	close_served(&f);
}

static void
names_forecasts(void **state)
{
	char a[CACHE_KEY_BYTES], b[CACHE_KEY_BYTES];

	cache_forecast_key(SPAN("pump-1"), SPAN("pressure"), a);
	assert_int_equal(strlen(a), CACHE_KEY_BYTES - 1);
	assert_memory_equal(a, "forebay:forecast:", 17);
	assert_int_equal(strspn(a + 17, "0123456789abcdef"), 32);
	cache_forecast_key(SPAN("pump-1"), SPAN("pressure"), b);
	assert_string_equal(a, b);
	cache_forecast_key(SPAN("pump-1p"), SPAN("ressure"), b);
	assert_string_not_equal(a, b);
	cache_forecast_key(SPAN("pressure"), SPAN("pump-1"), b);
	assert_string_not_equal(a, b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_bytes),
		cmocka_unit_test(forgets_in_time),
		cmocka_unit_test(pipelines_many_puts),
		cmocka_unit_test(bounds_what_it_takes),
		cmocka_unit_test(survives_strange_values),
		cmocka_unit_test(outlives_its_server),
		cmocka_unit_test(logs_in),
		cmocka_unit_test(never_hangs),
		cmocka_unit_test(never_hangs_on_puts),
		cmocka_unit_test(does_without),
		cmocka_unit_test(tells_the_ratio),
		cmocka_unit_test(names_forecasts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
