/*
 * keeper.c -- a reader and a writer that meet in a real Redis alone: what readers report is what the writer goes by, and what Redis
 * loses comes back.  Nothing is asserted about how long things take; a watchdog ends what hangs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/cache/keeper.h"
#include "tests/unit/cache/server.h"

#define MANY 100
#define WINDOW_MS 6000
#define WATCHDOG_S 100

struct fixture {
	int port;
	pid_t server;
	redisContext *other; /* somebody who looks on */
	struct metrics *metrics;
	struct cache *reader, *writer;
	struct keeper *keeper;
};

static const struct keeper_options usual = {
	{ .target = 0.94, .ttl_ms = 60000, .ttl_max_ms = 3600000 }, WINDOW_MS, 1 << 20, 1000000
};

static void
connect_other(struct fixture *f)
{
	if (f->other)
		redisFree(f->other);
	f->other = redisConnect("127.0.0.1", f->port);
	assert_true(f->other && !f->other->err);
}

static long long
ask(struct fixture *f, const char *command)
{
	redisReply *reply = redisCommand(f->other, command);
	long long n;

	assert_non_null(reply);
	n = reply->integer;
	freeReplyObject(reply);
	return n;
}

static void
open_keeper(struct fixture *f, const struct keeper_options *opt)
{
	struct err err = ERR_INIT;
	char uri[64];

	f->port = free_port();
	f->server = server_start(f->port, NULL);
	assert_true(f->server > 0);
	connect_other(f);
	snprintf(uri, sizeof(uri), "redis://127.0.0.1:%d", f->port);
	assert_int_equal(metrics_new(&f->metrics, &err), 0);
	assert_int_equal(cache_new(uri, 500, NULL, &f->reader, &err), 0);
	assert_int_equal(cache_new(uri, 500, f->metrics, &f->writer, &err), 0);
	cache_set_window(f->reader, WINDOW_MS);
	assert_int_equal(keeper_new(f->writer, opt, f->metrics, &f->keeper, &err), 0);
	alarm(WATCHDOG_S);
}

static void
close_keeper(struct fixture *f)
{
	alarm(0);
	keeper_free(f->keeper);
	cache_free(f->reader);
	cache_free(f->writer);
	metrics_free(f->metrics);
	redisFree(f->other);
	server_stop(f->server);
}

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
put_many(struct fixture *f, const char *value)
{
	for (int i = 0; i < MANY; i++) {
		char key[32];

		snprintf(key, sizeof(key), "entry:%d", i);
		keeper_put(f->keeper, span_of(key), span_of(value), 1000);
	}
	cache_flush(f->writer);
}

/* Work until COMMAND answers WANTED. */
static void
work_until(struct fixture *f, const char *command, long long wanted)
{
	for (;;) {
		keeper_work(f->keeper);
		cache_flush(f->writer);
		if (ask(f, command) == wanted)
			return;
		clock_sleep_us(5 * US_PER_MS);
	}
}

#define DELETE_SOME "DEL entry:3 entry:4 entry:50 entry:99"
#define COUNT "EVAL return(#redis.call('keys','entry:*')) 0"

static void
refills_what_was_lost(void **state)
{
	struct fixture f = { 0 };

	open_keeper(&f, &usual);
	put_many(&f, "v");
	work_until(&f, "EXISTS forebay:generation", 1);
	assert_int_equal(ask(&f, COUNT), MANY);
	ask(&f, "FLUSHALL");
	work_until(&f, COUNT, MANY);
	assert_true(meter(&f, "warmed_total{why=\"lost\"}") >= MANY);
	server_stop(f.server); /* dead, and another in its place */
	for (int i = 0; i < 10; i++)
		keeper_work(f.keeper);
	f.server = server_start(f.port, NULL);
	assert_true(f.server > 0);
	connect_other(&f);
	work_until(&f, COUNT, MANY);
	assert_true(ask(&f, "PTTL entry:7") > 1000);
	close_keeper(&f);
}

/* Between the loss and the refill somebody else puts a newer value. */
static void
never_overwrites(void **state)
{
	struct fixture f = { 0 };
	redisReply *reply;

	open_keeper(&f, &usual);
	put_many(&f, "old");
	work_until(&f, "EXISTS forebay:generation", 1);
	ask(&f, "FLUSHALL");
	ask(&f, "SET entry:5 new");
	work_until(&f, COUNT, MANY);
	reply = redisCommand(f.other, "GET entry:5");
	assert_string_equal(reply->str, "new");
	freeReplyObject(reply);
	close_keeper(&f);
}

static void
refills_at_a_limited_rate(void **state)
{
	struct fixture f = { 0 };
	struct keeper_options slow = usual;
	int64_t begun_us;
	double took_s;

	slow.warm_per_second = 40;
	open_keeper(&f, &slow);
	work_until(&f, "EXISTS forebay:generation", 1);
	put_many(&f, "v");
	ask(&f, "FLUSHALL");
	begun_us = clock_monotonic_us();
	work_until(&f, COUNT, MANY / 2);
	took_s = (double)(clock_monotonic_us() - begun_us) / 1e6;
	assert_true(took_s > 1); /* a limit, not a speed: it cannot be faster however fast the machine is */
	close_keeper(&f);
}

