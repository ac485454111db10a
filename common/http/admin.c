/*
 * admin.c -- the HTTP server: a listening socket of our own (for clear errors and a known port), libmicrohttpd's
 * thread on it, and the life of a request: headers, a bounded body, one answer.
 */
#include "common/http/admin.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/http/private.h"

#define MAX_CONNECTIONS 64u
#define IDLE_SECONDS 30u
#define CONNECTION_BYTES ((size_t)16384)

struct admin {
	struct site site;
	struct MHD_Daemon *daemon;
	int port;
};

/* One request on its way in. */
struct exchange {
	struct buffer body;
};

static enum MHD_Result
send_reply(struct MHD_Connection *connection, struct reply *reply)
{
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(reply->body.len, reply->body.ptr, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!response) {
		buffer_clear(&reply->body);
		return MHD_NO;
	}
	if (reply->body.len)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
	if (reply->allow)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, reply->allow);
	result = MHD_queue_response(connection, (unsigned)reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static struct reply
reply_new(void)
{
	return (struct reply){ .status = 200, .type = "application/json", .body = BUFFER_INIT(REPLY_MAX_BYTES) };
}

/* The headers are in.  A body announced as too large is refused before it comes. */
static enum MHD_Result
begin(struct MHD_Connection *connection, void **state)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	struct exchange *x;

	if (length && strtoull(length, NULL, 10) > REQUEST_MAX_BYTES) {
		struct reply reply = reply_new();

		reply_error(&reply, 413, "a request body may have %d bytes", REQUEST_MAX_BYTES);
		return send_reply(connection, &reply);
	}
	x = calloc(1, sizeof(*x));
	if (!x)
		return MHD_NO;
	x->body.max = REQUEST_MAX_BYTES;
	*state = x;
	return MHD_YES;
}

static enum MHD_Result
handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
       const char *data, size_t *size, void **state)
{
	struct admin *a = cls;
	struct exchange *x = *state;
	struct request request = { .method = method, .path = url };
	struct reply reply;

	if (!x)
		return begin(connection, state);
	if (*size) {
		int bad = buffer_append(&x->body, data, *size);

		*size = 0;
		return bad ? MHD_NO : MHD_YES; /* MHD_NO closes the connection: chunks without an end */
	}
	request.body = buffer_span(&x->body);
	request.probe = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "probe");
	reply = reply_new();
	site_answer(&a->site, &request, &reply);
	return send_reply(connection, &reply);
}

static void
done(void *cls, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
	struct exchange *x = *state;

	if (x)
		buffer_clear(&x->body);
	free(x);
	*state = NULL;
}

/* "host:port", "[::1]:port", ":port" into HOST ("" for all addresses) and PORT. */
static int
split_listen(const char *listen_at, char host[256], char port[8], struct err *err)
{
	const char *colon = strrchr(listen_at, ':');
	size_t host_len = colon ? (size_t)(colon - listen_at) : 0, digits = colon ? strspn(colon + 1, "0123456789") : 0;
	const char *start = listen_at;

	if (host_len >= 2 && start[0] == '[' && start[host_len - 1] == ']') {
		start++;
		host_len -= 2;
	} else if (memchr(listen_at, ':', host_len)) {
		digits = 0; /* an IPv6 address needs its brackets */
	}
	if (digits == 0 || digits > 5 || colon[1 + digits] || host_len > 255 || atoi(colon + 1) > 65535)
		return err_set(err, REASON_OPTION_INVALID,
			       "listen address \"%.100s\": must be host:port, [ipv6]:port or :port", listen_at);
	memcpy(host, start, host_len);
	host[host_len] = '\0';
	memcpy(port, colon + 1, digits + 1);
	return 0;
}

/* A socket that listens on one address, or -1 with errno. */
static int
listen_on(const struct addrinfo *at)
{
	int on = 1, off = 0, saved;
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, (int)MAX_CONNECTIONS) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* Try every address of the name; for all addresses IPv6 first, whose socket takes IPv4 as well. */
static int
listen_somewhere(const struct addrinfo *list, bool all)
{
	int fd = -1;

	for (int pass = all ? 0 : 1; pass < 2 && fd < 0; pass++)
		for (const struct addrinfo *at = list; at && fd < 0; at = at->ai_next)
			if (pass == 1 || at->ai_family == AF_INET6)
				fd = listen_on(at);
	return fd;
}

static int
open_socket(const char *listen_at, int *ret, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *list = NULL;
	char host[256], port[8];
	int failed, fd;

	if (split_listen(listen_at, host, port, err) < 0)
		return -1;
	failed = getaddrinfo(*host ? host : NULL, port, &hints, &list);
	if (failed)
		return err_set(err, REASON_IO, "listen address %s: %s", listen_at, gai_strerror(failed));
	fd = listen_somewhere(list, !*host);
	freeaddrinfo(list);
	if (fd < 0)
		return err_set(err, REASON_IO, "listen address %s: %s%s", listen_at, strerror(errno),
			       errno == EADDRINUSE ? "; give every instance a port of its own" : "");
	*ret = fd;
	return 0;
}

static int
socket_port(int fd)
{
	struct sockaddr_storage at = { 0 };
	socklen_t len = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		return -1;
	return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
					      : ((struct sockaddr_in *)&at)->sin_port);
}

/* The server's thread takes no signals: they are the main thread's. */
static struct MHD_Daemon *
daemon_start(struct admin *a, int fd)
{
	struct MHD_Daemon *daemon;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, handle, a, MHD_OPTION_LISTEN_SOCKET, fd,
				  MHD_OPTION_NOTIFY_COMPLETED, done, NULL, MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS,
				  MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				  CONNECTION_BYTES, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return daemon;
}

int
admin_start(const char *listen, const char *name, struct metrics *metrics, const struct admin_hooks *hooks,
	    struct admin **ret, struct err *err)
{
	CLEANUP(admin_stop)
	struct admin *a = calloc(1, sizeof(*a));
	int fd;

	if (!a || !(a->site.name = strdup(name)))
		return err_set(err, REASON_NO_MEMORY, "no memory for the HTTP server");
	a->site.metrics = metrics;
	a->site.hooks = *hooks;
	if (open_socket(listen, &fd, err) < 0)
		return -1;
	a->port = socket_port(fd);
	a->daemon = daemon_start(a, fd);
	if (!a->daemon) {
		close(fd);
		return err_set(err, REASON_IO, "listen address %s: the HTTP server does not start", listen);
	}
	*ret = TAKE(a);
	return 0;
}

int
admin_port(const struct admin *a)
{
	return a->port;
}

void
admin_stop(struct admin *a)
{
	if (!a)
		return;
	if (a->daemon)
		MHD_stop_daemon(a->daemon); /* waits for the answer at hand, closes the socket */
	free(a->site.name);
	free(a);
}
