/* names.c -- see names.h. */
#include "common/worker/names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LEGAL "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define LONGEST 249 /* Kafka's limit */

void
names_free(char **words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(words[i]);
	free(words);
}

int
names_split(const char *text, char ***ret, size_t *n, struct err *err)
{
	size_t cap = 1;

	for (const char *p = text; *p; p++)
		cap += *p == ',';
	*ret = calloc(cap, sizeof(char *));
	*n = 0;
	while (*ret && *text) {
		size_t len, kept;

		text += strspn(text, ", ");
		len = kept = strcspn(text, ",");
		while (kept && text[kept - 1] == ' ')
			kept--;
		if (kept && !((*ret)[(*n)++] = strndup(text, kept)))
			return err_set(err, REASON_NO_MEMORY, "topics");
		text += len;
	}
	return *ret ? 0 : err_set(err, REASON_NO_MEMORY, "topics");
}

static int
check_one(const char *key, const char *topic, struct err *err)
{
	size_t len = strlen(topic);

	if (len > 0 && len <= LONGEST && strspn(topic, LEGAL) == len && strcmp(topic, ".") != 0 &&
	    strcmp(topic, "..") != 0)
		return 0;
	return err_set(err, REASON_OPTION_INVALID,
		       "%s: \"%s\" is no name of a topic: 1 to %d letters, digits, dots, underscores and dashes", key,
		       topic, LONGEST);
}

static bool
holds(char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

int
names_check_inputs(char *const *read, size_t n_read, char *const *side, size_t n_side, struct err *err)
{
	for (size_t i = 0; i < n_read; i++) {
		if (check_one("topics", read[i], err) < 0)
			return -1;
		if (holds(read, i, read[i]))
			return err_set(err, REASON_OPTION_INVALID, "topics: %s is named twice", read[i]);
	}
	for (size_t i = 0; i < n_side; i++) {
		if (check_one("side.topics", side[i], err) < 0)
			return -1;
		if (holds(side, i, side[i]) || holds(read, n_read, side[i]))
			return err_set(err, REASON_OPTION_INVALID, "side.topics: %s is named twice", side[i]);
	}
	return 0;
}

int
names_check_output(const char *topic, char *const *read, size_t n_read, char *const *side, size_t n_side,
		   struct err *err)
{
	if (check_one("the topic to write", topic, err) < 0)
		return -1;
	if (holds(read, n_read, topic) || holds(side, n_side, topic))
		return err_set(err, REASON_OPTION_INVALID,
			       "%s is read and written: the worker would feed itself; choose another topic to write",
			       topic);
	return 0;
}
