/*
 * client.c -- a handle of libcurl's per request, all in one multi handle, which keeps connections open between them and
 * resolves names on threads of its own.
 */
#include "common/http/client.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buffer.h"

#if LIBCURL_VERSION_NUM < 0x075500
#define ALLOW_HTTP(curl) curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS))
#else
#define ALLOW_HTTP(curl) curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https")
#endif

/* A name that the system looks up for minutes is left to its thread, or whoever ends such a request would wait for it. */
#if LIBCURL_VERSION_NUM < 0x075700
#define LEAVE_LOOKUPS(curl) ((void)(curl))
#else
#define LEAVE_LOOKUPS(curl) curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L)
#endif

struct http_client {
	CURLM *multi;
	char *ca_file; /* NULL: the system's */
	long connect_timeout_ms, request_timeout_ms;
	struct exchange *first; /* all under way */
};

/* A request under way. */
struct exchange {
	struct exchange *next;
	CURL *curl;
	struct curl_slist *head;
	char *body;
	void *tag;
	struct buffer answer;
	char error[CURL_ERROR_SIZE];
};

static void
exchange_free(struct exchange *x)
{
	if (!x)
		return;
	curl_easy_cleanup(x->curl);
	curl_slist_free_all(x->head);
	buffer_clear(&x->answer);
	free(x->body);
	free(x);
}
DEFINE_CLEANUP(struct exchange, exchange_free)

/* libcurl would say so with the first request, long after the start. */
static int
check_authorities(const char *path, struct err *err)
{
	X509_STORE *all;
	bool any;

	if (access(path, R_OK) < 0)
		return err_set(err, REASON_OPTION_INVALID, "%s cannot be read", path);
	if (!(all = X509_STORE_new()))
		return err_set(err, REASON_NO_MEMORY, "HTTP client");
	any = X509_STORE_load_file(all, path) == 1;
	X509_STORE_free(all);
	ERR_clear_error();
	return any ? 0 : err_set(err, REASON_OPTION_INVALID, "%s holds no certificate in PEM form", path);
}

int
http_client_new(const struct http_client_options *options, struct http_client **ret, struct err *err)
{
	CLEANUP(http_client_free)
	struct http_client *c = calloc(1, sizeof(*c));
	bool own = options->ca_file && *options->ca_file;

	if (own && check_authorities(options->ca_file, err) < 0)
		return -1;
	if (!c || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(c->multi = curl_multi_init()) ||
	    (own && !(c->ca_file = strdup(options->ca_file))))
		return err_set(err, REASON_NO_MEMORY, "HTTP client");
	c->connect_timeout_ms = (long)options->connect_timeout_ms;
	c->request_timeout_ms = (long)options->request_timeout_ms;
	*ret = TAKE(c);
	return 0;
}

void
http_client_free(struct http_client *c)
{
	if (!c)
		return;
	while (c->first) {
		struct exchange *x = c->first;

		c->first = x->next;
		curl_multi_remove_handle(c->multi, x->curl);
		exchange_free(x);
	}
	curl_multi_cleanup(c->multi);
	free(c->ca_file);
	free(c);
}

/* ---- the request ---- */

/* Keeps the beginning, takes all. */
static size_t
receive(char *bytes, size_t size, size_t n, void *self)
{
	struct buffer *answer = self;
	size_t len = size * n, room = HTTP_ANSWER_BYTES - answer->len;

	buffer_append(answer, bytes, len < room ? len : room); /* memory is out: it is only for people */
	return len;
}

static int
add_line(struct curl_slist **head, const char *name, const char *value)
{
	CLEANUP(heap_free)
	char *line = NULL;
	struct curl_slist *grown = NULL;

	/* "Name:" alone takes a line away that libcurl would send. */
	if (asprintf(&line, "%s:%s%s", name, *value ? " " : "", value) >= 0)
		grown = curl_slist_append(*head, line);
	else
		line = NULL;
	if (!grown)
		return -1;
	*head = grown;
	return 0;
}

static int
set_head(struct exchange *x, const struct http_request *request)
{
	if (add_line(&x->head, "Expect", "") < 0)
		return -1;
	for (size_t i = 0; i < request->n_headers; i++)
		if (add_line(&x->head, request->headers[i].name, request->headers[i].value) < 0)
			return -1;
	return curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, x->head) == CURLE_OK ? 0 : -1;
}

static int
set_up(const struct http_client *c, struct exchange *x, const struct http_request *request)
{
	CURL *curl = x->curl;
	int bad = curl_easy_setopt(curl, CURLOPT_URL, request->url) != CURLE_OK || ALLOW_HTTP(curl) != CURLE_OK ||
		  (c->ca_file && curl_easy_setopt(curl, CURLOPT_CAINFO, c->ca_file) != CURLE_OK) ||
		  curl_easy_setopt(curl, CURLOPT_USERAGENT, "forebay/" FOREBAY_VERSION) != CURLE_OK;

	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, x->body); /* not copied: x->body lives as long */
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, c->connect_timeout_ms);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, c->request_timeout_ms);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	LEAVE_LOOKUPS(curl);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, x->error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &x->answer);
	curl_easy_setopt(curl, CURLOPT_PRIVATE, x);
	return bad ? -1 : set_head(x, request);
}

