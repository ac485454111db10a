/*
 * link.c -- one connection to Redis that never waits past a deadline.
 *
 * hiredis connects, formats commands and parses answers; sending and receiving is done here on its non-blocking socket,
 * because its own calls wait a full time-out per read and raise SIGPIPE when the other side is gone.
 */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/cache/private.h"

#define QUEUE_MAX_BYTES ((size_t)16 << 20)
#define WORDS_MAX 32
#define READ_BYTES 16384

struct link {
	redisContext *context; /* the socket and the parser */
	struct buffer queue;   /* bytes to send, the first `sent` of them gone */
	size_t sent;
	size_t pending; /* answers to come, in the order of the commands */
	size_t login;   /* how many of them, in front, answer to the log-in: an error there ends the connection */
};

DEFINE_CLEANUP(struct link, link_close)

void
link_close(struct link *l)
{
	if (!l)
		return;
	if (l->context)
		redisFree(l->context);
	buffer_clear(&l->queue);
	free(l);
}

size_t
link_pending(const struct link *l)
{
	return l->pending;
}

int
link_queue(struct link *l, size_t n, const struct span *words)
{
	const char *argv[WORDS_MAX];
	size_t lengths[WORDS_MAX];
	char *command = NULL;
	int bytes, ok;

	if (n > WORDS_MAX)
		return -1;
	for (size_t i = 0; i < n; i++) {
		argv[i] = words[i].len ? words[i].ptr : "";
		lengths[i] = words[i].len;
	}
	bytes = redisFormatCommandArgv(&command, (int)n, argv, lengths);
	if (bytes < 0)
		return -1;
	ok = buffer_append(&l->queue, command, (size_t)bytes);
	redisFreeCommand(command);
	if (ok < 0)
		return -1;
	l->pending++;
	return 0;
}

/* Wait for EVENTS on the socket; false when the deadline is over first. */
static bool
wait_for(const struct link *l, short events, int64_t deadline_us)
{
	struct pollfd p = { .fd = l->context->fd, .events = events };

	for (;;) {
		int64_t left = deadline_us ? deadline_us - clock_monotonic_us() : 0;
		int n = poll(&p, 1, left <= 0 ? 0 : (int)((left + US_PER_MS - 1) / US_PER_MS));

		if (n > 0)
			return true;
		if (n < 0 && errno == EINTR)
			continue;
		return false;
	}
}

/* Send what the socket takes.  -1: closed. */
static int
send_some(struct link *l)
{
	while (l->sent < l->queue.len) {
		ssize_t n =
		    send(l->context->fd, l->queue.ptr + l->sent, l->queue.len - l->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			l->sent += (size_t)n;
		else if (errno != EINTR)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
	}
	l->queue.len = l->sent = 0;
	return 0;
}

/* Feed the parser with what is there.  -1: closed. */
static int
receive_some(struct link *l)
{
	char bytes[READ_BYTES];

	for (;;) {
		ssize_t n = recv(l->context->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n == 0)
			return -1;
		if (n > 0)
			return redisReaderFeed(l->context->reader, bytes, (size_t)n) == REDIS_OK ? 0 : -1;
		if (errno != EINTR)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
	}
}

/* Take answers out of the parser.  -1: garbage, an answer nobody asked for, or a refused log-in. */
static int
take_answers(struct link *l, bool keep_last, struct link_answers *ret)
{
	for (;;) {
		redisReply *reply = NULL;
		bool bad;

		if (redisReaderGetReply(l->context->reader, (void **)&reply) != REDIS_OK)
			return -1;
		if (!reply)
			return 0;
		bad = reply->type == REDIS_REPLY_ERROR;
		if (l->pending == 0 || (l->login > 0 && bad)) {
			freeReplyObject(reply);
			return -1;
		}
		l->pending--;
		if (l->login > 0) {
			l->login--;
		} else if (keep_last && l->pending == 0) {
			ret->last = reply;
			continue;
		} else if (bad) {
			ret->bad++;
		} else {
			ret->good++;
		}
		freeReplyObject(reply);
	}
}

int
link_exchange(struct link *l, size_t pending, int64_t deadline_us, bool keep_last, struct link_answers *ret)
{
	for (;;) {
		if (send_some(l) < 0 || receive_some(l) < 0 || take_answers(l, keep_last, ret) < 0)
			return -1;
		if (l->pending <= pending)
			return 0;
		if (!wait_for(l, (short)(POLLIN | (l->sent < l->queue.len ? POLLOUT : 0)), deadline_us))
			return 0;
	}
}

/* Is the connection made?  Waits until the deadline at most. */
static bool
connected(struct link *l, int64_t deadline_us)
{
	int error = 0, on = 1;
	socklen_t bytes = sizeof(error);

	if (l->context->err || !wait_for(l, POLLOUT, deadline_us) ||
	    getsockopt(l->context->fd, SOL_SOCKET, SO_ERROR, &error, &bytes) < 0 || error != 0)
		return false;
	setsockopt(l->context->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* only slower without it */
	return true;
}

static int
log_in(struct link *l, const struct redis_uri *uri)
{
	char db[16];
	struct span words[3] = { SPAN("AUTH") };
	size_t n = 1;

	if (uri->password) {
		if (uri->user)
			words[n++] = span_of(uri->user);
		words[n++] = span_of(uri->password);
		if (link_queue(l, n, words) < 0)
			return -1;
	}
	if (uri->db) {
		snprintf(db, sizeof(db), "%d", uri->db);
		if (link_queue(l, 2, (struct span[]){ SPAN("SELECT"), span_of(db) }) < 0)
			return -1;
	}
	l->login = l->pending;
	return 0;
}

struct link *
link_open(const struct redis_uri *uri, int64_t deadline_us)
{
	CLEANUP(link_close) struct link *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->queue.max = QUEUE_MAX_BYTES;
	l->context = redisConnectNonBlock(uri->host, uri->port);
	if (!l->context || !connected(l, deadline_us) || log_in(l, uri) < 0)
		return NULL;
	return TAKE(l);
}
