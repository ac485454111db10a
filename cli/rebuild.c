/* rebuild.c -- see rebuild.h.  The address of the database holds a password, so the worker gets it by its environment. */
#include "cli/rebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"

#define LOOK_EVERY_US (100 * US_PER_MS)
#define TICK_EVERY_US US_PER_SECOND
#define STOP_TIMEOUT_US (20 * US_PER_SECOND)
#define LOG_TAIL_BYTES ((size_t)64 << 10)
#define FLAGS_OWN 8

/* ---- the plan ---- */

int
rebuild_plan(const struct rebuild_range *ranges, size_t n, struct buffer *out)
{
	int bad = 0;

	for (size_t i = 0; i < n; i++) {
		const struct checkpoint_basis *b = ranges[i].basis;

		if (ranges[i].start >= ranges[i].end)
			continue;
		bad |= buffer_printf(out, "%s.%" PRId32 " = %" PRId64 "..%" PRId64 "\n", b->topic, b->partition,
				     ranges[i].start, ranges[i].end);
		for (size_t k = 1; k < b->frontier.n; k++)
			if (strcmp(b->frontier.sources[k], "fleet.journal") != 0)
				bad |= buffer_printf(out, "%s.%" PRId32 " = 0..%" PRId64 "\n", b->frontier.sources[k],
						     b->partition, b->frontier.at[k] > 0 ? b->frontier.at[k] : 0);
	}
	return bad ? -1 : 0;
}

/* ---- the program ---- */

int
rebuild_program(const char *worker, const char *given, struct arena *arena, const char **ret, struct err *err)
{
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *places[2];

	*ret = given;
	if (*given)
		return access(given, X_OK) == 0
			   ? 0
			   : err_set(err, REASON_FILE_UNREADABLE, "--worker.program=%s: %s", given, strerror(errno));
	while (len > 0 && self[len - 1] != '/')
		len--;
	self[len > 0 ? len : 0] = '\0';
	places[0] = arena_printf(arena, "%s%s", self, worker);
	places[1] = arena_printf(arena, "%s../workers/%s/%s", self, worker, worker);
	if (!places[0] || !places[1])
		return err_set(err, REASON_NO_MEMORY, "program");
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (access(places[i], X_OK) == 0) {
			*ret = places[i];
			return 0;
		}
	return err_set(err, REASON_FILE_UNREADABLE,
		       "no program of the worker at %s or %s; --worker.program says where it is", places[0], places[1]);
}

/* ---- its log ---- */

bool
rebuild_last_error(struct span log, struct err *ret)
{
	const char *end = log.ptr + log.len;

	while (end > log.ptr) {
		const char *newline = memrchr(log.ptr, '\n', (size_t)(end - log.ptr));
		const char *start = newline ? newline + 1 : log.ptr;
		json_t *line = json_loadb(start, (size_t)(end - start), JSON_DISABLE_EOF_CHECK, NULL);
		const char *reason = json_string_value(json_object_get(line, "reason"));
		const char *text = json_string_value(json_object_get(line, "error"));
		bool found = reason && text;

		for (int r = 1; found && r < REASON_COUNT; r++)
			if (strcmp(err_reason_name((enum err_reason)r), reason) == 0)
				err_set(ret, (enum err_reason)r, "%s", text);
		json_decref(line);
		if (found)
			return true;
		end = newline ? newline : log.ptr;
	}
	return false;
}

/* What the worker said last.  False: nothing. */
static bool
read_last_error(const char *path, struct err *ret)
{
	CLEANUP(file_close)
	FILE *f = fopen(path, "re");
	CLEANUP(heap_free)
	char *text = malloc(LOG_TAIL_BYTES);
	size_t n = 0;

	if (f && text && (fseek(f, -(long)LOG_TAIL_BYTES, SEEK_END) == 0 || fseek(f, 0, SEEK_SET) == 0))
		n = fread(text, 1, LOG_TAIL_BYTES, f);
	return rebuild_last_error((struct span){ text, n }, ret);
}

/* ---- the process ---- */

static volatile sig_atomic_t asked_to_stop;

static void
on_signal(int number)
{
	asked_to_stop = number;
}

struct folder {
	const char *dir, *plan, *log;
};

static int
write_file(const char *path, struct span text, struct err *err)
{
	FILE *f = fopen(path, "we");
	bool written = f && fwrite(text.ptr, 1, text.len, f) == text.len;

	if (f && fclose(f) == 0 && written)
		return 0;
	return err_set(err, REASON_IO, "%s: %s", path, strerror(errno));
}

static int
make_folder(const struct rebuild *r, struct arena *arena, struct folder *ret, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = arena_printf(arena, "%s/forebay-%s-XXXXXX", tmp && *tmp ? tmp : "/tmp", r->run);

	if (!dir)
		return err_set(err, REASON_NO_MEMORY, "folder");
	if (!mkdtemp(dir))
		return err_set(err, REASON_IO, "%s: %s", dir, strerror(errno));
	*ret = (struct folder){ dir, arena_printf(arena, "%s/plan", dir), arena_printf(arena, "%s/log", dir) };
	if (!ret->plan || !ret->log)
		return err_set(err, REASON_NO_MEMORY, "folder");
	return write_file(ret->plan, r->plan, err);
}