/* Missing and ending are seen to as long as readers miss too often, and only then. */
static void
warms_while_readers_miss(void **state)
{
	struct fixture f = { 0 };

	open_keeper(&f, &usual);
	put_many(&f, "v");
	while (meter(&f, "warmed_total{why=\"lost\"}") < MANY) /* a server without a generation counts as a loss */
		keeper_work(f.keeper);
	work_until(&f, COUNT, MANY);
	assert_int_equal(ask(&f, DELETE_SOME), 4);
	for (int i = 0; i < 300; i++) {
		keeper_work(f.keeper);
		clock_sleep_us(US_PER_MS);
	}
	assert_int_equal(ask(&f, COUNT), MANY - 4);
	assert_true(meter(&f, "readers_hit_ratio") == -1); /* nobody has reported */
	cache_count(f.reader, 50, 50);
	work_until(&f, COUNT, MANY);
	assert_true(meter(&f, "readers_hit_ratio") == 0.5);
	assert_true(meter(&f, "warmed_total{why=\"missing\"}") >= 4);
	assert_true(keeper_ttl_ms(f.keeper) > usual.adapt.ttl_ms);
	close_keeper(&f);
}

/* What readers report ends by itself, whoever is there to see it. */
static void
reports_end(void **state)
{
	static const char counters[] = "return #redis.call('keys', 'forebay:lookups:*')";
	static const char endless[] = "local n = 0; for _, k in ipairs(redis.call('keys', 'forebay:lookups:*')) do "
				      "if redis.call('pttl', k) < 0 then n = n + 1 end end; return n";
	struct fixture f = { 0 };
	redisReply *reply;

	open_keeper(&f, &usual);
	cache_count(f.reader, 3, 4);
	cache_flush(f.reader);
	reply = redisCommand(f.other, "EVAL %s 0", counters);
	assert_int_equal(reply->integer, 2);
	freeReplyObject(reply);
	reply = redisCommand(f.other, "EVAL %s 0", endless);
	assert_int_equal(reply->integer, 0);
	freeReplyObject(reply);
	close_keeper(&f);
}

/* The whole circle: misses make lives longer, hits make them fall back; what ends soon is prolonged meanwhile. */
static void
adapts_to_reports(void **state)
{
	struct fixture f = { 0 };
	struct keeper_options opt = usual;
	int64_t highest;

	opt.adapt.ttl_ms = 3000;
	opt.adapt.ttl_max_ms = 300000;
	open_keeper(&f, &opt);
	put_many(&f, "v");
	assert_true(ask(&f, "PTTL entry:1") <= 3000);
	while (keeper_ttl_ms(f.keeper) < 8000 || meter(&f, "warmed_total{why=\"ending\"}") < MANY) {
		cache_count(f.reader, 10, 90);
		keeper_work(f.keeper);
		clock_sleep_us(20 * US_PER_MS);
	}
	cache_flush(f.writer);
	assert_int_equal(ask(&f, COUNT), MANY);
	highest = keeper_ttl_ms(f.keeper);
	keeper_put(f.keeper, SPAN("entry:1"), SPAN("v"), 1000);
	cache_flush(f.writer);
	assert_true(ask(&f, "PTTL entry:1") > 4000);
	while (keeper_ttl_ms(f.keeper) >= highest) { /* rises on until the misses are out of the window */
		highest = keeper_ttl_ms(f.keeper);
		for (int i = 0; i < 100 && keeper_ttl_ms(f.keeper) == highest; i++) {
			cache_count(f.reader, 100000, 0);
			keeper_work(f.keeper);
			clock_sleep_us(20 * US_PER_MS);
		}
	}
	close_keeper(&f);
}

/* A server that stands still, then dies: every call comes back, and puts are still remembered. */
static void
lives_with_a_bad_server(void **state)
{
	struct fixture f = { 0 };

	open_keeper(&f, &usual);
	work_until(&f, "EXISTS forebay:generation", 1);
	kill(f.server, SIGSTOP);
	for (int i = 0; i < 1000; i++) {
		put_many(&f, "v");
		cache_count(f.reader, 1, 1);
		keeper_work(f.keeper);
	}
	server_stop(f.server);
	for (int i = 0; i < 1000; i++) {
		cache_count(f.reader, 1, 1);
		keeper_work(f.keeper);
	}
	assert_true(cache_ratio(f.reader) == 0.5);
	f.server = server_start(f.port, NULL);
	assert_true(f.server > 0);
	connect_other(&f);
	work_until(&f, COUNT, MANY);
	keeper_forget(f.keeper);
	ask(&f, "FLUSHALL");
	for (int i = 0; i < 100; i++) {
		keeper_work(f.keeper);
		clock_sleep_us(5 * US_PER_MS);
	}
	assert_int_equal(ask(&f, COUNT), 0);
	close_keeper(&f);
}

static void
refuses_and_does_without(void **state)
{
	struct keeper_options bad[5];
	struct keeper *k = NULL;
	struct cache *c = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(cache_new("", 10, NULL, &c, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = usual;
	bad[0].adapt.target = 1;
	bad[1].adapt.ttl_ms = 0;
	bad[2].adapt.ttl_max_ms = bad[2].adapt.ttl_ms - 1;
	bad[3].window_ms = 0;
	bad[4].warm_per_second = 0;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(keeper_new(c, &bad[i], NULL, &k, &err), -1);
		assert_int_equal(err.reason, REASON_OPTION_INVALID);
		if (i == 2)
			assert_string_equal(err.text, "cache.ttl.max.ms: 59999 is less than cache.ttl.ms=60000, from "
						      "which lives are raised to it");
	}
	assert_int_equal(keeper_new(c, &usual, NULL, &k, &err), 0);
	keeper_put(k, SPAN("k"), SPAN("v"), 5);
	keeper_work(k);
	keeper_free(k);
	cache_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refills_what_was_lost),
		cmocka_unit_test(never_overwrites),
		cmocka_unit_test(refills_at_a_limited_rate),
		cmocka_unit_test(warms_while_readers_miss),
		cmocka_unit_test(reports_end),
		cmocka_unit_test(adapts_to_reports),
		cmocka_unit_test(lives_with_a_bad_server),
		cmocka_unit_test(refuses_and_does_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
