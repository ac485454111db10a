/* A worker that builds states again: its plan, what its log says, and how it ends.  The worker is a line of shell. */
#include "cli/rebuild.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/store/checkpoint.h"

/* ---- the plan ---- */

static void
plans(void **state)
{
	const char *sources[] = { "telemetry.readings", "telemetry.deferred", "fleet.journal", "forecasts" };
	int64_t first[] = { 900, 40, 77, CHECKPOINT_NO_OFFSET }, second[] = { 10, 0, 3, 5 };
	const struct checkpoint_basis basis[] = {
		{ .topic = sources[0], .partition = 0, .frontier = { sources, first, 4 } },
		{ .topic = sources[0], .partition = 12, .frontier = { sources, second, 4 } },
	};
	const struct rebuild_range ranges[] = {
		{ &basis[0], 100, 900, NULL },
		{ &basis[1], 10, 10, "no older states to begin with" },
		{ &basis[1], 0, 10, NULL },
	};
	struct buffer out = BUFFER_INIT(0);

	(void)state;
	assert_int_equal(rebuild_plan(ranges, ARRAY_LEN(ranges), &out), 0);
	assert_int_equal(buffer_append(&out, "", 1), 0);
	assert_string_equal(out.ptr, "telemetry.readings.0 = 100..900\n"
				     "telemetry.deferred.0 = 0..40\n"
				     "forecasts.0 = 0..0\n"
				     "telemetry.readings.12 = 0..10\n"
				     "telemetry.deferred.12 = 0..0\n"
				     "forecasts.12 = 0..5\n");
	buffer_clear(&out);
}

/* ---- the log ---- */

static const struct row {
	const char *name, *log;
	enum err_reason reason; /* NONE: it tells of no error */
	const char *text;
} rows[] = {
	{ "empty", "", REASON_NONE, "" },
	{ "no error", "{\"event\":\"listening\"}\n", REASON_NONE, "" },
	{ "the last one", "{\"reason\":\"STORE_DOWN\",\"error\":\"a\"}\n{\"reason\":\"OFFSET_GONE\",\"error\":\"b\"}\n",
	  REASON_OFFSET_GONE, "b" },
	{ "something after it", "{\"reason\":\"STATE_TOO_OLD\",\"error\":\"a\"}\n{\"event\":\"stopped\"}\nBye\n",
	  REASON_STATE_TOO_OLD, "a" },
	{ "cut in front", "SE_DOWN\",\"error\":\"a\"}\n{\"reason\":\"IO\",\"error\":\"b\"}", REASON_IO, "b" },
	{ "no line of ours", "Segmentation fault\n\n", REASON_NONE, "" },
};

static void
reads_the_log(void **state)
{
	const struct row *row = *state;
	struct err err = ERR_INIT;

	assert_int_equal(rebuild_last_error(span_of(row->log), &err), row->reason != REASON_NONE);
	assert_int_equal(err.reason, row->reason);
	assert_string_equal(err.text, row->text);
}

/* ---- the process ---- */

static const struct ending {
	const char *name, *script;
	enum err_reason reason;
	const char *words[3]; /* that the error holds */
} endings[] = {
	{ "well", "exit 0", REASON_NONE, { NULL } },
	{ "with an exit code",
	  "echo '{\"reason\":\"OFFSET_GONE\",\"error\":\"gone from 12\"}'; exit 2",
	  REASON_OFFSET_GONE,
	  { "exit code 2", "gone from 12", "its log: " } },
	{ "without a word", "exit 3", REASON_INTERNAL, { "exit code 3", "no error" } },
	{ "by a signal", "kill -9 $$", REASON_INTERNAL, { "signal 9" } },
	{ "never", "exec sleep 60", REASON_STUCK, { "has not ended within 1 s" } },
	/* What it was told: its own flags after the caller's, the address of the database not among them. */
	{ "told what to do",
	  "case \"$*\" in *secret*) exit 9;; "
	  "'--listen= --checkpoint.ladder= --a=b --run.id=verify-1 --run.plan='*'/plan --run.outputs=none "
	  "--run.source.group=g --group.id=g') ;; *) exit 8;; esac\n"
	  "[ \"$FOREBAY_POSTGRES_URI $FOREBAY_BOOTSTRAP_SERVERS\" = 'postgresql://u:secret@h/d k:1' ] || exit 7\n"
	  "for a; do case $a in --run.plan=*) grep -qx 'the plan' \"${a#*=}\" || exit 6;; esac; done",
	  REASON_NONE,
	  { NULL } },
};

static void
no_tick(void *ctx)
{
	(void)ctx;
}

static void
no_word(void *ctx, const struct err *trouble)
{
	(void)ctx, (void)trouble;
}

static void
write_script(const char *path, const char *script)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", script);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0700), 0);
}

