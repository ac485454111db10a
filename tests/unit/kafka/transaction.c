/* Each class of failure has one remedy. */
#include "common/kafka/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct row {
	const char *name;
	struct transaction_failure failure; /* fatal, retriable, requires_abort, reason */
	bool out_of_time;
	enum transaction_outcome outcome;
} rows[] = {
	{ "retriable: call again", { false, true, false, REASON_BROKER_DOWN }, false, TRANSACTION_DONE },
	{ "retriable, out of time: its fate is unknown",
	  { false, true, false, REASON_BROKER_DOWN },
	  true,
	  TRANSACTION_RENEW },
	{ "asks for an abort", { false, false, true, REASON_BROKER_DOWN }, false, TRANSACTION_ABORTED },
	{ "asks for an abort and may be retried",
	  { false, true, true, REASON_TOPIC_MISSING },
	  false,
	  TRANSACTION_ABORTED },
	{ "fenced", { true, false, false, REASON_FENCED }, false, TRANSACTION_FENCED },
	{ "fenced wins over an abort", { false, false, true, REASON_FENCED }, false, TRANSACTION_FENCED },
	{ "no rights", { false, false, false, REASON_BROKER_REFUSES_US }, false, TRANSACTION_REFUSED },
	{ "fatal for the client", { true, false, false, REASON_INTERNAL }, false, TRANSACTION_RENEW },
	{ "not flagged at all: never go on to commit",
	  { false, false, false, REASON_BROKER_DOWN },
	  false,
	  TRANSACTION_RENEW },
};

static void
decides(void **state)
{
	const struct row *row = *state;

	assert_int_equal(transaction_decide(&row->failure, row->out_of_time), row->outcome);
}

int
main(void)
{
	struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0])];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name,
						.test_func = decides,
						.initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
