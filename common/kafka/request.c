/* request.c -- see request.h. */
#include "common/kafka/request.h"

void
request_clear_cleanup(struct request *r)
{
	if (r->answer)
		rd_kafka_event_destroy(r->answer);
	if (r->options)
		rd_kafka_AdminOptions_destroy(r->options);
	if (r->queue)
		rd_kafka_queue_destroy(r->queue);
}

/* The cluster says no to what was asked for: asking again does not help. */
static enum err_reason
admin_reason(rd_kafka_resp_err_t code)
{
	switch (code) {
	case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
	case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
	case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
	case RD_KAFKA_RESP_ERR_INVALID_REPLICA_ASSIGNMENT:
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
	case RD_KAFKA_RESP_ERR_INVALID_REQUEST:
	case RD_KAFKA_RESP_ERR_POLICY_VIOLATION: return REASON_TOPIC_MISMATCH;
	default: return client_reason(code);
	}
}

int
admin_error(struct cluster *c, rd_kafka_resp_err_t code, const char *text, const char *what, struct err *err)
{
	enum err_reason reason = admin_reason(code);
	bool trouble = reason == REASON_BROKER_DOWN && c->client.error[0];

	return err_set(err, reason, "%s: %s%s%s", what, text && *text ? text : rd_kafka_err2str(code),
		       trouble ? "; " : "", trouble ? c->client.error : "");
}

int
request_init(struct request *r, struct cluster *c, rd_kafka_admin_op_t op, bool validate_only, struct err *err)
{
	char text[256];

	r->queue = rd_kafka_queue_new(c->client.handle);
	r->options = rd_kafka_AdminOptions_new(c->client.handle, op);
	if (!r->queue || !r->options)
		return err_set(err, REASON_NO_MEMORY, "request to the Kafka cluster");
	if (rd_kafka_AdminOptions_set_request_timeout(r->options, c->timeout_ms, text, sizeof(text)) ||
	    (op == RD_KAFKA_ADMIN_OP_CREATETOPICS &&
	     rd_kafka_AdminOptions_set_operation_timeout(r->options, c->timeout_ms, text, sizeof(text))) ||
	    (validate_only && rd_kafka_AdminOptions_set_validate_only(r->options, 1, text, sizeof(text))))
		return err_set(err, REASON_INTERNAL, "request to the Kafka cluster: %s", text);
	return 0;
}

int
request_wait(struct request *r, struct cluster *c, const char *what, struct err *err)
{
	/* The client itself ends the request in time; the second more is for the answer to come round. */
	r->answer = rd_kafka_queue_poll(r->queue, c->timeout_ms + 1000);
	if (!r->answer)
		return admin_error(c, RD_KAFKA_RESP_ERR__TIMED_OUT, NULL, what, err);
	if (rd_kafka_event_error(r->answer))
		return admin_error(c, rd_kafka_event_error(r->answer), rd_kafka_event_error_string(r->answer), what,
				   err);
	return 0;
}
