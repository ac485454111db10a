/* Prefixes and headers: which schema, and where the body begins. */
#include "common/record/framing.h"

#include "tests/unit/record/support.h"

#define BYTES(literal)                       \
	{                                    \
		literal, sizeof(literal) - 1 \
	}
#define GUID "\x42\x47\x5b\xcd\xb6\xf0\x4f\x00\xbf\x2a\x42\x35\x05\x98\x86\xeb"
#define NONE            \
	{               \
		NULL, 0 \
	}

static const struct row {
	const char *name;
	struct span value, header;
	enum err_reason reason;
	int kind;
	int32_t id;
	size_t body_bytes;
} rows[] = {
	{ "id", BYTES("\0\0\0\1\2body"), NONE, REASON_NONE, FRAMED_BY_ID, 258, 4 },
	{ "id, no body", BYTES("\0\0\0\0\1"), NONE, REASON_NONE, FRAMED_BY_ID, 1, 0 },
	{ "greatest id", BYTES("\0\x7f\xff\xff\xff!"), NONE, REASON_NONE, FRAMED_BY_ID, INT32_MAX, 1 },
	{ "guid", BYTES("\1" GUID "body"), NONE, REASON_NONE, FRAMED_BY_GUID, 0, 4 },
	{ "header with an id", BYTES("body"), BYTES("\0\0\0\0\7"), REASON_NONE, FRAMED_BY_ID, 7, 4 },
	{ "header with a guid", BYTES("body"), BYTES("\1" GUID), REASON_NONE, FRAMED_BY_GUID, 0, 4 },
	{ "the header goes first", BYTES("\0\0\0\0\1body"), BYTES("\0\0\0\0\7"), REASON_NONE, FRAMED_BY_ID, 7, 9 },
	{ "header, empty body", BYTES(""), BYTES("\0\0\0\0\7"), REASON_NONE, FRAMED_BY_ID, 7, 0 },
	{ "tombstone", NONE, NONE, REASON_EMPTY_VALUE, 0, 0, 0 },
	{ "tombstone with a header", NONE, BYTES("\0\0\0\0\7"), REASON_EMPTY_VALUE, 0, 0, 0 },
	{ "empty", BYTES(""), NONE, REASON_AVRO_FRAMING, 0, 0, 0 },
	{ "cut id", BYTES("\0\0\0\1"), NONE, REASON_AVRO_FRAMING, 0, 0, 0 },
	{ "cut guid", BYTES("\1\2\3\4\5\6\7"), NONE, REASON_AVRO_FRAMING, 0, 0, 0 },
	{ "wrong magic", BYTES("\2\0\0\0\1body"), NONE, REASON_AVRO_FRAMING, 0, 0, 0 },
	{ "JSON", BYTES("{\"device\":1}"), NONE, REASON_AVRO_FRAMING, 0, 0, 0 },
	{ "Avro file", BYTES("Obj\1....."), NONE, REASON_AVRO_FRAMING, 0, 0, 0 },
	{ "header too long", BYTES("body"), BYTES("\0\0\0\0\7\7"), REASON_AVRO_FRAMING, 0, 0, 0 },
	{ "header too short", BYTES("body"), BYTES("\0"), REASON_AVRO_FRAMING, 0, 0, 0 },
	{ "header empty", BYTES("body"), BYTES(""), REASON_AVRO_FRAMING, 0, 0, 0 },
};

static void
parses(void **state)
{
	for (const struct row *row = rows; row < rows + sizeof(rows) / sizeof(rows[0]); row++) {
		struct framing f = { 0 };
		struct err err = ERR_INIT;
		int ret = framing_parse(row->value, row->header, &f, &err);

		if (err.reason != row->reason || ret != (row->reason ? -1 : 0))
			fail_msg("%s: %s %s", row->name, err_reason_name(err.reason), err.text);
		if (ret)
			continue;
		if ((int)f.kind != row->kind || f.body.len != row->body_bytes || !f.body.ptr)
			fail_msg("%s: kind %d, body of %zu", row->name, f.kind, f.body.len);
		if (f.kind == FRAMED_BY_ID)
			assert_int_equal(f.id, row->id);
		else
			assert_memory_equal(f.guid, GUID, GUID_BYTES);
	}
}

static void
prefix_is_read_again(void **state)
{
	char bytes[FRAMING_ID_BYTES + 1] = { 0 };
	struct framing f;

	framing_prefix(0x01020384, bytes);
	assert_memory_equal(bytes, "\0\1\2\3\x84", 5);
	OK(framing_parse((struct span){ bytes, sizeof(bytes) }, SPAN_NONE, &f, why));
	assert_int_equal(f.id, 0x01020384);
}

static void
guids(void **state)
{
	static const char *const bad[] = { "", "42475bcd", "42475bcdb6f04f00bf2a4235059886eb0000",
					   "42475bcd-b6f0-4f00-bf2a-42350598 6eb",
					   "42475bcd-b6f0-4f00-bf2a_4235059886eb" };
	unsigned char guid[GUID_BYTES];
	char text[GUID_TEXT_BYTES];

	assert_int_equal(guid_parse(SPAN("42475BCD-b6f0-4f00-bf2a-4235059886eb"), guid), 0);
	assert_memory_equal(guid, GUID, GUID_BYTES);
	guid_text(guid, text);
	assert_string_equal(text, "42475bcd-b6f0-4f00-bf2a-4235059886eb");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(guid_parse(span_of(bad[i]), guid), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(prefix_is_read_again),
		cmocka_unit_test(guids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
