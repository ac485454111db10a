/*
 * avro_tool -- our codec as a filter, for the tests that set other Avro libraries against it.
 *
 *	avro_tool REGISTRY_URL SCHEMA_DIR encode RECORD TOPIC		JSON -> structure -> framed Avro
 *	avro_tool REGISTRY_URL SCHEMA_DIR decode RECORD TOPIC [HEADER]	framed Avro -> structure -> JSON
 *
 * From standard input to standard output.  HEADER is the header __value_schema_id in hexadecimal digits.  Exit code 1
 * with "REASON: text" on standard error.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/record/codec.h"
#include "common/record/framing.h"
#include "common/record/json.h"
#include "common/record/type.h"

#define INPUT_BYTES_MAX (16 << 20)

struct tool {
	struct registry *registry;
	const struct record_type *type;
	struct codec *codec;
	struct arena *arena;
	struct buffer in, out;
};

static int
read_input(struct buffer *in, struct err *err)
{
	char chunk[4096];
	size_t n;

	while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0) {
		if (buffer_append(in, chunk, n) < 0)
			return err_set(err, REASON_IO, "too much input");
	}
	return buffer_append(in, "", 1) < 0 ? err_set(err, REASON_NO_MEMORY, "input") : (in->len--, 0);
}

/* The way goes through the structure, so the JSON first becomes bytes of our own schema. */
static int
encode(struct tool *t, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(INPUT_BYTES_MAX);
	const struct schema_document *own;
	void *record = arena_zalloc(t->arena, t->type->shape->size);
	struct writer w = { &bytes, false };
	char prefix[FRAMING_ID_BYTES];
	json_t *json = json_loadb(t->in.ptr, t->in.len, JSON_ALLOW_NUL, NULL);
	int failed;

	if (!json || !record)
		return err_set(err, REASON_JSON_SYNTAX, "the input is no JSON");
	if (registry_by_id(t->registry, codec_schema_id(t->codec), &own, err) < 0) {
		json_decref(json);
		return -1;
	}
	framing_prefix(codec_schema_id(t->codec), prefix);
	writer_bytes(&w, prefix, sizeof(prefix));
	failed = json_to_avro(own->root, json, JSON_PLAIN, &w, err);
	json_decref(json);
	if (failed || codec_decode(t->codec, buffer_span(&bytes), SPAN_NONE, t->arena, record, err) < 0)
		return -1;
	return codec_encode(t->codec, record, &t->out, err);
}

static int
decode(struct tool *t, struct span header, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(INPUT_BYTES_MAX);
	void *record = arena_zalloc(t->arena, t->type->shape->size);

	if (!record)
		return err_set(err, REASON_NO_MEMORY, "record");
	if (codec_decode(t->codec, buffer_span(&t->in), header, t->arena, record, err) < 0 ||
	    codec_encode(t->codec, record, &bytes, err) < 0)
		return -1;
	return codec_to_json(t->registry, buffer_span(&bytes), SPAN_NONE, &t->out, err);
}

static struct span
from_hex(const char *text, char *bytes, size_t size)
{
	size_t n = 0;

	for (unsigned v; n < size && sscanf(text + 2 * n, "%2x", &v) == 1; n++)
		bytes[n] = (char)v;
	return (struct span){ bytes, n };
}

static int
run(struct tool *t, int argc, char **argv, struct err *err)
{
	char header[64];

	if (argc < 6)
		return err_set(err, REASON_USAGE, "REGISTRY_URL SCHEMA_DIR encode|decode RECORD TOPIC [HEADER]");
	for (size_t i = 0; record_types[i]; i++) {
		if (strcmp(record_types[i]->name, argv[4]) == 0)
			t->type = record_types[i];
	}
	if (!t->type)
		return err_set(err, REASON_USAGE, "no record %s", argv[4]);
	if (registry_new(argv[1], argv[2], &t->registry, err) < 0 ||
	    codec_new(t->registry, t->type, argv[5], &t->codec, err) < 0 || read_input(&t->in, err) < 0)
		return -1;
	if (strcmp(argv[3], "encode") == 0)
		return encode(t, err);
	return decode(t, argc > 6 ? from_hex(argv[6], header, sizeof(header)) : SPAN_NONE, err);
}

int
main(int argc, char **argv)
{
	struct tool t = { .arena = arena_new(65536, 0),
			  .in = BUFFER_INIT(INPUT_BYTES_MAX),
			  .out = BUFFER_INIT(INPUT_BYTES_MAX) };
	struct err err = ERR_INIT;
	int failed = !t.arena || run(&t, argc, argv, &err) < 0;

	if (failed)
		fprintf(stderr, "%s: %s\n", err_reason_name(err.reason), err.text);
	else if (t.out.len > 0)
		failed = fwrite(t.out.ptr, t.out.len, 1, stdout) != 1;
	codec_free(t.codec);
	registry_free(t.registry);
	arena_free(t.arena);
	buffer_clear(&t.in);
	buffer_clear(&t.out);
	return failed;
}
