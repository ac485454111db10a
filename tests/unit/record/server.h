/* server.h -- a web server that says what a test tells it to: for answers that a real registry cannot be asked for. */
#ifndef FOREBAY_TESTS_RECORD_SERVER_H
#define FOREBAY_TESTS_RECORD_SERVER_H

struct server;

/* Every request that begins with WORDS ("GET /schemas/ids/7") gets STATUS and BODY; others get 404.  Ended by NULL. */
struct answer {
	const char *words;
	int status; /* 0: the connection is closed without an answer */
	const char *body;
};

/* Listens on a free port of the loopback, in a thread of its own. */
struct server *server_start(const struct answer *answers);
int server_port(const struct server *s);
int server_requests(const struct server *s);
const char *server_last(const struct server *s); /* the last request, head and body */
void server_stop(struct server *s);

#endif
