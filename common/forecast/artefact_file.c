/*
 * artefact_file.c -- an artefact in the file system: a reader sees the old file or the new one, whole, also after a power cut.
 * A new file is written beside its place under another name, synced, and renamed; then the folder is synced.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/forecast/artefact.h"

#define PATH_BYTES 4096
#define FILE_MAX (UINT32_MAX)

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

/* Also of the folder: it holds the name. */
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

int
artefact_save(const struct artefact *a, const char *path, struct err *err)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	char fresh[PATH_BYTES];

	if (snprintf(fresh, sizeof(fresh), "%s.%ld.new", path, (long)getpid()) >= (int)sizeof(fresh))
		return err_set(err, REASON_IO, "%.100s...: the path is too long", path);
	if (artefact_write(a, &bytes, err) < 0)
		return err_wrap(err, "%s", path);
	unlink(fresh);
	if (write_fresh(fresh, buffer_span(&bytes)) < 0 || rename(fresh, path) < 0) {
		failed(err, path, "not written");
		unlink(fresh);
		return -1;
	}
	return sync_folder(path) < 0 ? failed(err, path, "its folder is not synced") : 0;
}

static int
read_all(FILE *file, struct buffer *bytes)
{
	size_t n;

	do {
		if (buffer_reserve(bytes, 65536) < 0) {
			errno = EFBIG;
			return -1;
		}
		n = fread(bytes->ptr + bytes->len, 1, 65536, file);
		bytes->len += n;
	} while (n > 0);
	return ferror(file) ? -1 : 0;
}

int
artefact_load(const char *path, struct artefact *a, struct err *err)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(FILE_MAX);
	CLEANUP(file_close) FILE *file = fopen(path, "re");

	*a = (struct artefact){ 0 };
	if (!file || read_all(file, &bytes) < 0)
		return err_set(err, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno));
	return artefact_read(buffer_span(&bytes), a, err) < 0 ? err_wrap(err, "%s", path) : 0;
}
