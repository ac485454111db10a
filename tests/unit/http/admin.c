/* A server on a free port, asked over real connections: every path, every refusal, many clients at once. */
#include "common/http/admin.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/log.h"

static struct metrics *metrics;
static struct metric_series *asked;
static struct admin *admin;
static struct admin_health health = { true, true, "all \"well\"" };
static atomic_int pauses, resumes;

static void
health_hook(void *ctx, struct admin_health *ret)
{
	metric_add(asked, 1);
	*ret = health;
}

static int
status_hook(void *ctx, struct buffer *out)
{
	return buffer_text(out, "{\"name\":\"w 1\"}");
}

static int
broken_hook(void *ctx, struct buffer *out)
{
	buffer_text(out, "{\"half\":");
	return -1;
}

static void
pause_hook(void *ctx, bool paused)
{
	atomic_fetch_add(paused ? &pauses : &resumes, 1);
}

static const char *
cluster_hook(void *ctx)
{
	return ctx;
}

struct answer {
	long status;
	char type[128], allow[64];
	struct buffer body;
};

static size_t
take_body(char *data, size_t size, size_t n, void *ctx)
{
	return buffer_append(ctx, data, size * n) < 0 ? 0 : size * n;
}

static size_t
take_header(char *data, size_t size, size_t n, void *ctx)
{
	struct answer *a = ctx;

	if (size * n > 7 && strncasecmp(data, "Allow: ", 7) == 0)
		snprintf(a->allow, sizeof(a->allow), "%.*s", (int)(size * n) - 9, data + 7);
	return size * n;
}

/* One request.  BODY NULL: none.  Status 0: no answer came.  Asserts nothing: threads use it. */
static void
ask(CURL *curl, const char *method, const char *path, const char *body, struct answer *ret)
{
	char url[512];
	char *type = NULL;

	*ret = (struct answer){ .body = BUFFER_INIT(0) };
	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", admin_port(admin), path);
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &ret->body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, ret);
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	if (body)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &ret->status);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	snprintf(ret->type, sizeof(ret->type), "%s", type ? type : "");
	buffer_append(&ret->body, "", 1);
}

static const char json[] = "application/json";
static const char not_found[] = "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}";
static const char not_allowed[] = "{\"error_code\":405,\"message\":\"HTTP 405 Method Not Allowed\"}";

