/*
 * intake.c -- Avro becomes JSON and then goes the same way as all else: the path maps see one world, and the slow path is
 * the rare one.
 */
#include "workers/ingest-router/intake.h"

#define JSON_PER_AVRO 16 /* how much larger a message may be as JSON */

void
intake_init(struct intake *in, enum input_format format, size_t max_bytes, struct registry *registry)
{
	*in = (struct intake){ .format = format, .max_bytes = max_bytes, .registry = registry };
	in->json.max = max_bytes * JSON_PER_AVRO;
}

void
intake_clear(struct intake *in)
{
	buffer_clear(&in->json);
}

static bool
is_avro(const struct intake *in, struct span value, struct span schema_id)
{
	switch (in->format) {
	case INPUT_JSON: return false;
	case INPUT_AVRO: return true;
	case INPUT_AUTO: break;
	}
	return schema_id.ptr || (value.len && value.ptr[0] == '\0');
}

int
intake_json(struct intake *in, struct span value, struct span schema_id, struct span *ret, struct err *err)
{
	struct err why = ERR_INIT;

	if (!value.ptr)
		return err_set(err, REASON_EMPTY_VALUE, "a tombstone");
	if (value.len > in->max_bytes)
		return err_set(err, REASON_MESSAGE_TOO_LARGE, "%zu bytes, %zu are allowed", value.len, in->max_bytes);
	*ret = value;
	if (!is_avro(in, value, schema_id))
		return 0;
	in->json.len = 0;
	if (codec_to_json(in->registry, value, schema_id, &in->json, &why) < 0) {
		/* A buffer near its maximum did not fail for want of memory: that is the record's doing. */
		if (why.reason == REASON_NO_MEMORY && in->json.cap > in->json.max / 4)
			why.reason = REASON_MESSAGE_TOO_LARGE;
		return err_set(err, why.reason, "%s", why.text);
	}
	*ret = buffer_span(&in->json);
	return 0;
}
