/* server.c -- one connection, one request, one answer at a time. */
#include "tests/unit/record/server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
	const struct answer *answers;
	int listener, port;
	atomic_int requests;
	pthread_t thread;
	char last[65536];
};

/* Until the head and as many bytes as it announces are there. */
static void
receive(int fd, char *text, size_t size)
{
	size_t len = 0;

	for (;;) {
		ssize_t n = recv(fd, text + len, size - 1 - len, 0);
		const char *body, *length;

		if (n <= 0)
			return;
		len += (size_t)n;
		text[len] = '\0';
		body = strstr(text, "\r\n\r\n");
		length = strcasestr(text, "content-length:");
		if (body && len >= (size_t)(body + 4 - text) + (length ? strtoul(length + 15, NULL, 10) : 0))
			return;
	}
}

static void
reply(const struct server *s, int fd)
{
	const struct answer *a = s->answers;
	char text[8192];

	while (a->words && strncmp(s->last, a->words, strlen(a->words)) != 0)
		a++;
	if (a->words && a->status == 0)
		return;
	snprintf(text, sizeof(text), "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
		 a->words ? a->status : 404, a->words ? strlen(a->body) : 0, a->words ? a->body : "");
	send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		memset(s->last, 0, sizeof(s->last));
		receive(fd, s->last, sizeof(s->last));
		atomic_fetch_add(&s->requests, 1);
		reply(s, fd);
		close(fd);
	}
	return NULL;
}

struct server *
server_start(const struct answer *answers)
{
	struct server *s = calloc(1, sizeof(*s));
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);

	s->answers = answers;
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s->listener, (struct sockaddr *)&at, size) || listen(s->listener, 8) ||
	    getsockname(s->listener, (struct sockaddr *)&at, &size) || pthread_create(&s->thread, NULL, serve, s))
		abort();
	s->port = ntohs(at.sin_port);
	return s;
}

int
server_port(const struct server *s)
{
	return s->port;
}

int
server_requests(const struct server *s)
{
	return atomic_load(&s->requests);
}

const char *
server_last(const struct server *s)
{
	return s->last;
}

void
server_stop(struct server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
	free(s);
}
