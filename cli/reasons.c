/* reasons.c -- `forebay reasons`: why records fail, from schemas/reasons.def.  `page` prints docs/dead-letters.md. */
#include <stdio.h>
#include <string.h>

#include "cli/verbs.h"
#include "common/base/error.h"

static const char page_head[] =
    "# Dead letters\n\n"
    "Printed by `docs/generate` from `schemas/reasons.def`; do not edit.\n\n"
    "A record that cannot be processed goes to `<topic>.dlq`, to the same partition number, with its key, value, headers and\n"
    "time stamp untouched, in the same transaction as the offsets: it is neither lost nor repeated. These headers are added:\n\n"
    "| header | content |\n|---|---|\n"
    "| `forebay.reason` | one of the names below; names never change their meaning |\n"
    "| `forebay.worker` | who gave up |\n"
    "| `forebay.device` | the record's key |\n"
    "| `forebay.attempt` | 1, and one more each time a redriven record fails again |\n"
    "| `forebay.first.failed.at` | ISO 8601, kept over redrives |\n"
    "| `forebay.schema.id` | the id in the value's Confluent prefix, where it has one |\n"
    "| `forebay.replay.id` | of the replay that brought the record, where one did |\n"
    "| `forebay.timestamp.ms` | the original time stamp, where the dead-letter topic refused it |\n"
    "| `__connect.errors.*` | Kafka Connect's ten: `topic`, `partition`, `offset`, `connector.name`, `task.id`, `stage`, `class.name`, "
    "`exception.class.name`, `exception.message`, `exception.stacktrace` |\n";

static const struct section {
	enum err_class class;
	const char *title, *text;
} sections[] = {
	{ ERR_RECORD, "The record is at fault", "These are dead-lettered; the line goes on." },
	{ ERR_RETRY, "The world is at fault",
	  "These never dead-letter a record: the worker waits, says so in its log and in `/health`, and tries again "
	  "(`errors.retry.*`)." },
	{ ERR_FATAL, "The set-up is at fault",
	  "These stop the worker with nothing of the open transaction committed." },
};

static void
print_page(void)
{
	fputs(page_head, stdout);
	for (size_t s = 0; s < sizeof(sections) / sizeof(sections[0]); s++) {
		printf("\n## %s\n\n%s\n\n| reason | meaning | what to do |\n|---|---|---|\n", sections[s].title,
		       sections[s].text);
		for (int r = 1; r < REASON_COUNT; r++)
			if (err_reason_class(r) == sections[s].class)
				printf("| `%s` | %s | %s |\n", err_reason_name(r), err_reason_meaning(r),
				       err_reason_remedy(r));
	}
}

static const char usage[] = "usage: forebay reasons [page]: why records fail; page prints docs/dead-letters.md";

int
verb_reasons(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "page") == 0) {
		print_page();
		return EXIT_DONE;
	}
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		puts(usage);
		return EXIT_DONE;
	}
	if (argc > 1) {
		fprintf(stderr, "forebay reasons: %s\n", usage);
		return EXIT_WRONG_USAGE;
	}
	for (int r = 1; r < REASON_COUNT; r++)
		printf("%-24s %s\n", err_reason_name(r), err_reason_meaning(r));
	return EXIT_DONE;
}