int
http_client_start(struct http_client *c, const struct http_request *request, void *tag, struct err *err)
{
	CLEANUP(exchange_free)
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x || !(x->curl = curl_easy_init()) || !(x->body = malloc(request->body.len + 1)))
		return err_set(err, REASON_NO_MEMORY, "an HTTP request");
	if (request->body.len)
		memcpy(x->body, request->body.ptr, request->body.len);
	x->tag = tag;
	if (set_up(c, x, request) < 0 || curl_multi_add_handle(c->multi, x->curl) != CURLM_OK)
		return err_set(err, REASON_NO_MEMORY, "an HTTP request");
	x->next = c->first;
	c->first = TAKE(x);
	return 0;
}

/* ---- what becomes of it ---- */

void
http_client_run(struct http_client *c, int timeout_ms)
{
	int running = 0, left = 0;

	curl_multi_perform(c->multi, &running);
	for (const struct exchange *x = c->first; x; x = x->next)
		left++;
	if (left == running) /* else something has ended already */
		curl_multi_poll(c->multi, NULL, 0, timeout_ms, NULL);
	curl_multi_perform(c->multi, &running);
}

void
http_client_wake(struct http_client *c)
{
	curl_multi_wakeup(c->multi);
}

/* One printable line: bytes that are none of UTF-8's and control characters become spaces. */
static void
put_line(char *to, size_t size, struct span text)
{
	size_t len = 0, n;

	for (size_t i = 0; i < text.len; i += n) {
		n = utf8_sequence(text.ptr + i, text.len - i);
		if (len + (n ? n : 1) >= size)
			break;
		if (n == 0 || (unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f) {
			if (len > 0 && to[len - 1] != ' ')
				to[len++] = ' ';
			n = n ? n : 1;
		} else {
			memcpy(to + len, text.ptr + i, n);
			len += n;
		}
	}
	while (len > 0 && to[len - 1] == ' ')
		len--;
	to[len] = '\0';
}

/* URL without what may be a secret.  libcurl makes a relative one whole by that of the request, with its user and password. */
static void
put_place(char *to, size_t size, const char *url)
{
	static const CURLUPart secrets[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT };
	CURLU *parts = curl_url();
	bool well = parts && curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
	char *text = NULL;

	for (size_t i = 0; well && i < ARRAY_LEN(secrets); i++)
		well = curl_url_set(parts, secrets[i], NULL, 0) == CURLUE_OK;
	if (well && curl_url_get(parts, CURLUPART_URL, &text, 0) == CURLUE_OK)
		put_line(to, size, span_of(text));
	curl_free(text);
	curl_url_cleanup(parts);
}

static void
put_answer(const struct exchange *x, CURLcode result, struct http_answer *answer)
{
	const char *error = x->error[0] ? x->error : curl_easy_strerror(result);
	const char *location = NULL;
	curl_off_t pause = 0;
	long status = 0;

	*answer = (struct http_answer){ .tag = x->tag, .retry_after_ms = -1 };
	if (result != CURLE_OK) { /* an answer that breaks off is none */
		put_line(answer->text, sizeof(answer->text), span_of(error));
		return;
	}
	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	answer->status = (int)status;
	put_line(answer->text, sizeof(answer->text), buffer_span(&x->answer));
	if (curl_easy_getinfo(x->curl, CURLINFO_RETRY_AFTER, &pause) == CURLE_OK && pause > 0)
		answer->retry_after_ms = pause < INT64_MAX / 1000 ? (int64_t)pause * 1000 : INT64_MAX;
	if (curl_easy_getinfo(x->curl, CURLINFO_REDIRECT_URL, &location) == CURLE_OK && location)
		put_place(answer->location, sizeof(answer->location), location);
}

int
http_client_next(struct http_client *c, struct http_answer *answer)
{
	struct exchange *x = NULL, **at = &c->first;
	CURLMsg *message;
	CURLcode result;
	int left;

	do
		message = curl_multi_info_read(c->multi, &left);
	while (message && message->msg != CURLMSG_DONE);
	if (!message)
		return 0;
	result = message->data.result; /* the message is gone with its handle */
	curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&x);
	put_answer(x, result, answer);
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	curl_multi_remove_handle(c->multi, x->curl);
	exchange_free(x);
	return 1;
}

/* ---- URLs ---- */

static char *
part_of(CURLU *url, CURLUPart part, unsigned flags)
{
	char *text = NULL, *copy;

	if (curl_url_get(url, part, &text, flags) != CURLUE_OK)
		return NULL;
	copy = strdup(text);
	curl_free(text);
	return copy;
}

int
http_url_check(const char *url, char **place, struct err *err)
{
	CURLU *parts = curl_url();
	bool well = parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK;
	CLEANUP(heap_free)
	char *scheme = well ? part_of(parts, CURLUPART_SCHEME, 0) : NULL;
	CLEANUP(heap_free)
	char *host = well ? part_of(parts, CURLUPART_HOST, 0) : NULL;
	CLEANUP(heap_free)
	char *port = well ? part_of(parts, CURLUPART_PORT, CURLU_DEFAULT_PORT) : NULL;
	CLEANUP(heap_free)
	char *path = well ? part_of(parts, CURLUPART_PATH, 0) : NULL;

	curl_url_cleanup(parts);
	if (!scheme || !host || !port || !path || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		return err_set(err, REASON_OPTION_INVALID, "not an http:// or https:// URL");
	for (size_t n = strlen(path); n > 0 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	if (asprintf(place, "%s:%s%s", host, port, path) < 0)
		return err_set(err, REASON_NO_MEMORY, "a URL");
	return 0;
}

char *
http_escape(struct span text)
{
	char *escaped = text.len ? curl_easy_escape(NULL, text.ptr, (int)text.len) : NULL;
	char *copy = text.len ? NULL : strdup("");

	if (escaped)
		copy = strdup(escaped);
	curl_free(escaped);
	return copy;
}
