/* server.c -- see server.h. */
#include "tests/unit/cache/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"

int
free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;

	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    getsockname(fd, (struct sockaddr *)&at, &bytes) == 0)
		port = ntohs(at.sin_port);
	if (fd >= 0)
		close(fd);
	return port;
}

static bool
answers(int port)
{
	redisContext *c = redisConnect("127.0.0.1", port);
	redisReply *reply = c && !c->err ? redisCommand(c, "PING") : NULL;
	bool ok = reply != NULL; /* an error (log in first) is an answer, too -- but not "loading" */

	if (reply)
		freeReplyObject(reply);
	if (c)
		redisFree(c);
	return ok;
}

pid_t
server_start(int port, const char *password)
{
	char text[16];
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no server behind */
		dup2(null, 1);
		dup2(null, 2);
		snprintf(text, sizeof(text), "%d", port);
		execlp("redis-server", "redis-server", "--port", text, "--bind", "127.0.0.1", "--save", "",
		       "--appendonly", "no", "--daemonize", "no", "--requirepass", password ? password : "",
		       (char *)NULL);
		_exit(127);
	}
	for (int i = 0; pid > 0 && i < 500; i++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return 0;
		if (answers(port))
			return pid;
		clock_sleep_us(20 * US_PER_MS);
	}
	if (pid > 0)
		server_stop(pid);
	return 0;
}

void
server_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
