/* file.c -- see file.h.  The folder is synced, too: it holds the name. */
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"

#define PATH_BYTES 4096
#define BLOCK 65536

static int
failed(struct err *err, const char *path, const char *what)
{
	return err_set(err, REASON_IO, "%s: %s: %s", path, what, strerror(errno));
}

static int
write_all(int fd, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			bytes = (struct span){ bytes.ptr + n, bytes.len - (size_t)n };
	}
	return 0;
}

static int
sync_folder(const char *path)
{
	char folder[PATH_BYTES];
	const char *slash = strrchr(path, '/');
	int fd, result;

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	result = fsync(fd);
	close(fd);
	return result;
}

static int
write_fresh(const char *fresh, struct span bytes)
{
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), result;

	if (fd < 0)
		return -1;
	result = write_all(fd, bytes) < 0 || fsync(fd) < 0 ? -1 : 0;
	if (close(fd) < 0)
		result = -1;
	return result;
}

/* Where PATH is written before it takes its place. */
static int
name_fresh(const char *path, char fresh[PATH_BYTES], struct err *err)
{
	if (snprintf(fresh, PATH_BYTES, "%s.%ld.new", path, (long)getpid()) >= PATH_BYTES)
		return err_set(err, REASON_IO, "%.100s...: the path is too long", path);
	unlink(fresh);
	return 0;
}

int
file_replace(const char *path, struct span bytes, struct err *err)
{
	char fresh[PATH_BYTES];

	if (name_fresh(path, fresh, err) < 0)
		return -1;
	if (write_fresh(fresh, bytes) < 0 || rename(fresh, path) < 0) {
		failed(err, path, "not written");
		unlink(fresh);
		return -1;
	}
	return sync_folder(path) < 0 ? failed(err, path, "its folder is not synced") : 0;
}

int
file_replaceable(const char *path, struct err *err)
{
	char fresh[PATH_BYTES];
	struct stat there;
	int result;

	if (stat(path, &there) == 0 && S_ISDIR(there.st_mode)) {
		errno = EISDIR;
		return failed(err, path, "cannot be written");
	}
	if (name_fresh(path, fresh, err) < 0)
		return -1;
	result = write_fresh(fresh, (struct span){ 0 }) < 0 ? failed(err, path, "cannot be written") : 0;
	unlink(fresh);
	return result;
}

int
file_read(const char *path, struct buffer *out, struct err *err)
{
	CLEANUP(file_close)
	FILE *file = fopen(path, "re");
	char block[BLOCK];
	size_t n;

	if (!file)
		return err_set(err, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno));
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		if (buffer_append(out, block, n) < 0)
			return err_set(err, REASON_FILE_INVALID, "%s: more than %zu bytes", path, out->max);
	return ferror(file) ? err_set(err, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno)) : 0;
}
