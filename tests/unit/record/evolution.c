/* What other schemas wrote, read as ours: each row is a writer's schema, its value, and what the reader makes of it. */
#include <jansson.h>
#include <stdlib.h>

#include "common/record/index.h"
#include "common/record/json.h"
#include "common/record/reading.h"
#include "common/record/resolve.h"
#include "tests/unit/record/oracle.h"
#include "tests/unit/record/support.h"

#define REC(fields) "{'type':'record','name':'R','fields':[" fields "]}"
#define ONE(type) REC("{'name':'a','type':" type "}")
#define SUB(fields) "{'type':'record','name':'S','fields':[" fields "]}"

enum judge { AVRO_C_AGREES, AVRO_C_CANNOT };

static const struct row {
	const char *name, *writer, *reader, *value, *result; /* result NULL: a mismatch; ' stands for " */
	enum judge judge;
} rows[] = {
	{ "the same", ONE("'long'"), ONE("'long'"), "{'a':-5}", "{'a':-5}", AVRO_C_AGREES },
	{ "int to long", ONE("'int'"), ONE("'long'"), "{'a':7}", "{'a':7}", AVRO_C_AGREES },
	{ "int to float", ONE("'int'"), ONE("'float'"), "{'a':7}", "{'a':7.0}", AVRO_C_AGREES },
	{ "int to double", ONE("'int'"), ONE("'double'"), "{'a':7}", "{'a':7.0}", AVRO_C_AGREES },
	{ "long to float", ONE("'long'"), ONE("'float'"), "{'a':7}", "{'a':7.0}", AVRO_C_AGREES },
	{ "long to double", ONE("'long'"), ONE("'double'"), "{'a':-7}", "{'a':-7.0}", AVRO_C_AGREES },
	{ "float to double", ONE("'float'"), ONE("'double'"), "{'a':0.5}", "{'a':0.5}", AVRO_C_AGREES },
	{ "string to bytes", ONE("'string'"), ONE("'bytes'"), "{'a':'abc'}", "{'a':'YWJj'}", AVRO_C_CANNOT },
	{ "bytes to string", ONE("'bytes'"), ONE("'string'"), "{'a':'YWJj'}", "{'a':'abc'}", AVRO_C_CANNOT },
	{ "double to long", ONE("'double'"), ONE("'long'"), "{'a':7.0}", NULL, AVRO_C_CANNOT },
	{ "long to int", ONE("'long'"), ONE("'int'"), "{'a':7}", NULL, AVRO_C_CANNOT },
	{ "string to long", ONE("'string'"), ONE("'long'"), "{'a':'7'}", NULL, AVRO_C_CANNOT },
	{ "a field is gone", REC("{'name':'z','type':'string'},{'name':'a','type':'long'},{'name':'y','type':'int'}"),
	  ONE("'long'"), "{'z':'zz','a':1,'y':2}", "{'a':1}", AVRO_C_AGREES },
	{ "all kinds are skipped",
	  REC("{'name':'b','type':'boolean'},{'name':'i','type':'int'},{'name':'f','type':'float'},"
	      "{'name':'d','type':'double'},{'name':'x','type':{'type':'fixed','name':'X','size':3}},"
	      "{'name':'e','type':{'type':'enum','name':'E','symbols':['P','Q']}},"
	      "{'name':'u','type':['null','string']},{'name':'l','type':{'type':'array','items':'string'}},"
	      "{'name':'m','type':{'type':'map','values':'long'}},{'name':'n','type':'null'},"
	      "{'name':'s','type':" SUB("{'name':'q','type':'bytes'}") "},{'name':'a','type':'long'}"),
	  ONE("'long'"),
	  "{'b':true,'i':-1,'f':1.5,'d':2.5,'x':'AAEC','e':'Q','u':'text','l':['1','22'],'m':{'k':9},'n':null,"
	  "'s':{'q':'AAEC'},'a':77}",
	  "{'a':77}", AVRO_C_AGREES },
	{ "another order", REC("{'name':'a','type':'long'},{'name':'b','type':'string'},{'name':'c','type':'int'}"),
	  REC("{'name':'c','type':'int'},{'name':'a','type':'long'},{'name':'b','type':'string'}"),
	  "{'a':1,'b':'two','c':3}", "{'c':3,'a':1,'b':'two'}", AVRO_C_AGREES },
	{ "another order, one gone, one new",
	  REC("{'name':'a','type':'long'},{'name':'b','type':'string'},{'name':'c','type':'int'}"),
	  REC("{'name':'c','type':'int'},{'name':'d','type':'string','default':'new'},{'name':'a','type':'long'}"),
	  "{'a':1,'b':'two','c':3}", "{'c':3,'d':'new','a':1}", AVRO_C_CANNOT },
	{ "defaults of all kinds", ONE("'long'"),
	  REC("{'name':'b','type':'boolean','default':true},{'name':'i','type':'int','default':-3},"
	      "{'name':'f','type':'float','default':0.5},{'name':'d','type':'double','default':3},"
	      "{'name':'s','type':'string','default':'t'},{'name':'y','type':'bytes','default':'\\u0000\\u00ff'},"
	      "{'name':'x','type':{'type':'fixed','name':'X','size':2},'default':'\\u0001\\u0002'},"
	      "{'name':'e','type':{'type':'enum','name':'E','symbols':['P','Q']},'default':'Q'},"
	      "{'name':'u','type':['null','string'],'default':null},{'name':'v','type':['long','null'],'default':4},"
	      "{'name':'l','type':{'type':'array','items':'int'},'default':[1,2]},"
	      "{'name':'m','type':{'type':'map','values':'int'},'default':{'k':5}},{'name':'a','type':'long'},"
	      "{'name':'r','type':" SUB(
		  "{'name':'p','type':'int'},{'name':'q','type':'int','default':8}") ",'default':{'p':6}}"),
	  "{'a':1}",
	  "{'b':true,'i':-3,'f':0.5,'d':3.0,'s':'t','y':'AP8=','x':'AQI=','e':'Q','u':null,'v':4,'l':[1,2],'m':{'k':5},"
	  "'a':1,'r':{'p':6,'q':8}}",
	  AVRO_C_CANNOT },
	{ "no default", ONE("'long'"), REC("{'name':'a','type':'long'},{'name':'b','type':'int'}"), "{'a':1}", NULL,
	  AVRO_C_CANNOT },
	{ "a wrong default", ONE("'long'"), REC("{'name':'a','type':'long'},{'name':'b','type':'int','default':'x'}"),
	  "{'a':1}", NULL, AVRO_C_CANNOT },
	{ "alias of a field", ONE("'int'"), REC("{'name':'new','aliases':['a'],'type':'long'}"), "{'a':1}", "{'new':1}",
	  AVRO_C_CANNOT },
	{ "alias of a record", ONE("'int'"),
	  "{'type':'record','name':'T','aliases':['R'],'fields':[{'name':'a','type':'int'}]}", "{'a':1}", "{'a':1}",
	  AVRO_C_CANNOT },
	{ "another namespace", "{'type':'record','name':'x.R','fields':[{'name':'a','type':'int'}]}",
	  "{'type':'record','name':'y.R','fields':[{'name':'a','type':'int'}]}", "{'a':1}", "{'a':1}", AVRO_C_CANNOT },
	{ "another record", ONE("'int'"), "{'type':'record','name':'T','fields':[{'name':'a','type':'int'}]}",
	  "{'a':1}", NULL, AVRO_C_CANNOT },
	{ "into a union", ONE("'double'"), ONE("['null','double']"), "{'a':1.5}", "{'a':1.5}", AVRO_C_AGREES },
	{ "into a union, promoted", ONE("'int'"), ONE("['null','double']"), "{'a':1}", "{'a':1.0}", AVRO_C_AGREES },
	{ "the same type before a promotion", ONE("'int'"), ONE("['double','int']"), "{'a':1}", "{'a':1}",
	  AVRO_C_CANNOT },
	{ "out of a union", ONE("['null','int']"), ONE("'long'"), "{'a':1}", "{'a':1}", AVRO_C_CANNOT },
	{ "out of a union, the other branch", ONE("['null','int']"), ONE("'long'"), "{'a':null}", NULL, AVRO_C_CANNOT },
	{ "union to union, other order", ONE("['double','null']"), ONE("['null','double']"), "{'a':2.5}", "{'a':2.5}",
	  AVRO_C_AGREES },
	{ "union to union, more branches", ONE("['null','int']"), ONE("['null','string','long']"), "{'a':2}", "{'a':2}",
	  AVRO_C_AGREES },
	{ "enum by symbol", ONE("{'type':'enum','name':'E','symbols':['P','Q']}"),
	  ONE("{'type':'enum','name':'E','symbols':['Q','P','Z']}"), "{'a':'Q'}", "{'a':'Q'}", AVRO_C_CANNOT },
	{ "enum, unknown with default", ONE("{'type':'enum','name':'E','symbols':['P','Q']}"),
	  ONE("{'type':'enum','name':'E','symbols':['P','U'],'default':'U'}"), "{'a':'Q'}", "{'a':'U'}",
	  AVRO_C_CANNOT },
	{ "enum, unknown", ONE("{'type':'enum','name':'E','symbols':['P','Q']}"),
	  ONE("{'type':'enum','name':'E','symbols':['P']}"), "{'a':'Q'}", NULL, AVRO_C_CANNOT },
	{ "fixed", ONE("{'type':'fixed','name':'F','size':2}"), ONE("{'type':'fixed','name':'F','size':2}"),
	  "{'a':'AAE='}", "{'a':'AAE='}", AVRO_C_AGREES },
	{ "fixed of another size", ONE("{'type':'fixed','name':'F','size':2}"),
	  ONE("{'type':'fixed','name':'F','size':3}"), "{'a':'AAE='}", NULL, AVRO_C_CANNOT },
	{ "array, promoted", ONE("{'type':'array','items':'int'}"), ONE("{'type':'array','items':['null','double']}"),
	  "{'a':[1,2]}", "{'a':[1.0,2.0]}", AVRO_C_AGREES },
	{ "map, promoted", ONE("{'type':'map','values':'int'}"), ONE("{'type':'map','values':'long'}"), "{'a':{'x':1}}",
	  "{'a':{'x':1}}", AVRO_C_AGREES },
	{ "records in an array", ONE("{'type':'array','items':" SUB("{'name':'p','type':'int'}") "}"),
	  ONE("{'type':'array','items':" SUB(
	      "{'name':'q','type':'string','default':'d'},{'name':'p','type':'long'}") "}"),
	  "{'a':[{'p':1},{'p':2}]}", "{'a':[{'q':'d','p':1},{'q':'d','p':2}]}", AVRO_C_CANNOT },
	{ "a recursive record", REC("{'name':'n','type':['null','R']},{'name':'v','type':'int'}"),
	  REC("{'name':'v','type':'long'},{'name':'n','type':['null','R']}"),
	  "{'n':{'n':{'n':null,'v':3},'v':2},'v':1}", "{'v':1,'n':{'v':2,'n':{'v':3,'n':null}}}", AVRO_C_CANNOT },
};