/* Ours stand behind the caller's, where they count, but for those that are only good advice. */
static char **
arguments(const struct rebuild *r, const char *program, const struct folder *folder, struct arena *arena)
{
	char **argv = arena_zalloc(arena, ((size_t)r->n_flags + FLAGS_OWN + 1) * sizeof(*argv));
	size_t n = 0, wanted = (size_t)r->n_flags + FLAGS_OWN;

	if (!argv)
		return NULL;
	argv[n++] = arena_printf(arena, "%s", program);
	argv[n++] = arena_printf(arena, "--listen=");
	argv[n++] = arena_printf(arena, "--checkpoint.ladder=");
	for (int i = 0; i < r->n_flags; i++)
		argv[n++] = r->flags[i];
	argv[n++] = arena_printf(arena, "--run.id=%s", r->run);
	argv[n++] = arena_printf(arena, "--run.plan=%s", folder->plan);
	argv[n++] = arena_printf(arena, "--run.outputs=none");
	argv[n++] = arena_printf(arena, "--run.source.group=%s", r->group);
	argv[n++] = arena_printf(arena, "--group.id=%s", r->group);
	for (size_t i = 0; i < wanted; i++)
		if (!argv[i])
			return NULL;
	return argv;
}

/* In the child.  A worker of ours does not outlive us, whatever ends us. */
static _Noreturn void
become(const char *program, char **argv, const char *log, pid_t parent)
{
	int in = open("/dev/null", O_RDONLY), out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (in >= 0 && out >= 0 && dup2(in, STDIN_FILENO) == STDIN_FILENO &&
	    dup2(out, STDOUT_FILENO) == STDOUT_FILENO && dup2(out, STDERR_FILENO) == STDERR_FILENO &&
	    prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent) {
		execv(program, argv);
		dprintf(STDERR_FILENO, "%s: %s\n", program, strerror(errno));
	}
	_exit(127);
}

static int
spawn(const struct rebuild *r, const char *program, const struct folder *folder, struct arena *arena, pid_t *pid,
      struct err *err)
{
	char **argv = arguments(r, program, folder, arena);
	pid_t self = getpid();

	if (!argv || setenv("FOREBAY_POSTGRES_URI", r->postgres_uri, 1) < 0 ||
	    (*r->bootstrap_servers && setenv("FOREBAY_BOOTSTRAP_SERVERS", r->bootstrap_servers, 1) < 0))
		return err_set(err, REASON_NO_MEMORY, "%s", program);
	*pid = fork();
	if (*pid < 0)
		return err_set(err, REASON_IO, "%s: %s", program, strerror(errno));
	if (*pid == 0)
		become(program, argv, folder->log, self);
	return 0;
}

/* Has it ended?  *STATUS as waitpid() gives it. */
static bool
has_ended(pid_t pid, int *status)
{
	pid_t ended = waitpid(pid, status, WNOHANG);

	return ended == pid || (ended < 0 && errno != EINTR);
}

static void
stop(pid_t pid)
{
	int64_t deadline = clock_monotonic_us() + STOP_TIMEOUT_US;
	int status;

	kill(pid, SIGTERM);
	while (!has_ended(pid, &status)) {
		if (clock_monotonic_us() > deadline)
			kill(pid, SIGKILL);
		clock_sleep_us(LOOK_EVERY_US);
	}
}

/* Pass on what the worker has logged since *KNOWN. */
static void
report(const struct rebuild *r, const char *log, struct err *known)
{
	struct err trouble = ERR_INIT;

	if (read_last_error(log, &trouble) && strcmp(trouble.text, known->text) != 0) {
		r->told(r->ctx, &trouble);
		*known = trouble;
	}
	r->tick(r->ctx);
}

static int
wait_for(const struct rebuild *r, const struct folder *folder, pid_t pid, struct err *err)
{
	struct err known = ERR_INIT;
	int64_t started = clock_monotonic_us(), ticked = started, now;
	int status = 0;

	while (!has_ended(pid, &status)) {
		now = clock_monotonic_us();
		if (asked_to_stop || now - started > r->timeout_us) {
			stop(pid);
			return asked_to_stop
				   ? err_set(err, REASON_STUCK, "stopped by a signal")
				   : err_set(err, REASON_STUCK, "%s has not ended within %" PRId64 " s; its log: %s",
					     r->worker, r->timeout_us / US_PER_SECOND, folder->log);
		}
		if (now - ticked > TICK_EVERY_US) {
			ticked = now;
			report(r, folder->log, &known);
		}
		clock_sleep_us(LOOK_EVERY_US);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (!read_last_error(folder->log, err))
		err_set(err, REASON_INTERNAL, "it logged no error");
	return err_wrap(err, "%s ended with %s %d (its log: %s)", r->worker, WIFEXITED(status) ? "exit code" : "signal",
			WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), folder->log);
}

int
rebuild_run(const struct rebuild *r, struct arena *arena, struct err *err)
{
	struct sigaction catch = { .sa_handler = on_signal }, on_int, on_term;
	struct folder folder = { 0 };
	const char *program;
	int failed = -1;
	pid_t pid = -1;

	if (rebuild_program(r->worker, r->program, arena, &program, err) < 0 || make_folder(r, arena, &folder, err) < 0)
		return -1;
	asked_to_stop = 0;
	sigaction(SIGINT, &catch, &on_int);
	sigaction(SIGTERM, &catch, &on_term);
	if (spawn(r, program, &folder, arena, &pid, err) == 0)
		failed = wait_for(r, &folder, pid, err);
	sigaction(SIGINT, &on_int, NULL);
	sigaction(SIGTERM, &on_term, NULL);
	if (failed)
		return -1;
	unlink(folder.plan);
	unlink(folder.log);
	rmdir(folder.dir);
	return 0;
}
