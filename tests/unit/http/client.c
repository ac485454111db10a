/* Requests against a server that says, to the byte, what a test wants; or nothing. */
#include "common/http/client.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Length: "

/* What is said to a POST of "/<index>"; NULL: nothing, and the connection stays. */
static const struct row {
	const char *name, *says;
	int status;
	int64_t retry_after_ms;
	const char *text, *location;
} rows[] = {
	{ "an answer", OK_HEAD "3\r\n\r\nyes", 200, -1, "yes", "" },
	{ "none at all", OK_HEAD "0\r\n\r\n", 200, -1, "", "" },
	{ "not quite printable", OK_HEAD "10\r\n\r\n\r\n a\x01\xff \xc3\xa4\t\n", 200, -1, "a \xc3\xa4", "" },
	{ "a redirect",
	  "HTTP/1.1 302 Found\r\nLocation: https://else.where/x?token=secret\r\nContent-Length: 0\r\n\r\n", 302, -1, "",
	  "https://else.where/x" },
	{ "a redirect to itself", "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", 302, -1, "",
	  "http://127.0.0.1/login" },
	{ "a redirect with a password",
	  "HTTP/1.1 302 Found\r\nLocation: http://u:p@else.where:81/x#y\r\nContent-Length: 0\r\n\r\n", 302, -1, "",
	  "http://else.where:81/x" },
	{ "throttled", "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nslow", 429, 7000, "slow", "" },
	{ "no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", 0, -1, "HTTP/0.9", "" },
	{ "a body that breaks off", OK_HEAD "100\r\n\r\nhalf", 0, -1, "", "" },
	{ "silence", NULL, 0, -1, "timed out", "" },
};

static struct {
	int listener, port;
	pthread_t thread;
	char request[65536]; /* the last one */
} server;

/* Reads the head and as much body as it announces. */
static void
hear(int fd)
{
	size_t len = 0, body = 0;
	char *end = NULL, *announced;
	ssize_t n;

	while (len < sizeof(server.request) - 1 && (!end || len < (size_t)(end + 4 - server.request) + body) &&
	       (n = read(fd, server.request + len, sizeof(server.request) - 1 - len)) > 0) {
		len += (size_t)n;
		server.request[len] = '\0';
		end = strstr(server.request, "\r\n\r\n");
		announced = strstr(server.request, "Content-Length: ");
		if (end && announced)
			sscanf(announced, "Content-Length: %zu", &body);
	}
}

static void *
serve(void *unused)
{
	size_t which;
	int fd;

	(void)unused;
	while ((fd = accept(server.listener, NULL, NULL)) >= 0) {
		hear(fd);
		if (sscanf(server.request, "POST /%zu", &which) == 1 && which < ARRAY_LEN(rows) && !rows[which].says)
			continue; /* the descriptor goes with the program */
		if (which < ARRAY_LEN(rows) && write(fd, rows[which].says, strlen(rows[which].says)) < 0)
			perror("write");
		close(fd);
	}
	return NULL;
}

static int
server_start(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);

	(void)state;
	server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server.listener < 0 || bind(server.listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(server.listener, 16) < 0 || getsockname(server.listener, (struct sockaddr *)&at, &len) < 0)
		return -1;
	server.port = ntohs(at.sin_port);
	return pthread_create(&server.thread, NULL, serve, NULL);
}

static int
server_stop(void **state)
{
	(void)state;
	shutdown(server.listener, SHUT_RDWR);
	return pthread_join(server.thread, NULL) | close(server.listener);
}

static struct http_client *
new_client(int64_t timeout_ms)
{
	struct http_client *c = NULL;
	struct err err = ERR_INIT;

	if (http_client_new(&(struct http_client_options){ 5000, timeout_ms, "" }, &c, &err) < 0)
		fail_msg("%s", err.text);
	return c;
}