static char *
quoted(const char *text)
{
	char *copy = strdup(text);

	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	return copy;
}

static void
judge(const struct row *row, struct span written, struct span ours)
{
	CLEANUP(heap_free)
	char *writer = quoted(row->writer), *reader = quoted(row->reader);
	CLEANUP(buffer_clear)
	struct buffer judged = BUFFER_INIT(0);
	struct oracle *oracle = oracle_new(writer, reader);

	assert_non_null(oracle);
	assert_int_equal(oracle_repeat(oracle, written, &judged), 0);
	if (!span_equal(buffer_span(&judged), ours))
		fail_msg("%s: avro-c resolves to other bytes", row->name);
	oracle_free(oracle);
}

static void
resolves(void **state)
{
	const struct row *row = *state;
	CLEANUP(schema_document_free)
	struct schema_document *writer = support_schema(row->writer);
	CLEANUP(schema_document_free)
	struct schema_document *reader = support_schema(row->reader);
	CLEANUP(resolution_free)
	struct resolution *r = NULL;
	CLEANUP(buffer_clear)
	struct buffer written = BUFFER_INIT(0), read = BUFFER_INIT(0), shown = BUFFER_INIT(0);
	CLEANUP(heap_free)
	char *want = row->result ? quoted(row->result) : NULL;
	struct err err = ERR_INIT;
	struct reader in;

	support_to_avro(writer->root, row->value, &written);
	in = reader_of(buffer_span(&written), buffer_span(&written));
	if (resolution_new(writer->root, reader->root, &r, &err) < 0 || resolution_run(r, &in, &read, &err) < 0) {
		assert_null(row->result);
		assert_int_equal(err.reason, REASON_AVRO_SCHEMA_MISMATCH);
		return;
	}
	assert_non_null(row->result);
	assert_int_equal(reader_left(&in), 0);
	if (row->judge == AVRO_C_AGREES)
		judge(row, buffer_span(&written), buffer_span(&read));
	in = reader_of(buffer_span(&read), buffer_span(&read));
	OK(json_from_avro(reader->root, &in, &shown, why));
	assert_int_equal(reader_left(&in), 0);
	buffer_append(&shown, "", 1);
	assert_string_equal(shown.ptr, want);
}

