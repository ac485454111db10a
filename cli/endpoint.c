/* endpoint.c -- see endpoint.h. */
#include "cli/endpoint.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 5000L

/* One "name=host:port". */
static int
parse_one(struct span word, struct arena *arena, struct endpoint *ret, struct err *err)
{
	const char *equals = memchr(word.ptr, '=', word.len);
	size_t name = equals ? (size_t)(equals - word.ptr) : 0;

	if (name == 0 || name + 1 == word.len || !memchr(equals, ':', word.len - name))
		return err_set(err, REASON_USAGE, "--workers: '%.*s' is not name=host:port", SPAN_ARG(word));
	ret->name = arena_copy(arena, (struct span){ word.ptr, name }).ptr;
	ret->address = arena_copy(arena, (struct span){ equals + 1, word.len - name - 1 }).ptr;
	return ret->name && ret->address ? 0 : err_set(err, REASON_NO_MEMORY, "--workers");
}

int
endpoints_parse(const char *list, struct arena *arena, struct endpoint **ret, size_t *n, struct err *err)
{
	size_t most = 1;

	for (const char *c = list; *c; c++)
		most += *c == ',';
	*n = 0;
	*ret = arena_alloc(arena, most * sizeof(**ret));
	if (!*ret)
		return err_set(err, REASON_NO_MEMORY, "--workers");
	while (*list) {
		struct span word = { list, strcspn(list, ",") };

		if (word.len > 0 && parse_one(word, arena, &(*ret)[(*n)++], err) < 0)
			return -1;
		list += word.len + (list[word.len] == ',');
	}
	return 0;
}

static size_t
receive(char *bytes, size_t size, size_t n, void *out)
{
	return buffer_append(out, bytes, size * n) < 0 ? 0 : size * n;
}

int
endpoint_get(const struct endpoint *e, const char *path, struct buffer *out, struct err *err)
{
	CURL *curl = curl_easy_init();
	char url[512];
	long status = 0;
	CURLcode code;

	if (!curl)
		return err_set(err, REASON_NO_MEMORY, "HTTP client");
	snprintf(url, sizeof(url), "http://%s%s", e->address, path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	if (code == CURLE_WRITE_ERROR)
		return err_set(err, REASON_NO_MEMORY, "%s: the answer is too large", url);
	if (code)
		return err_set(err, REASON_IO, "%s: %s", url, curl_easy_strerror(code));
	return status == 200 ? 0 : err_set(err, REASON_IO, "%s: HTTP status %ld", url, status);
}
