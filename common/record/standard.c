/* standard.c -- avro-c, the only file that includes it outside the tests. */
#include "common/record/standard.h"

#include <avro.h>

int
standard_accepts(struct span text, struct err *err)
{
	avro_schema_t schema = NULL;

	if (avro_schema_from_json_length(text.ptr, text.len, &schema) != 0)
		return err_set(err, REASON_SCHEMA_INVALID, "Apache Avro's C library refuses the schema: %s",
			       avro_strerror());
	avro_schema_decref(schema);
	return 0;
}
