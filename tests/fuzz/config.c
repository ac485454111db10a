/* config.c -- any bytes as a properties file. */
#include <string.h>

#include "common/config/options.h"
#include "tests/fuzz/target.h"

static int
visit(void *ctx, const char *key, const char *value, int line, struct err *err)
{
	size_t *n = ctx;

	*n += strlen(key) + strlen(value);
	if (line < 1)
		target_broken("a line below 1");
	return strcmp(key, "stop") == 0 ? err_set(err, REASON_OPTION_INVALID, "stop") : 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	size_t n = 0;

	if (properties_parse((struct span){ (const char *)data, size }, "fuzz", visit, &n, &err) < 0) {
		if (err.reason != REASON_FILE_INVALID && err.reason != REASON_OPTION_INVALID)
			target_broken(err.text);
	} else if (err.reason != REASON_NONE) {
		target_broken("a reason without a failure");
	}
	/* \u escapes are the only way to grow: six bytes become at most four. */
	if (n > size)
		target_broken("more text came out than went in");
	return 0;
}
