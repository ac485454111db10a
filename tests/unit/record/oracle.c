/* oracle.c -- generic values of avro-c 1.11; its memory writer needs a size beforehand. */
#include "tests/unit/record/oracle.h"

#include <avro.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"

#define OUT_BYTES (1 << 20)

struct oracle {
	avro_schema_t written, read;
	avro_value_iface_t *generic, *resolver;
	avro_value_t value;   /* of the schema that is read */
	avro_value_t decoder; /* the same value, as the writer's schema sees it */
	char *bytes;
};

struct oracle *
oracle_new(const char *schema, const char *resolved_to)
{
	struct oracle *o = calloc(1, sizeof(*o));
	const char *to = resolved_to ? resolved_to : schema;

	o->bytes = malloc(OUT_BYTES);
	if (avro_schema_from_json_length(schema, strlen(schema), &o->written) ||
	    avro_schema_from_json_length(to, strlen(to), &o->read)) {
		oracle_free(o);
		return NULL;
	}
	o->generic = avro_generic_class_from_schema(o->read);
	avro_generic_value_new(o->generic, &o->value);
	if (resolved_to) {
		o->resolver = avro_resolved_writer_new(o->written, o->read);
		if (!o->resolver) {
			oracle_free(o);
			return NULL;
		}
		avro_resolved_writer_new_value(o->resolver, &o->decoder);
		avro_resolved_writer_set_dest(&o->decoder, &o->value);
	}
	return o;
}

void
oracle_free(struct oracle *o)
{
	if (o->resolver) {
		avro_value_decref(&o->decoder);
		avro_value_iface_decref(o->resolver);
	}
	if (o->generic) {
		avro_value_decref(&o->value);
		avro_value_iface_decref(o->generic);
	}
	if (o->written)
		avro_schema_decref(o->written);
	if (o->read)
		avro_schema_decref(o->read);
	free(o->bytes);
	free(o);
}

static int
encode(struct oracle *o, struct buffer *out)
{
	avro_writer_t w = avro_writer_memory(o->bytes, OUT_BYTES);
	int failed = avro_value_write(w, &o->value);

	if (!failed)
		buffer_append(out, o->bytes, (size_t)avro_writer_tell(w));
	avro_writer_free(w);
	return failed ? -1 : 0;
}

int
oracle_repeat(struct oracle *o, struct span body, struct buffer *out)
{
	avro_reader_t r = avro_reader_memory(body.ptr, (int64_t)body.len);
	int failed;
	char more;

	avro_value_reset(&o->value);
	failed = avro_value_read(r, o->resolver ? &o->decoder : &o->value);
	if (!failed && body.len > 0 && avro_read(r, &more, 1) == 0)
		failed = -1;
	avro_reader_free(r);
	return failed ? -1 : encode(o, out);
}

struct dice {
	uint64_t number, counter;
};

static uint64_t
roll(struct dice *d)
{
	return random_u64(3, d->number, d->counter++);
}

static void
fill(struct dice *d, avro_value_t *v)
{
	avro_value_t inner;
	size_t n = 0;
	char text[16];
	double real = random_normal(4, d->number, d->counter++);

	memset(text, 'x', sizeof(text));
	switch (avro_value_get_type(v)) {
	case AVRO_NULL: avro_value_set_null(v); break;
	case AVRO_BOOLEAN: avro_value_set_boolean(v, roll(d) & 1); break;
	case AVRO_INT32: avro_value_set_int(v, (int32_t)roll(d)); break;
	case AVRO_INT64: avro_value_set_long(v, (int64_t)roll(d) >> (roll(d) % 64)); break;
	case AVRO_FLOAT: avro_value_set_float(v, (float)real); break;
	case AVRO_DOUBLE: avro_value_set_double(v, real); break;
	case AVRO_STRING: avro_value_set_string_len(v, "0123456789\0", 1 + roll(d) % 10); break;
	case AVRO_BYTES: avro_value_set_bytes(v, text, roll(d) % sizeof(text)); break;
	case AVRO_FIXED:
		avro_value_get_fixed(v, NULL, &n);
		avro_value_set_fixed(v, text, n);
		break;
	case AVRO_ENUM:
		avro_value_set_enum(
		    v, (int)(roll(d) % (uint64_t)avro_schema_enum_number_of_symbols(avro_value_get_schema(v))));
		break;
	case AVRO_RECORD:
		avro_value_get_size(v, &n);
		for (size_t i = 0; i < n; i++) {
			avro_value_get_by_index(v, i, &inner, NULL);
			fill(d, &inner);
		}
		break;
	case AVRO_ARRAY:
		for (n = roll(d) % 5; n > 0; n--) {
			avro_value_append(v, &inner, NULL);
			fill(d, &inner);
		}
		break;
	case AVRO_MAP:
		for (n = roll(d) % 5; n > 0; n--) {
			memset(text, 0, sizeof(text));
			text[0] = (char)('a' + n);
			avro_value_add(v, text, &inner, NULL, NULL);
			fill(d, &inner);
		}
		break;
	case AVRO_UNION:
		n = avro_schema_union_size(avro_value_get_schema(v));
		avro_value_set_branch(v, (int)(roll(d) % n), &inner);
		fill(d, &inner);
		break;
	default: break;
	}
}

void
oracle_random(struct oracle *o, uint64_t number, struct buffer *out)
{
	struct dice d = { number, 0 };

	avro_value_reset(&o->value);
	fill(&d, &o->value);
	encode(o, out);
}