static void
start(struct http_client *c, size_t which, void *tag)
{
	const struct http_header headers[] = { { "Content-Type", "application/json" }, { "X-Mine", "a b" } };
	char url[64];
	const struct http_request request = { url, headers, ARRAY_LEN(headers), SPAN("{\"a\":1}") };
	struct err err = ERR_INIT;

	snprintf(url, sizeof(url), "http://u:p@127.0.0.1:%d/%zu", server.port, which);
	if (http_client_start(c, &request, tag, &err) < 0)
		fail_msg("%s", err.text);
}

static void
await(struct http_client *c, struct http_answer *answer)
{
	int64_t until = clock_monotonic_us() + 60 * US_PER_SECOND;

	while (!http_client_next(c, answer)) {
		assert_true(clock_monotonic_us() < until);
		http_client_run(c, 1000);
	}
}

static void
answers(void **state)
{
	const struct row *row = *state;
	CLEANUP(http_client_free)
	struct http_client *c = new_client(row->says ? 30000 : 200);
	struct http_answer answer;
	char ports[16], *port;

	snprintf(ports, sizeof(ports), ":%d", server.port); /* a free one: not in the table */
	start(c, (size_t)(row - rows), &server);
	await(c, &answer);
	assert_ptr_equal(answer.tag, &server);
	assert_int_equal(answer.status, row->status);
	assert_int_equal(answer.retry_after_ms, row->retry_after_ms);
	if (row->status)
		assert_string_equal(answer.text, row->text);
	else if (!strstr(answer.text, row->text) || !answer.text[0])
		fail_msg("\"%s\" does not say \"%s\"", answer.text, row->text);
	if ((port = strstr(answer.location, ports)))
		memmove(port, port + strlen(ports), strlen(port + strlen(ports)) + 1);
	assert_string_equal(answer.location, row->location);
	assert_int_equal(http_client_next(c, &answer), 0);
}

static void
says_what_it_was_given(void **state)
{
	CLEANUP(http_client_free)
	struct http_client *c = new_client(30000);
	struct http_answer answer;

	(void)state;
	start(c, 0, NULL);
	await(c, &answer);
	assert_non_null(strstr(server.request, "POST /0 HTTP/1.1\r\n"));
	assert_non_null(strstr(server.request, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(server.request, "X-Mine: a b\r\n"));
	assert_non_null(strstr(server.request, "User-Agent: forebay/"));
	assert_non_null(strstr(server.request, "Authorization: Basic dTpw\r\n"));
	assert_null(strstr(server.request, "Expect"));
	assert_non_null(strstr(server.request, "\r\n\r\n{\"a\":1}"));
}

/* One that hangs keeps nobody waiting. */
static void
goes_on_beside_silence(void **state)
{
	CLEANUP(http_client_free)
	struct http_client *c = new_client(600000);
	struct http_answer answer;
	int silent, asked;

	(void)state;
	for (int i = 0; i < 5; i++)
		start(c, ARRAY_LEN(rows) - 1, &silent);
	for (int i = 0; i < 5; i++) {
		start(c, 0, &asked);
		await(c, &answer);
		assert_ptr_equal(answer.tag, &asked);
		assert_int_equal(answer.status, 200);
	}
}

/* Stands before the C library's for libcurl, too: a name server that does not answer. */
static _Atomic bool silent, looked_up;

int
getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;

	if (strcmp(host, "silent.example") != 0) {
		*(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
		return next(host, service, hints, ret);
	}
	while (atomic_load(&silent))
		clock_sleep_us(10 * US_PER_MS);
	atomic_store(&looked_up, true);
	return EAI_AGAIN;
}

/* Else this test never ends: the name is looked up until the request has been given up. */
static void
gives_up_a_name(void **state)
{
	CLEANUP(http_client_free)
	struct http_client *c = new_client(200);
	struct err err = ERR_INIT;
	struct http_answer answer;

	(void)state;
	atomic_store(&silent, true);
	http_client_start(c, &(struct http_request){ "http://silent.example/", NULL, 0, SPAN("") }, NULL, &err);
	await(c, &answer);
	assert_int_equal(answer.status, 0);
	assert_non_null(strstr(answer.text, "timed out"));
	assert_false(atomic_load(&looked_up));
	atomic_store(&silent, false);
	while (!atomic_load(&looked_up))
		clock_sleep_us(US_PER_MS);
}

static void
refuses_what_is_nobodys(void **state)
{
	CLEANUP(http_client_free)
	struct http_client *c = NULL;
	struct err err = ERR_INIT;
	struct http_answer answer;

	(void)state;
	assert_int_equal(http_client_new(&(struct http_client_options){ 1, 1, "/no/such/file" }, &c, &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
	c = new_client(30000);
	http_client_start(c, &(struct http_request){ "http://127.0.0.1:1/", NULL, 0, SPAN("") }, NULL, &err);
	await(c, &answer);
	assert_int_equal(answer.status, 0);
	assert_non_null(strstr(answer.text, "127.0.0.1"));
}

static void *
wake(void *client)
{
	http_client_wake(client);
	return NULL;
}

static void
wakes(void **state)
{
	CLEANUP(http_client_free)
	struct http_client *c = new_client(30000);
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, wake, c);
	http_client_run(c, 600000); /* or the test never ends */
	pthread_join(thread, NULL);
}

static const struct url {
	const char *url, *place; /* NULL: refused */
} urls[] = {
	{ "http://h", "h:80" },
	{ "https://u:p@h/a/b/?c=d", "h:443/a/b" },
	{ "http://h:8080//", "h:8080" },
	{ "ftp://h/", NULL },
	{ "file:///etc/passwd", NULL },
	{ "h:80", NULL },
	{ "", NULL },
	{ "http://", NULL },
	{ "http://h h/", NULL },
};

static void
checks_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		CLEANUP(heap_free)
		char *place = NULL;
		struct err err = ERR_INIT;
		int result = http_url_check(urls[i].url, &place, &err);

		assert_int_equal(result, urls[i].place ? 0 : -1);
		if (urls[i].place)
			assert_string_equal(place, urls[i].place);
		else
			assert_int_equal(err.reason, REASON_OPTION_INVALID);
	}
}