/* The whole way: a directory with an older Reading, whose records the codec of today's Reading reads. */
static void
an_older_reading(void **state)
{
	static const char older[] =
	    "{'type':'record','name':'Reading','namespace':'forebay','fields':["
	    "{'name':'gone','type':'string'},{'name':'values','type':{'type':'array','items':"
	    "{'type':'record','name':'ReadingValue','fields':[{'name':'value','type':'float'},"
	    "{'name':'metric','type':'string'}]}}},"
	    "{'name':'event_time','type':'int'},{'name':'ingest_time','type':'long'},{'name':'device','type':'string'}]}";
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	CLEANUP(schema_document_free)
	struct schema_document *writer = support_schema(older);
	CLEANUP(resolution_free)
	struct resolution *r = NULL;
	CLEANUP(buffer_clear)
	struct buffer written = BUFFER_INIT(0), read = BUFFER_INIT(0);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	const struct schema *ours = index_newest(registry_index(registry), "Reading")->document->root;
	struct reading reading;
	struct reader in;

	support_to_avro(writer->root,
			"{'gone':'x','values':[{'value':0.5,'metric':'a'},{'value':1.5,'metric':'b'}],'event_time':5,"
			"'ingest_time':6,'device':'d-1'}",
			&written);
	OK(resolution_new(writer->root, ours, &r, why));
	in = reader_of(buffer_span(&written), buffer_span(&written));
	buffer_append(&read, "\0\0\0\0\1", 5);
	OK(resolution_run(r, &in, &read, why));
	OK(codec_new(registry, &reading_record, "telemetry.readings", &codec, why));
	OK(codec_decode(codec, buffer_span(&read), SPAN_NONE, arena, &reading, why));
	assert_true(span_equal(reading.device, SPAN("d-1")));
	assert_int_equal(reading.event_us, 5);
	assert_int_equal(reading.n_values, 2);
	assert_true(reading.values[1].value == 1.5);
	assert_int_equal(reading.values[1].quality, QUALITY_GOOD); /* from the default */
	assert_null(reading.values[1].unit.ptr);
}

int
main(void)
{
	struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0]) + 1];
	size_t n = 0;

	for (; n < sizeof(rows) / sizeof(rows[0]); n++)
		tests[n] = (struct CMUnitTest){ rows[n].name, resolves, NULL, NULL, (void *)(uintptr_t)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(an_older_reading);
	return _cmocka_run_group_tests("evolution", tests, n, NULL, NULL);
}