static const struct row {
	const char *method, *path, *body;
	long status;
	const char *answer, *allow;
} rows[] = {
	{ "GET", "/", NULL, 200,
	  "{\"version\":\"" FOREBAY_VERSION "\",\"commit\":\"unknown\",\"kafka_cluster_id\":\"cl\\\"1\"}" },
	{ "HEAD", "/", NULL, 200, "" },
	{ "GET", "/health", NULL, 200,
	  "{\"status\":\"healthy\",\"live\":true,\"ready\":true,\"message\":\"all \\\"well\\\"\"}" },
	{ "GET", "/health?probe=other", NULL, 400, "{\"error_code\":400,\"message\":\"probe is live or ready\"}" },
	{ "GET", "/connectors", NULL, 200, "[\"w 1\"]" },
	{ "GET", "/connectors/", NULL, 200, "[\"w 1\"]" },
	{ "GET", "/connectors/w%201/status", NULL, 200, "{\"name\":\"w 1\"}" },
	{ "GET", "/connectors/w%201/status/", NULL, 200, "{\"name\":\"w 1\"}" },
	{ "GET", "/connectors/w%201/config", NULL, 404, "{\"error_code\":404,\"message\":\"not offered by w 1\"}" },
	{ "GET", "/connectors/w%201/offsets", NULL, 500,
	  "{\"error_code\":500,\"message\":\"the answer could not be made\"}" },
	{ "GET", "/connectors/other/status", NULL, 404,
	  "{\"error_code\":404,\"message\":\"Connector other not found; this is w 1\"}" },
	{ "PUT", "/connectors/other/pause", NULL, 404,
	  "{\"error_code\":404,\"message\":\"Connector other not found; this is w 1\"}" },
	{ "GET", "/connectors/w%201", NULL, 404, not_found },
	{ "GET", "/connectors//status", NULL, 404, not_found },
	{ "GET", "/connectors/w%201/status/more", NULL, 404, not_found },
	{ "GET", "/nowhere", NULL, 404, not_found },
	{ "POST", "/nowhere", "x", 404, not_found },
	{ "POST", "/metrics", "x", 405, not_allowed, "GET, HEAD" },
	{ "DELETE", "/", NULL, 405, not_allowed, "GET, HEAD" },
	{ "GET", "/connectors/w%201/pause", NULL, 405, not_allowed, "PUT" },
	{ "HEAD", "/connectors/w%201/pause", NULL, 405, "", "PUT" },
	{ "DELETE", "/admin/loggers/root", NULL, 405, not_allowed, "GET, HEAD, PUT" },
	{ "GET", "/admin/loggers/other", NULL, 404,
	  "{\"error_code\":404,\"message\":\"Logger other not found; the only one is root\"}" },
	{ "PUT", "/admin/loggers/other", "{\"level\":\"WARN\"}", 404,
	  "{\"error_code\":404,\"message\":\"Logger other not found; the only one is root\"}" },
	{ "PUT", "/admin/loggers/root", "{\"level\":\"LOUD\"}", 400,
	  "{\"error_code\":400,\"message\":\"invalid log level 'LOUD'; known are TRACE, DEBUG, INFO, WARN, ERROR\"}" },
	{ "PUT", "/admin/loggers/root", "{\"level\":7}", 400,
	  "{\"error_code\":400,\"message\":\"the body must be {\\\"level\\\":\\\"...\\\"} with TRACE, DEBUG, INFO, WARN or ERROR\"}" },
	{ "PUT", "/admin/loggers/root", "DEBUG", 400,
	  "{\"error_code\":400,\"message\":\"the body must be {\\\"level\\\":\\\"...\\\"} with TRACE, DEBUG, INFO, WARN or ERROR\"}" },
	{ "PUT", "/admin/loggers/root", "", 400,
	  "{\"error_code\":400,\"message\":\"the body must be {\\\"level\\\":\\\"...\\\"} with TRACE, DEBUG, INFO, WARN or ERROR\"}" },
};

static void
answers(void **state)
{
	const struct row *row = *state;
	CURL *curl = curl_easy_init();
	struct answer a;

	ask(curl, row->method, row->path, row->body, &a);
	assert_int_equal(a.status, row->status);
	assert_string_equal(a.body.ptr, row->answer);
	assert_string_equal(a.type, json);
	assert_string_equal(a.allow, row->allow ? row->allow : "");
	buffer_clear(&a.body);
	curl_easy_cleanup(curl);
}

static const struct probe {
	bool live, ready;
	long all, live_only, ready_only;
	const char *status;
} probes[] = {
	{ true, true, 200, 200, 200, "\"healthy\"" },
	{ true, false, 503, 200, 503, "\"starting\"" },
	{ false, true, 500, 500, 500, "\"unhealthy\"" },
	{ false, false, 500, 500, 500, "\"unhealthy\"" },
};

static void
live_and_ready(void **state)
{
	CURL *curl = curl_easy_init();
	struct answer a;

	for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
		health.live = probes[i].live;
		health.ready = probes[i].ready;
		ask(curl, "GET", "/health", NULL, &a);
		assert_int_equal(a.status, probes[i].all);
		assert_non_null(strstr(a.body.ptr, probes[i].status));
		buffer_clear(&a.body);
		ask(curl, "GET", "/health?probe=live", NULL, &a);
		assert_int_equal(a.status, probes[i].live_only);
		buffer_clear(&a.body);
		ask(curl, "HEAD", "/health?probe=ready", NULL, &a);
		assert_int_equal(a.status, probes[i].ready_only);
		buffer_clear(&a.body);
	}
	health.live = health.ready = true;
	curl_easy_cleanup(curl);
}

