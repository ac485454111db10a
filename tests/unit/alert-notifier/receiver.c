/* From options to receivers: who is told, under which name, and what is refused. */
#include "workers/alert-notifier/receiver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"

static const struct row {
	const char *name, *flags[4];
	const char *wanted; /* "name=url;" of each, or what the error says */
	enum err_reason reason;
} rows[] = {
	{ "nobody", { NULL }, "alertmanager.url or webhook.url", REASON_OPTION_INVALID },
	{ "both",
	  { "--alertmanager.url=http://am:9093/", "--webhook.url=https://u:p@hooks/x?token=t" },
	  "alertmanager am:9093=http://am:9093/api/v2/alerts;webhook=https://u:p@hooks/x?token=t;",
	  REASON_NONE },
	{ "a cluster, with a prefix and a password",
	  { "--alertmanager.url=http://u:p@a/am//, https://b" },
	  "alertmanager a:80/am=http://u:p@a/am/api/v2/alerts;alertmanager b:443=https://b/api/v2/alerts;",
	  REASON_NONE },
	{ "an IPv6 address", { "--webhook.url=http://[::1]:8080/" }, "webhook=http://[::1]:8080/;", REASON_NONE },
	{ "the same twice",
	  { "--alertmanager.url=http://a:80,http://a" },
	  "alertmanager.url: a:80 is there twice",
	  REASON_OPTION_INVALID },
	{ "too many",
	  { "--alertmanager.url=http://a,http://b,http://c,http://d,http://e,http://f,http://g,http://h,http://i" },
	  "more than 8",
	  REASON_OPTION_INVALID },
	{ "no URL", { "--webhook.url=hooks/x y" }, "webhook.url: not an http", REASON_OPTION_INVALID },
	{ "another scheme", { "--webhook.url=file:///etc/passwd" }, "webhook.url: not an http", REASON_OPTION_INVALID },
	{ "an address with a query",
	  { "--alertmanager.url=http://u:p@a/?tenant=x" },
	  "alertmanager.url: a:80: neither",
	  REASON_OPTION_INVALID },
	{ "a page",
	  { "--alertmanager.url=http://a", "--alert.page.url=https://g/d/{device}?id={id}" },
	  "alertmanager a:80=" },
	{ "a page without a scheme",
	  { "--alertmanager.url=http://a", "--alert.page.url=grafana/d/{device}" },
	  "alert.page.url: not an http",
	  REASON_OPTION_INVALID },
	{ "a page for a webhook alone",
	  { "--webhook.url=http://h", "--alert.page.url=app://{id}" },
	  "webhook=http://h;" },
	{ "labels", { "--webhook.url=http://h", "--alertmanager.labels= team = ops ,site=a b" }, "webhook=http://h;" },
	{ "a label without a value",
	  { "--webhook.url=http://h", "--alertmanager.labels=team" },
	  "\"team\"",
	  REASON_OPTION_INVALID },
	{ "a label of ours",
	  { "--webhook.url=http://h", "--alertmanager.labels=device=x" },
	  "\"device=x\"",
	  REASON_OPTION_INVALID },
	{ "a label's name that Prometheus does not know",
	  { "--webhook.url=http://h", "--alertmanager.labels=1st=x" },
	  "\"1st=x\"",
	  REASON_OPTION_INVALID },
};

static void
makes(void **state)
{
	const struct row *row = *state;
	struct notifier_options opt = { 0 };
	const struct option_set set = { "alert-notifier", notifier_option_table, notifier_option_count, &opt };
	const struct option_program program = { "alert-notifier", "", &set, 1, NULL, 0 };
	char name[] = "alert-notifier", uri[] = "--postgres.uri=postgresql://x", flags[4][160], text[1000] = "";
	char *argv[7] = { name, uri };
	enum options_verdict verdict = OPTIONS_RUN;
	struct receivers r = { 0 };
	struct err err = ERR_INIT;
	int argc = 2;

	for (size_t i = 0; i < ARRAY_LEN(flags) && row->flags[i]; i++) {
		snprintf(flags[i], sizeof(flags[i]), "%s", row->flags[i]);
		argv[argc++] = flags[i];
	}
	assert_int_equal(options_load(&program, argc, argv, NULL, NULL, &verdict, &err), 0);
	receivers_init(&r, &opt, &err);
	assert_int_equal(err.reason, row->reason);
	for (size_t i = 0; !err.reason && i < r.n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s=%s;", r.items[i].name, r.items[i].url);
	if (!strstr(err.reason ? err.text : text, row->wanted))
		fail_msg("\"%s\" does not say \"%s\"", err.reason ? err.text : text, row->wanted);
	assert_null(strstr(err.text, "u:p"));
	if (strcmp(row->name, "labels") == 0) {
		assert_int_equal(r.rule.n_labels, 2);
		assert_true(span_equal(r.labels[0].name, SPAN("team")) && span_equal(r.labels[0].value, SPAN("ops")));
		assert_true(span_equal(r.labels[1].value, SPAN("a b")));
	}
	receivers_clear(&r);
	options_clear(&program);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] =
		    (struct CMUnitTest){ .name = rows[i].name, .test_func = makes, .initial_state = (void *)&rows[i] };
	return _cmocka_run_group_tests("receiver", tests, ARRAY_LEN(rows), NULL, NULL);
}
