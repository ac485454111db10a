/*
 * alert-notifier -- tells the outside of alerts: what fires, what is over.
 *
 *	alerts --> decode --> what each receiver is owed --> forebay.deliveries --> [offset committed]
 *	                                                        |       ^
 *	courier, a thread of its own:                      take |       | delivered, again later, refused
 *	                                                        v       |
 *	                                                     HTTP: Alertmanager, webhook
 *	what a receiver refuses, or does not take for too long --> alerts.dlq
 *
 *	notifier.c    the loop's calls            payload.c    an alert as JSON
 *	deliveries.c  the table's statements      receiver.c   who is told, with which headers (signature.c)
 *	courier.c     the thread                  lane.c       one receiver's requests (verdict.c: what an answer means)
 */
#include "workers/alert-notifier/notifier.h"

int
main(int argc, char **argv)
{
	struct notifier n = { 0 };
	const struct option_set own = { "alert-notifier", notifier_option_table, notifier_option_count, &n.options };

	return worker_main(&notifier_spec, &n, &own, 1, argc, argv);
}
