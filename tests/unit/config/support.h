/*
 * support.h -- files that live as long as a test program: a directory of its own, which is also the working directory.
 */
#ifndef FOREBAY_TESTS_UNIT_CONFIG_SUPPORT_H
#define FOREBAY_TESTS_UNIT_CONFIG_SUPPORT_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The caller's configuration must not decide a test. */
static inline int
environment_clear(void **state)
{
	for (char **e = environ; *e;) {
		char name[256];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*e, "="), *e);
		if (strncmp(name, "FOREBAY_", 8) == 0 && unsetenv(name) == 0)
			e = environ;
		else
			e++;
	}
	return 0;
}

/* For cmocka's group set-up and tear-down. */
static inline int
scratch_enter(void **state)
{
	const char *top = getenv("TMPDIR");
	char path[512];

	environment_clear(state);
	snprintf(path, sizeof(path), "%s/forebay-config-XXXXXX", top && *top ? top : "/tmp");
	return mkdtemp(path) ? chdir(path) : -1;
}

static inline int
scratch_leave(void **state)
{
	char path[512];
	struct dirent *entry;
	DIR *dir = opendir(".");

	if (!dir || !getcwd(path, sizeof(path)))
		return -1;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlink(entry->d_name);
	closedir(dir);
	return chdir("/") < 0 ? -1 : rmdir(path);
}

static inline void
file_write(const char *name, const char *text, size_t len)
{
	FILE *file = fopen(name, "we");

	if (!file || fwrite(text, 1, len, file) != len || fclose(file) != 0)
		abort();
}

#endif
