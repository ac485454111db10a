/* input.c -- see input.h.  zlib reads plain bytes as they are and gzip by its magic number, also members one after the other. */
#include "cli/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK (256u << 10)
#define MARK "\xef\xbb\xbf" /* byte order mark: spreadsheets begin their UTF-8 with it */
#define MARK_BYTES (sizeof(MARK) - 1)

struct input {
	gzFile file;
	const char *name;
	int64_t size; /* of the file as it is stored; -1: not known */
	char *bytes;
	size_t from, to, room; /* the window is bytes[from..to) */
	bool at_end;
	bool begun;  /* the beginning has been looked at: a byte order mark is none of the file's */
	bool inside; /* a line whose beginning has been given out as too long */
};

int
input_open(const char *path, struct input **ret, struct err *err)
{
	CLEANUP(input_close)
	struct input *in = calloc(1, sizeof(*in));
	bool piped = strcmp(path, "-") == 0;
	struct stat st;

	if (!in)
		return err_set(err, REASON_NO_MEMORY, "%s", path);
	in->name = piped ? "standard input" : path;
	in->size = -1;
	in->file = piped ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rbe");
	if (!in->file)
		return err_set(err, REASON_FILE_UNREADABLE, "%s: %s", in->name, strerror(errno ? errno : ENOMEM));
	if (!piped && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return err_set(err, REASON_FILE_UNREADABLE, "%s: a directory", path);
	if (!piped && stat(path, &st) == 0 && S_ISREG(st.st_mode))
		in->size = st.st_size;
	gzbuffer(in->file, CHUNK);
	*ret = TAKE(in);
	return 0;
}

void
input_close(struct input *in)
{
	if (!in)
		return;
	if (in->file)
		gzclose(in->file);
	free(in->bytes);
	free(in);
}

const char *
input_name(const struct input *in)
{
	return in->name;
}

struct span
input_window(const struct input *in)
{
	return (struct span){ in->bytes ? in->bytes + in->from : NULL, in->to - in->from };
}

bool
input_at_end(const struct input *in)
{
	return in->at_end;
}

static int
refuse_length(const struct input *in, struct err *err)
{
	return err_set(err, REASON_FILE_INVALID, "%s: a record of more than %u bytes", in->name, INPUT_WINDOW_MAX);
}

/* Room for a chunk behind the window: move it to the front, then grow. */
static int
make_room(struct input *in, struct err *err)
{
	size_t len = in->to - in->from, room = in->room ? in->room : CHUNK;
	char *bytes;

	if (in->from > 0) {
		memmove(in->bytes, in->bytes + in->from, len);
		in->from = 0;
		in->to = len;
	}
	while (room - len < CHUNK && room < INPUT_WINDOW_MAX)
		room *= 2;
	if (room == len)
		return refuse_length(in, err);
	if (room == in->room)
		return 0;
	bytes = realloc(in->bytes, room);
	if (!bytes)
		return err_set(err, REASON_NO_MEMORY, "%s", in->name);
	in->bytes = bytes;
	in->room = room;
	return 0;
}

static int
read_some(struct input *in, struct err *err)
{
	int got, code = Z_OK;
	const char *why;

	if (in->at_end)
		return 0;
	if (make_room(in, err) < 0)
		return -1;
	got = gzread(in->file, in->bytes + in->to, (unsigned)(in->room - in->to));
	why = gzerror(in->file, &code);
	if (got < 0 || (got == 0 && code == Z_BUF_ERROR)) /* zlib's name for a gzip file that is cut short */
		return err_set(err, REASON_FILE_UNREADABLE, "%s: %s", in->name,
			       code == Z_ERRNO       ? strerror(errno)
			       : code == Z_BUF_ERROR ? "the gzip file is cut short"
						     : why);
	in->to += (size_t)got;
	in->at_end = got == 0;
	return 0;
}

int
input_more(struct input *in, struct err *err)
{
	do {
		if (read_some(in, err) < 0)
			return -1;
	} while (!in->begun && !in->at_end && in->to < MARK_BYTES);
	if (!in->begun && in->to >= MARK_BYTES && memcmp(in->bytes, MARK, MARK_BYTES) == 0)
		input_skip(in, MARK_BYTES);
	in->begun = true;
	return 0;
}

void
input_skip(struct input *in, size_t bytes)
{
	in->from += bytes;
}

/* Where the line at the beginning of the window ends, its newline not included, reading on until that is known; *WHOLE false:
 * the window is full before. */
static int
find_end(struct input *in, size_t *len, bool *whole, struct err *err)
{
	size_t seen = 0;

	for (;;) {
		struct span w = input_window(in);
		const char *nl = w.len > seen ? memchr(w.ptr + seen, '\n', w.len - seen) : NULL;

		*len = nl ? (size_t)(nl - w.ptr) : w.len;
		*whole = nl || in->at_end;
		if (*whole || w.len == INPUT_WINDOW_MAX)
			return 0;
		seen = w.len;
		if (input_more(in, err) < 0)
			return -1;
	}
}

int
input_line(struct input *in, struct span *text, bool *whole, struct err *err)
{
	size_t len;
	bool rest, newline;

	do {
		if (find_end(in, &len, whole, err) < 0)
			return -1;
		*text = (struct span){ input_window(in).ptr, len };
		newline = len < in->to - in->from;
		if (len == 0 && !newline)
			return 0;
		input_skip(in, len + newline);
		rest = in->inside;
		in->inside = !*whole;
	} while (rest);
	return 1;
}

int
input_whole_line(struct input *in, struct span *text, struct err *err)
{
	bool whole;
	int got = input_line(in, text, &whole, err);

	return got <= 0 || whole ? got : refuse_length(in, err);
}

double
input_share(const struct input *in)
{
	z_off_t at = in->size > 0 ? gzoffset(in->file) : -1, read = gztell(in->file);
	double taken = read > 0 ? (double)(read - (z_off_t)(in->to - in->from)) / (double)read : 0;

	return at < 0 ? -1 : taken * (double)at / (double)in->size;
}