static void
pause_and_resume(void **state)
{
	CURL *curl = curl_easy_init();
	int pauses_before = atomic_load(&pauses), resumes_before = atomic_load(&resumes);
	struct answer a;

	ask(curl, "PUT", "/connectors/w%201/pause", NULL, &a);
	assert_int_equal(a.status, 202);
	assert_string_equal(a.body.ptr, "");
	buffer_clear(&a.body);
	ask(curl, "PUT", "/connectors/w%201/pause", "{}", &a); /* again, with a body that nobody needs */
	assert_int_equal(a.status, 202);
	buffer_clear(&a.body);
	ask(curl, "PUT", "/connectors/w%201/resume", NULL, &a);
	assert_int_equal(a.status, 202);
	buffer_clear(&a.body);
	assert_int_equal(atomic_load(&pauses) - pauses_before, 2);
	assert_int_equal(atomic_load(&resumes) - resumes_before, 1);
	curl_easy_cleanup(curl);
}

static void
the_level_changes(void **state)
{
	CURL *curl = curl_easy_init();
	struct answer a;

	log_set_level(LOG_INFO);
	ask(curl, "GET", "/admin/loggers", NULL, &a);
	assert_string_equal(a.body.ptr, "{\"root\":{\"level\":\"INFO\",\"last_modified\":null}}");
	buffer_clear(&a.body);
	ask(curl, "PUT", "/admin/loggers/root", "{\"level\":\"debug\"}", &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body.ptr, "[\"root\"]");
	buffer_clear(&a.body);
	assert_int_equal(log_get_level(), LOG_DEBUG);
	ask(curl, "GET", "/admin/loggers/root", NULL, &a);
	assert_memory_equal(a.body.ptr, "{\"level\":\"DEBUG\",\"last_modified\":1", 34);
	buffer_clear(&a.body);
	log_set_level(LOG_INFO);
	curl_easy_cleanup(curl);
}

static void
the_metrics(void **state)
{
	CURL *curl = curl_easy_init();
	struct answer a;

	ask(curl, "GET", "/metrics", NULL, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.type, "text/plain; version=0.0.4; charset=utf-8");
	assert_non_null(strstr(a.body.ptr, "# TYPE t_asked_total counter\nt_asked_total "));
	buffer_clear(&a.body);
	curl_easy_cleanup(curl);
}

static void
one_connection_serves_many(void **state)
{
	CURL *curl = curl_easy_init();
	long connections = 0, opened;

	for (int i = 0; i < 20; i++) {
		struct answer a;

		ask(curl, "GET", "/health", NULL, &a);
		curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &opened);
		connections += opened;
		buffer_clear(&a.body);
	}
	assert_int_equal(connections, 1);
	curl_easy_cleanup(curl);
}

