/* postgres.c -- the same scripts that the demo starts its servers with, so that there is one way to do it. */
#include "tests/support/postgres.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/store/migration.h"
#include "common/store/query.h"

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

const char *
postgres_source(const char *path)
{
	static char text[512];
	const char *top = getenv("FOREBAY_SOURCE");

	snprintf(text, sizeof(text), "%s/%s", top ? top : ".", path);
	return text;
}

static void
stack(const struct postgres *p, const char *words)
{
	char command[1024];

	snprintf(command, sizeof(command), "%s --dir %s %s >/dev/null 2>%s.log", postgres_source("deploy/local/stack"),
		 p->dir, words, p->dir);
	if (system(command) != 0)
		fail("deploy/local/stack", words);
}

/* A child that outlives a crashed or killed test and takes the server away: it reads from a pipe whose other end dies
 * with us. */
static void
watch(const struct postgres *p)
{
	char byte;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		fail("pipe2", p->dir);
	if (fork() != 0) {
		close(ends[0]);
		return;
	}
	setsid();
	close(ends[1]);
	for (int fd = 0; fd < 3; fd++)
		dup2(open("/dev/null", O_RDWR | O_CLOEXEC), fd); /* whoever reads our output must see it end */
	while (read(ends[0], &byte, 1) > 0)
		;
	if (access(p->dir, F_OK) == 0)
		postgres_wipe((struct postgres *)(uintptr_t)p);
	_exit(0);
}

void
postgres_start(struct postgres *p)
{
	static const char key[] = "FOREBAY_POSTGRES_URI=";
	char path[100], line[300];
	FILE *file;

	if (!p->dir[0]) {
		strcpy(p->dir, "/tmp/forebay-test.XXXXXX");
		if (!mkdtemp(p->dir) || chmod(p->dir, 0755) < 0)
			fail(p->dir, "mkdtemp");
		watch(p);
	}
	stack(p, "start postgres");
	snprintf(path, sizeof(path), "%s/env", p->dir);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, key, sizeof(key) - 1) == 0)
			snprintf(p->uri, sizeof(p->uri), "%.*s", (int)strcspn(line + sizeof(key) - 1, "\n"),
				 line + sizeof(key) - 1);
	if (file)
		fclose(file);
	if (!p->uri[0])
		fail(path, "no address of PostgreSQL");
}

void
postgres_kill(struct postgres *p)
{
	stack(p, "kill postgres");
}

void
postgres_stop(struct postgres *p)
{
	stack(p, "stop postgres");
}

void
postgres_wipe(struct postgres *p)
{
	char log[100];

	stack(p, "wipe");
	snprintf(log, sizeof(log), "%s.log", p->dir);
	unlink(log);
}

struct store *
postgres_store(const struct postgres *p, int fresh)
{
	struct store_options o = { .uri = p->uri, .application_name = "test", .connect_timeout_ms = 10000 };
	CLEANUP(migrations_free)
	struct migrations *m = NULL;
	struct store *s = NULL;
	struct err err = ERR_INIT;

	if (store_new(&o, &s, &err) < 0 || store_connect(s, &err) < 0)
		fail("PostgreSQL", err.text);
	if (fresh && (store_exec(s, "DROP SCHEMA IF EXISTS forebay CASCADE", &err) < 0 ||
		      migrations_load(postgres_source("deploy/migrations"), &m, &err) < 0 ||
		      migrations_apply(s, m, NULL, NULL, &err) < 0))
		fail("migrations", err.text);
	return s;
}

long long
postgres_number(struct store *s, const char *sql)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct err err = ERR_INIT;

	if (store_query(s, sql, NULL, 0, &rows, &err) < 0)
		fail(sql, err.text);
	return rows_count(rows) ? (long long)rows_int(rows, 0, 0) : -1;
}