static void
escapes(void **state)
{
	CLEANUP(heap_free)
	char *some = http_escape(SPAN("a/b \xc3\xa4&"));
	CLEANUP(heap_free)
	char *none = http_escape(SPAN(""));

	(void)state;
	assert_string_equal(some, "a%2Fb%20%C3%A4%26");
	assert_string_equal(none, "");
}

/* Whom to trust is looked at before the first request. */
static void
needs_authorities(void **state)
{
	static const struct {
		const char *holds; /* NULL: there is no such file */
		const char *says;
	} files[] = {
		{ NULL, "cannot be read" },
		{ "", "no certificate" },
		{ "authorities\n", "no certificate" },
		{ "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n", "no certificate" },
	};
	char path[] = "/tmp/forebay-authorities-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = ARRAY_LEN(files); i-- > 0;) {
		struct http_client *c = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(files[i].holds ? ftruncate(fd, 0) : unlink(path), 0);
		if (files[i].holds)
			assert_int_equal(pwrite(fd, files[i].holds, strlen(files[i].holds), 0), strlen(files[i].holds));
		assert_int_equal(http_client_new(&(struct http_client_options){ 5000, 5000, path }, &c, &err), -1);
		assert_int_equal(err.reason, REASON_OPTION_INVALID);
		assert_non_null(strstr(err.text, path));
		assert_non_null(strstr(err.text, files[i].says));
	}
	close(fd);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 8] = {
		cmocka_unit_test(says_what_it_was_given),
		cmocka_unit_test(goes_on_beside_silence),
		cmocka_unit_test(gives_up_a_name),
		cmocka_unit_test(refuses_what_is_nobodys),
		cmocka_unit_test(wakes),
		cmocka_unit_test(checks_urls),
		cmocka_unit_test(escapes),
		cmocka_unit_test(needs_authorities),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[8 + i] = (struct CMUnitTest){ .name = rows[i].name,
						    .test_func = answers,
						    .initial_state = (void *)&rows[i] };
	return _cmocka_run_group_tests("client", tests, ARRAY_LEN(tests), server_start, server_stop);
}
