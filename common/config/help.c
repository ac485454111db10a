/* help.c -- the tables as people read them: --help on a terminal, a page of Markdown, the version. */
#include <stdlib.h>
#include <string.h>

#include "common/config/private.h"

static const char *const type_names[] = {
	[OPTION_TEXT] = "text",   [OPTION_SECRET] = "secret", [OPTION_BOOL] = "true|false", [OPTION_INT] = "number",
	[OPTION_BYTES] = "bytes", [OPTION_REAL] = "number",   [OPTION_CHOICE] = "word",
};

void
version_print(const struct option_program *program, FILE *out)
{
	fprintf(out, "%s %s\n", program->name, FOREBAY_VERSION);
}

/* "(required; 1..200 bytes)", "(100; 1..60000 ms)" */
static void
print_facts(const struct option *o, FILE *out)
{
	char range[RANGE_BYTES];

	value_range(o, range);
	fprintf(out, "(%s%s%s)",
		!o->fallback   ? "required"
		: *o->fallback ? o->fallback
			       : "empty",
		*range ? "; " : "", range);
}

void
help_print(const struct option_program *program, FILE *out)
{
	fprintf(out, "%s -- %s\n\n", program->name, program->summary);
	fprintf(out, "usage: %s%s%s [--config FILE] [--KEY=VALUE]...\n\n", program->name, program->words ? " " : "",
		program->words ? program->words : "");
	fprintf(
	    out,
	    "  --config FILE\n\tproperties file with KEY=VALUE lines (also " ENVIRONMENT_PREFIX "CONFIG)\n"
	    "  --check\n\tread everything, print what would be in force as JSON, and leave\n"
	    "  --help, --version, --print-options-page\n\n"
	    "Every KEY also is an environment variable: commit.interval.ms is " ENVIRONMENT_PREFIX
	    "COMMIT_INTERVAL_MS.\nFlags win over the environment, the environment over the file.  A value may hold\n"
	    "${env:NAME}, ${file:PATH} and ${file:PATH:KEY}.\n");
	for (size_t i = 0; i < program->n_sets; i++) {
		const struct option_set *set = &program->sets[i];

		fprintf(out, "\n%s\n", set->title);
		for (size_t k = 0; k < set->n_options; k++) {
			fprintf(out, "  --%s=%s  ", set->options[k].key, type_names[set->options[k].type]);
			print_facts(&set->options[k], out);
			fprintf(out, "\n\t%s\n", set->options[k].summary);
		}
	}
	for (size_t i = 0; i < program->n_lists; i++)
		fprintf(out, "%s  --%s*=text\n\t%s\n", i ? "" : "\n", program->lists[i].prefix,
			program->lists[i].summary);
}

/* Text inside a cell of a table. */
static void
print_cell(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '|')
			fputs("\\|", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else
			fputc(*text, out);
	}
}

static void
print_row(const struct option *o, FILE *out)
{
	char range[RANGE_BYTES];

	value_range(o, range);
	fprintf(out, "| `%s` | ", o->key);
	print_cell(o->type == OPTION_BOOL ? "true or false" : type_names[o->type], out);
	fputs(" | ", out);
	if (!o->fallback) {
		fputs("**required**", out);
	} else if (*o->fallback) {
		fputc('`', out);
		for (const char *c = o->fallback; *c; c++)
			fputs(*c == '|' ? "\\|" : (char[]){ *c, '\0' }, out);
		fputc('`', out);
	}
	fputs(" | ", out);
	print_cell(range, out);
	fputs(" | ", out);
	print_cell(o->summary, out);
	fputs(" |\n", out);
}

int
options_page(const struct option_program *program, FILE *out)
{
	for (size_t i = 0; i < program->n_sets; i++) {
		const struct option_set *set = &program->sets[i];

		fprintf(out, "## %s\n\n| key | type | default | allowed | what it does |\n|---|---|---|---|---|\n",
			set->title);
		for (size_t k = 0; k < set->n_options; k++)
			print_row(&set->options[k], out);
		fputc('\n', out);
	}
	if (program->n_lists)
		fputs("## Passed through\n\n| key | what it does |\n|---|---|\n", out);
	for (size_t i = 0; i < program->n_lists; i++) {
		fprintf(out, "| `%s*` | ", program->lists[i].prefix);
		print_cell(program->lists[i].summary, out);
		fputs(" |\n", out);
	}
	if (program->n_lists)
		fputc('\n', out);
	return ferror(out) ? -1 : 0;
}
