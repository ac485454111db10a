/*
 * request.h -- one administrative request and its answer; for the files behind admin.h only.  librdkafka answers as events
 * on a queue: each request has a queue of its own, is waited for, and is over when it leaves its scope.
 */
#ifndef FOREBAY_KAFKA_REQUEST_H
#define FOREBAY_KAFKA_REQUEST_H

#include <stdbool.h>

#include "common/kafka/admin.h"
#include "common/kafka/private.h"

struct cluster {
	struct client client; /* first: the opaque of the callbacks */
	int timeout_ms;
};

struct request {
	rd_kafka_queue_t *queue;
	rd_kafka_AdminOptions_t *options;
	rd_kafka_event_t *answer;
};

void request_clear_cleanup(struct request *r);

int request_init(struct request *r, struct cluster *c, rd_kafka_admin_op_t op, bool validate_only, struct err *err);

/* -1: no answer in time, or an answer that refuses it as a whole; WHAT is put in front of the text. */
int request_wait(struct request *r, struct cluster *c, const char *what, struct err *err);

/* "WHAT: TEXT", or librdkafka's words for CODE where TEXT is NULL or empty.  Returns -1. */
int admin_error(struct cluster *c, rd_kafka_resp_err_t code, const char *text, const char *what, struct err *err);

#endif