/* Send TEXT as it is, read until the server closes or answers; returns what came. */
static size_t
raw(const char *text, size_t len, char *answer, size_t size)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)admin_port(admin)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t n;

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	for (size_t sent = 0; sent < len; sent += (size_t)n) {
		n = send(fd, text + sent, len - sent, MSG_NOSIGNAL);
		if (n < 0)
			break; /* the server has had enough */
	}
	n = recv(fd, answer, size - 1, 0);
	close(fd);
	answer[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void
a_body_too_large(void **state)
{
	static const char announced[] = "PUT /admin/loggers/root HTTP/1.1\r\nHost: x\r\nContent-Length: 4097\r\n\r\n";
	CLEANUP(buffer_clear)
	struct buffer chunked = BUFFER_INIT(0);
	char answer[4096];

	raw(announced, sizeof(announced) - 1, answer, sizeof(answer));
	assert_memory_equal(answer, "HTTP/1.1 413 ", 13);
	assert_non_null(strstr(answer, "{\"error_code\":413,\"message\":\"a request body may have 4096 bytes\"}"));
	buffer_text(&chunked, "PUT /admin/loggers/root HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 100; i++)
		buffer_printf(&chunked, "64\r\n%0100d\r\n", i);
	buffer_text(&chunked, "0\r\n\r\n");
	assert_int_equal(raw(chunked.ptr, chunked.len, answer, sizeof(answer)), 0); /* closed, no answer */
	raw("GET /health HTTP/1.1\r\nHost: x\r\n\r\n", 34, answer, sizeof(answer));
	assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
}

static void
no_http_at_all(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer endless = BUFFER_INIT(0);
	char answer[4096];

	raw("\x16\x03\x01\x02\x00\r\n\r\n", 9, answer, sizeof(answer));
	buffer_text(&endless, "GET /");
	for (int i = 0; i < 100000; i++)
		buffer_text(&endless, "x");
	raw(endless.ptr, endless.len, answer, sizeof(answer));
	assert_int_not_equal(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
	raw("GET /health HTTP/1.0\r\n\r\n", 24, answer, sizeof(answer));
	assert_memory_equal(strchr(answer, ' '), " 200 ", 5);
}

static void *
ask_much(void *arg)
{
	CURL *curl = curl_easy_init();
	intptr_t good = 0;

	for (int i = 0; i < 100; i++) {
		static const char *const paths[] = { "/health", "/metrics", "/connectors/w%201/status", "/nowhere" };
		struct answer a;

		ask(curl, "GET", paths[i % 4], NULL, &a);
		good += a.status == (i % 4 == 3 ? 404 : 200);
		buffer_clear(&a.body);
	}
	curl_easy_cleanup(curl);
	return (void *)good;
}

static void
many_at_once(void **state)
{
	double before = metric_value(asked);
	pthread_t threads[8];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_much, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *good;

		pthread_join(threads[i], &good);
		assert_int_equal((intptr_t)good, 100);
	}
	assert_true(metric_value(asked) == before + 8 * 25);
}

/* More clients than connections: those above the limit wait for one that leaves, none is lost. */
static void
more_than_the_limit(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)admin_port(admin)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int idle[64];
	char answer[1024];

	for (size_t i = 0; i < ARRAY_LEN(idle); i++) {
		idle[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(idle[i], (struct sockaddr *)&at, sizeof(at)), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(idle); i++)
		close(idle[i]);
	raw("GET /health HTTP/1.0\r\n\r\n", 24, answer, sizeof(answer));
	assert_memory_equal(strchr(answer, ' '), " 200 ", 5);
}

static int
start(void **state)
{
	static const struct metric_spec spec = { "t_asked_total", METRIC_COUNTER, "", "times" };
	static char cluster[] = "cl\"1";
	const struct admin_hooks hooks = { .ctx = cluster,
					   .health = health_hook,
					   .status_json = status_hook,
					   .offsets_json = broken_hook,
					   .pause = pause_hook,
					   .cluster_id = cluster_hook };
	struct err err = ERR_INIT;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (metrics_new(&metrics, &err) < 0)
		return -1;
	asked = metrics_series(metrics, &spec, NULL);
	return admin_start("127.0.0.1:0", "w 1", metrics, &hooks, &admin, &err);
}

static int
stop(void **state)
{
	admin_stop(admin);
	metrics_free(metrics);
	curl_global_cleanup();
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest singles[] = {
		cmocka_unit_test(the_level_changes),
		cmocka_unit_test(live_and_ready),
		cmocka_unit_test(pause_and_resume),
		cmocka_unit_test(the_metrics),
		cmocka_unit_test(one_connection_serves_many),
		cmocka_unit_test(a_body_too_large),
		cmocka_unit_test(no_http_at_all),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(more_than_the_limit),
	};
	struct CMUnitTest tests[ARRAY_LEN(singles) + ARRAY_LEN(rows)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(singles); i++)
		tests[n++] = singles[i];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[n++] = (struct CMUnitTest){ .name = rows[i].path,
						  .test_func = answers,
						  .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, start, stop);
}
