/*
 * client.h -- HTTP requests of ours to others, many under way at a time (libcurl's multi interface).
 *
 * One thread owns a client: it starts requests, lets http_client_run() move them, and takes what has ended.  Nothing blocks
 * but http_client_run(), and that no longer than it is told; only http_client_wake() may be called on other threads.
 *
 * Certificates and host names are always verified.  Redirects are never followed: the answer says where they point.  What
 * an answer's body holds beyond HTTP_ANSWER_BYTES is read and thrown away.  User and password of a URL are sent (Basic) and
 * never part of a text.
 */
#ifndef FOREBAY_HTTP_CLIENT_H
#define FOREBAY_HTTP_CLIENT_H

#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/span.h"

#define HTTP_ANSWER_BYTES 4096

struct http_client;

struct http_client_options {
	int64_t connect_timeout_ms; /* name, connection and TLS */
	int64_t request_timeout_ms; /* from the start to the last byte of the answer */
	const char *ca_file;        /* PEM of the authorities that are trusted; "": the system's */
};

/* One line of a request's head. */
struct http_header {
	const char *name, *value;
};

/* A POST.  All of it is copied. */
struct http_request {
	const char *url;
	const struct http_header *headers;
	size_t n_headers;
	struct span body;
};

/* What became of a request. */
struct http_answer {
	void *tag;              /* as given at the start */
	int status;             /* of HTTP; 0: no answer, TEXT says why */
	int64_t retry_after_ms; /* -1: the answer does not ask for a pause */
	char text[300];         /* why there is no answer, or how its body begins; one line, printable */
	char location[200];     /* where a redirect points, without user, password and query; "" */
};

/* -1 on OPTION_INVALID (ca_file cannot be read, or holds no certificate), NO_MEMORY. */
int http_client_new(const struct http_client_options *options, struct http_client **ret, struct err *err);
void http_client_free(struct http_client *c); /* requests under way are broken off */
DEFINE_CLEANUP(struct http_client, http_client_free)

/* Begin.  TAG comes back with the answer.  -1 on NO_MEMORY: nothing is under way then. */
int http_client_start(struct http_client *c, const struct http_request *request, void *tag, struct err *err);

/* Move what is under way; returns when something has ended, after http_client_wake(), or after TIMEOUT_MS. */
void http_client_run(struct http_client *c, int timeout_ms);

/* Take one that has ended: 1, and *ANSWER is filled; 0: none. */
int http_client_next(struct http_client *c, struct http_answer *answer);

/* On any thread: http_client_run() returns at once. */
void http_client_wake(struct http_client *c);

/*
 * Is URL one that http_client_start() takes?  *PLACE is then "host:port/path" without user, password, query and final
 * slash, for messages and names: the caller's to free.  -1 on OPTION_INVALID (the text does not repeat the URL), NO_MEMORY.
 */
int http_url_check(const char *url, char **place, struct err *err);

/* TEXT as part of a URL, percent-encoded: the caller's to free.  NULL when memory is out. */
char *http_escape(struct span text);

#endif