static void
ends(void **state)
{
	const struct ending *row = *state;
	char dir[] = "/tmp/forebay-rebuild-test-XXXXXX", path[80], command[200];
	struct arena *arena = arena_new(4096, 0);
	struct err err = ERR_INIT;
	char *flags[] = { (char[]){ "--a=b" } };
	struct rebuild r = { .worker = "pump",
			     .run = "verify-1",
			     .group = "g",
			     .flags = flags,
			     .n_flags = 1,
			     .postgres_uri = "postgresql://u:secret@h/d",
			     .bootstrap_servers = "k:1",
			     .plan = SPAN("the plan\n"),
			     .timeout_us = US_PER_SECOND,
			     .tick = no_tick,
			     .told = no_word };

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/worker", dir);
	write_script(path, row->script);
	assert_int_equal(setenv("TMPDIR", dir, 1), 0);
	r.program = path;
	assert_int_equal(rebuild_run(&r, arena, &err), row->reason == REASON_NONE ? 0 : -1);
	assert_string_equal(err_reason_name(err.reason), err_reason_name(row->reason));
	for (size_t i = 0; i < ARRAY_LEN(row->words) && row->words[i]; i++)
		assert_non_null(strstr(err.text, row->words[i]));
	/* What went wrong can be looked at; what went well leaves nothing. */
	snprintf(command, sizeof(command), "test %s \"$(ls -d %s/forebay-verify-1-* 2>/dev/null)\"",
		 row->reason == REASON_NONE ? "-z" : "-n", dir);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	arena_free(arena);
}

/* ---- while it runs ---- */

/* A folder with the script in it; REBUILD runs that for a minute at most. */
static struct rebuild
in_folder(char *dir, char path[80], const char *script)
{
	assert_non_null(mkdtemp(dir));
	snprintf(path, 80, "%s/worker", dir);
	write_script(path, script);
	assert_int_equal(setenv("TMPDIR", dir, 1), 0);
	return (struct rebuild){ .worker = "pump",
				 .program = path,
				 .run = "verify-1",
				 .group = "g",
				 .postgres_uri = "",
				 .bootstrap_servers = "",
				 .plan = SPAN("the plan\n"),
				 .timeout_us = 60 * US_PER_SECOND,
				 .tick = no_tick,
				 .told = no_word };
}

static void
remove_folder(const char *dir)
{
	char command[80];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

struct heard {
	const char *file; /* made when something is told: the script waits for it */
	struct err last;
	int n, ticks;
};

static void
hear(void *ctx, const struct err *trouble)
{
	struct heard *h = ctx;

	h->last = *trouble;
	h->n++;
}

/* At the second look: nothing is said twice. */
static void
let_go(void *ctx)
{
	struct heard *h = ctx;

	if (++h->ticks > 1 && h->n)
		write_script(h->file, "");
}

static void
passes_on_what_it_waits_for(void **state)
{
	char dir[] = "/tmp/forebay-rebuild-test-XXXXXX", path[80], file[100];
	struct rebuild r =
	    in_folder(dir, path,
		      "echo '{\"event\":\"waiting\",\"reason\":\"TOPIC_MISSING\",\"error\":\"topic t\"}'\n"
		      "until [ -e \"$TMPDIR/heard\" ]; do sleep 0.1; done");
	struct heard heard = { .file = file };
	struct arena *arena = arena_new(4096, 0);
	struct err err = ERR_INIT;

	(void)state;
	snprintf(file, sizeof(file), "%s/heard", dir);
	r.tick = let_go;
	r.told = hear;
	r.ctx = &heard;
	assert_int_equal(rebuild_run(&r, arena, &err), 0);
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.last.reason, REASON_TOPIC_MISSING);
	assert_string_equal(heard.last.text, "topic t");
	remove_folder(dir);
	arena_free(arena);
}

/* The worker of a program that is killed goes with it: this one inherits it and sees how it ends. */
static void
does_not_outlive_us(void **state)
{
	char dir[] = "/tmp/forebay-rebuild-test-XXXXXX", path[80], file[100];
	struct rebuild r = in_folder(dir, path, "touch \"$TMPDIR/runs\"; exec sleep 60");
	pid_t verifier;
	int status;

	(void)state;
	snprintf(file, sizeof(file), "%s/runs", dir);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	verifier = fork();
	if (verifier == 0)
		_exit(rebuild_run(&r, arena_new(4096, 0), NULL) < 0);
	while (access(file, F_OK) < 0 && waitpid(verifier, &status, WNOHANG) == 0)
		clock_sleep_us(10 * US_PER_MS);
	assert_int_equal(kill(verifier, SIGKILL), 0);
	assert_int_equal(waitpid(verifier, &status, 0), verifier);
	assert_true(waitpid(-1, &status, 0) > 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	remove_folder(dir);
}

static void
looks_for_the_program(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	struct err err = ERR_INIT;
	const char *path;

	(void)state;
	assert_int_equal(rebuild_program("no-such-worker", "", arena, &path, &err), -1);
	assert_int_equal(err.reason, REASON_FILE_UNREADABLE);
	assert_non_null(strstr(err.text, "/../workers/no-such-worker/no-such-worker"));
	assert_int_equal(rebuild_program("x", "/no/such", arena, &path, &err), -1);
	assert_non_null(strstr(err.text, "--worker.program=/no/such"));
	assert_int_equal(rebuild_program("test_cli_rebuild", "", arena, &path, &err), 0); /* this one, beside itself */
	assert_int_equal(access(path, X_OK), 0);
	arena_free(arena);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + ARRAY_LEN(endings) + 4];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, reads_the_log, NULL, NULL, (void *)&rows[i] };
	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		tests[n++] = (struct CMUnitTest){ endings[i].name, ends, NULL, NULL, (void *)&endings[i] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(plans);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(passes_on_what_it_waits_for);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(does_not_outlive_us);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(looks_for_the_program);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
