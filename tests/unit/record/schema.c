/* Schemas: what is one, what is none, and what makes two the same. */
#include "common/record/schema.h"

#include "common/record/utf8.h"
#include "tests/unit/record/support.h"

static const struct row {
	const char *text, *canonical; /* canonical NULL: refused; ' stands for " */
} rows[] = {
	{ "'long'", "'long'" },
	{ "{'type':'long','logicalType':'timestamp-micros'}", "'long'" },
	{ "{'type':{'type':'string','avro.java.string':'String'}}", "'string'" },
	{ "['null','string']", "['null','string']" },
	{ "{'type':'array','items':{'type':'map','values':'double'}}",
	  "{'type':'array','items':{'type':'map','values':'double'}}" },
	{ "{'type':'fixed','name':'F','namespace':'a.b','size':16}", "{'name':'a.b.F','type':'fixed','size':16}" },
	{ "{'type':'enum','name':'a.E','symbols':['X','Y'],'default':'X','doc':'d'}",
	  "{'name':'a.E','type':'enum','symbols':['X','Y']}" },
	{ "{'type':'record','name':'R','namespace':'n','doc':'d','fields':["
	  "{'name':'a','type':{'type':'record','name':'S','fields':[]},'default':{}},{'name':'b','type':'S'},"
	  "{'name':'c','type':'n.S','aliases':['x']}]}",
	  "{'name':'n.R','type':'record','fields':["
	  "{'name':'a','type':{'name':'n.S','type':'record','fields':[]}},{'name':'b','type':'n.S'},"
	  "{'name':'c','type':'n.S'}]}" },
	{ "{'type':'record','name':'List','fields':[{'name':'next','type':['null','List']}]}",
	  "{'name':'List','type':'record','fields':[{'name':'next','type':['null','List']}]}" },
	{ "", NULL },
	{ "{", NULL },
	{ "7", NULL },
	{ "'strange'", NULL },
	{ "[]", NULL },
	{ "['null','null']", NULL },
	{ "['null',['int']]", NULL },
	{ "{'type':'record','name':'R'}", NULL },
	{ "{'type':'record','fields':[]}", NULL },
	{ "{'type':'record','name':'9','fields':[]}", NULL },
	{ "{'type':'record','name':'a..b','fields':[]}", NULL },
	{ "{'type':'record','name':'R','fields':[{'name':'a'}]}", NULL },
	{ "{'type':'record','name':'R','fields':[{'type':'int'}]}", NULL },
	{ "{'type':'record','name':'R','fields':[{'name':'a','type':'int'},{'name':'a','type':'int'}]}", NULL },
	{ "{'type':'record','name':'R','name':'S','fields':[]}", NULL },
	{ "['int',{'type':'record','name':'R','fields':[{'name':'r','type':{'type':'fixed','name':'R','size':1}}]}]",
	  NULL },
	{ "{'type':'enum','name':'E','symbols':[]}", NULL },
	{ "{'type':'enum','name':'E','symbols':['A'],'default':'B'}", NULL },
	{ "{'type':'fixed','name':'F','size':-1}", NULL },
	{ "{'type':'fixed','name':'F'}", NULL },
	{ "{'type':'array'}", NULL },
};

static void
with_quotes(const char *text, struct buffer *out)
{
	out->len = 0;
	buffer_append(out, text, strlen(text) + 1);
	out->len--;
	for (size_t i = 0; i < out->len; i++)
		out->ptr[i] = out->ptr[i] == '\'' ? '"' : out->ptr[i];
}

static void
parses(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(0);
	CLEANUP(buffer_clear)
	struct buffer want = BUFFER_INIT(0);

	for (const struct row *row = rows; row < rows + sizeof(rows) / sizeof(rows[0]); row++) {
		CLEANUP(schema_document_free)
		struct schema_document *d = NULL;
		CLEANUP(buffer_clear)
		struct buffer canonical = BUFFER_INIT(0);
		struct err err = ERR_INIT;
		int ret;

		with_quotes(row->text, &text);
		ret = schema_parse(buffer_span(&text), &d, &err);
		if (ret != (row->canonical ? 0 : -1))
			fail_msg("%s: %s", row->text, ret ? err.text : "was taken");
		if (ret) {
			assert_int_equal(err.reason, REASON_SCHEMA_INVALID);
			continue;
		}
		with_quotes(row->canonical, &want);
		assert_int_equal(schema_canonical(d->root, &canonical), 0);
		buffer_append(&canonical, "", 1);
		assert_string_equal(canonical.ptr, want.ptr);
	}
}

static void
deep_nesting_is_refused(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(0);
	struct schema_document *d = NULL;
	struct err err = ERR_INIT;

	for (int i = 0; i < 500; i++)
		buffer_text(&text, "{\"type\":\"array\",\"items\":");
	buffer_text(&text, "\"int\"");
	for (int i = 0; i < 500; i++)
		buffer_text(&text, "}");
	assert_int_equal(schema_parse(buffer_span(&text), &d, &err), -1);
	assert_int_equal(err.reason, REASON_SCHEMA_INVALID);
}

static void
sameness(void **state)
{
	CLEANUP(schema_document_free)
	struct schema_document *a = support_schema("{'type':'record','name':'R','fields':[{'name':'a','type':'int'}]}");
	CLEANUP(schema_document_free)
	struct schema_document *b = support_schema(
	    "{'type':'record','name':'R','doc':'x','fields':[{'name':'a','type':'int','default':1,'doc':'y'}]}");
	CLEANUP(schema_document_free)
	struct schema_document *c = support_schema("{'type':'record','name':'R','fields':[{'name':'b','type':'int'}]}");

	assert_true(schema_same(a->root, b->root));
	assert_false(schema_same(a->root, c->root));
}

/* Figures that Apache Avro publishes with its tests. */
static void
fingerprints(void **state)
{
	CLEANUP(schema_document_free) struct schema_document *null = support_schema("'null'");
	CLEANUP(schema_document_free) struct schema_document *whole = support_schema("{'type':'int'}");
	uint64_t crc;

	assert_int_equal(schema_fingerprint(null->root, &crc), 0);
	assert_true(crc == UINT64_C(0x63dd24e7cc258f8a));
	assert_int_equal(schema_fingerprint(whole->root, &crc), 0);
	assert_true(crc == UINT64_C(0x7275d51a3f395c8f));
}

static const struct text_row {
	struct span text;
	bool valid;
} texts[] = {
	{ { "", 0 }, true },
	{ { "0123456789abcdef\x7f", 17 }, true },
	{ { "\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x80", 9 }, true },
	{ { "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", 10 }, true },
	{ { "1234567\0", 8 }, false },
	{ { "12345678\0", 9 }, false },
	{ { "12345678\x80", 9 }, false },
	{ { "\xc3", 1 }, false },
	{ { "\xc0\xaf", 2 }, false },         /* overlong */
	{ { "\xe0\x80\xaf", 3 }, false },     /* overlong */
	{ { "\xed\xa0\x80", 3 }, false },     /* a surrogate */
	{ { "\xf4\x90\x80\x80", 4 }, false }, /* beyond U+10FFFF */
	{ { "\xe2\x82", 2 }, false },         /* cut */
	{ { "\xe2\x82x", 3 }, false },
	{ { "\xff", 1 }, false },
};

static void
utf8(void **state)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (utf8_valid(texts[i].text) != texts[i].valid)
			fail_msg("text %zu", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),   cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(sameness), cmocka_unit_test(fingerprints),
		cmocka_unit_test(utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
