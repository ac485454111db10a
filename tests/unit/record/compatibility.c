/* May a new schema follow an old one?  Rows: old, new, and what is said where it may not. */
#include "common/record/compatibility.h"

#include "tests/unit/record/support.h"

#define REC(fields) "{'type':'record','name':'R','fields':[" fields "]}"
#define ONE(type) REC("{'name':'a','type':" type "}")
#define ENUM(rest) "{'type':'enum','name':'E'," rest "}"

static const struct row {
	const char *name, *older, *newer, *why; /* why NULL: it may */
} rows[] = {
	{ "the same", ONE("'int'"), ONE("'int'"), NULL },
	{ "promotion", ONE("'int'"), ONE("'double'"), NULL },
	{ "promotion backwards", ONE("'long'"), ONE("'int'"), "R.a: was long, which cannot be read as int" },
	{ "string and bytes", ONE("'string'"), ONE("'bytes'"), NULL },
	{ "another type", ONE("'string'"), ONE("'int'"), "R.a: was string" },
	{ "a field is gone", REC("{'name':'a','type':'int'},{'name':'b','type':'int'}"), ONE("'int'"), NULL },
	{ "a field is new", ONE("'int'"), REC("{'name':'a','type':'int'},{'name':'b','type':'int'}"),
	  "R.b: a new field needs a default" },
	{ "a field is new, with a default", ONE("'int'"),
	  REC("{'name':'a','type':'int'},{'name':'b','type':['null','int'],'default':null}"), NULL },
	{ "a default of the wrong type", ONE("'int'"),
	  REC("{'name':'a','type':'int'},{'name':'b','type':['null','int'],'default':7}"),
	  "R.b: its default is wrong" },
	{ "a new name with an alias", ONE("'int'"), REC("{'name':'b','aliases':['a'],'type':'int'}"), NULL },
	{ "a new name", ONE("'int'"), REC("{'name':'b','type':'int'}"), "R.b: a new field needs a default" },
	{ "another record", ONE("'int'"), "{'type':'record','name':'T','fields':[]}", "T: was R" },
	{ "another record with an alias", ONE("'int'"), "{'type':'record','name':'T','aliases':['R'],'fields':[]}",
	  NULL },
	{ "now optional", ONE("'int'"), ONE("['null','long']"), NULL },
	{ "no longer optional", ONE("['null','int']"), ONE("'int'"),
	  "R.a[null]: was null, which cannot be read as int" },
	{ "one branch more", ONE("['null','int']"), ONE("['null','int','string']"), NULL },
	{ "one branch less", ONE("['null','int','boolean']"), ONE("['null','int']"), "R.a[boolean]: was boolean" },
	{ "inside an array", ONE("{'type':'array','items':'string'}"), ONE("{'type':'array','items':'int'}"),
	  "R.a[items]: was string" },
	{ "inside a map", ONE("{'type':'map','values':'int'}"), ONE("{'type':'map','values':'string'}"),
	  "R.a[values]: was int" },
	{ "array to map", ONE("{'type':'array','items':'int'}"), ONE("{'type':'map','values':'int'}"),
	  "R.a: was array" },
	{ "one symbol more", ONE(ENUM("'symbols':['A']")), ONE(ENUM("'symbols':['A','B']")), NULL },
	{ "one symbol less", ONE(ENUM("'symbols':['A','B']")), ONE(ENUM("'symbols':['A']")),
	  "R.a: the symbol B is gone" },
	{ "one symbol less, with a default", ONE(ENUM("'symbols':['A','B']")),
	  ONE(ENUM("'symbols':['A'],'default':'A'")), NULL },
	{ "fixed", ONE("{'type':'fixed','name':'F','size':2}"), ONE("{'type':'fixed','name':'F','size':3}"),
	  "R.a: the size has changed" },
	{ "deep inside", ONE("{'type':'array','items':{'type':'record','name':'S','fields':[]}}"),
	  ONE("{'type':'array','items':{'type':'record','name':'S','fields':[{'name':'x','type':'int'}]}}"),
	  "R.a[items].x: a new field needs a default" },
	{ "recursive", REC("{'name':'n','type':['null','R']}"),
	  REC("{'name':'n','type':['null','R']},{'name':'v','type':'int','default':0}"), NULL },
	{ "recursive and wrong", REC("{'name':'n','type':['null','R']},{'name':'v','type':'string'}"),
	  REC("{'name':'n','type':['null','R']},{'name':'v','type':'int'}"), "v: was string" },
};

static void
checks(void **state)
{
	const struct row *row = *state;
	CLEANUP(schema_document_free)
	struct schema_document *older = support_schema(row->older);
	CLEANUP(schema_document_free)
	struct schema_document *newer = support_schema(row->newer);
	struct err err = ERR_INIT;

	if (compatibility_check(newer->root, older->root, &err) == 0) {
		assert_null(row->why);
		return;
	}
	assert_int_equal(err.reason, REASON_SCHEMA_INCOMPATIBLE);
	if (!row->why || !strstr(err.text, row->why))
		fail_msg("%s", err.text);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t n = 0; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ rows[n].name, checks, NULL, NULL, (void *)(uintptr_t)&rows[n] };
	return _cmocka_run_group_tests("compatibility", tests, ARRAY_LEN(rows), NULL, NULL);
}
