/* topicpage.c -- see topicpage.h. */
#include "cli/topicpage.h"

#include <stdlib.h>
#include <string.h>

static const char head[] =
    "# Topics\n\n"
    "Printed by `docs/generate` from `deploy/topics.properties`; do not edit.\n\n"
    "`forebay topics apply` makes a cluster agree with that file, as often as you like; `forebay topics diff` says what it\n"
    "would do, `--dry-run` lets the cluster validate it. Replication is the broker's default unless `--replication` states it.\n\n"
    "What may be changed later is altered: retention, sizes, time stamps. Refused, with nothing changed, is what would break\n"
    "the line:\n\n"
    "- another number of partitions: a device would move away from its history and its state;\n"
    "- another replication: replicas are moved by Kafka's own tool;\n"
    "- a clean-up policy that would delete or thin out what is kept now.\n\n"
    "Keys are device ids in UTF-8 wherever a record is about a device, and the partition is murmur2 of the key, as Java's\n"
    "clients choose it.\n\n"
    "| topic | what it carries | partitions | kept | largest message |\n|---|---|---:|---|---:|\n";

static void
print_kept(const struct cluster_topic *t, FILE *out)
{
	const char *policy = topic_setting(t, "cleanup.policy"), *retention = topic_setting(t, "retention.ms");
	long long ms = retention ? atoll(retention) : 0;

	if (policy && strcmp(policy, "compact") == 0)
		fputs("the latest of each key", out);
	else if (!retention)
		fputs("as the broker says", out);
	else if (ms < 0)
		fputs("for ever", out);
	else if (ms % 86400000 == 0)
		fprintf(out, "%lld day%s", ms / 86400000, ms == 86400000 ? "" : "s");
	else
		fprintf(out, "%lld ms", ms);
}

int
topic_page(const struct topic_file *file, FILE *out)
{
	fputs(head, out);
	for (size_t i = 0; i < file->n_topics; i++) {
		const struct cluster_topic *t = &file->topics[i].topic;
		const char *bytes = topic_setting(t, "max.message.bytes");

		fprintf(out, "| `%s` | %s | %d | ", t->name, file->topics[i].doc, t->partitions);
		print_kept(t, out);
		fprintf(out, " | %s |\n", bytes ? bytes : "");
	}
	return fflush(out) || ferror(out) ? -1 : 0;
}
