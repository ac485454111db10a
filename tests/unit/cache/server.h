/* server.h -- a real redis-server on a free port of the loopback, for one test program. */
#ifndef FOREBAY_TESTS_CACHE_SERVER_H
#define FOREBAY_TESTS_CACHE_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

/* A port that was free a moment ago. */
int free_port(void);

/* Start on PORT, wait until it answers; PASSWORD may be NULL.  0 when it does not start. */
pid_t server_start(int port, const char *password);
void server_stop(pid_t pid); /* SIGKILL, and waits for its end */

#endif
