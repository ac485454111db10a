/* model.c -- Model as a table. */
#include "common/record/model.h"

#include "common/base/random.h"
#include "common/record/rules.h"
#include "common/record/type.h"

#define FIGURES_MAX 1000
#define ARTEFACT_BYTES (64 << 20)
#define SHA256_BYTES 32

static const char *const status_names[MODEL_STATUS_COUNT] = {
	"candidate", "canary", "live", "retired", "rejected", "unknown",
};

static const struct codes statuses = { status_names, MODEL_STATUS_COUNT, MODEL_UNKNOWN };

const char *
model_status_name(enum model_status s)
{
	return (unsigned)s < MODEL_STATUS_COUNT ? status_names[s] : "unknown";
}

bool
model_in_share(struct span device, double share)
{
	return (double)(random_hash(device) >> 11) * 0x1p-53 < share;
}

static const struct field figure_fields[] = {
	{ "name", FIELD_TEXT, AT(struct model_figure, name), LENGTH(1, LABEL_BYTES) },
	{ "value", FIELD_REAL, AT(struct model_figure, value), ANY_REAL },
};

static const struct shape figure_shape = SHAPE(figure_fields, struct model_figure, 9);

static const struct field fields[] = {
	{ "name", FIELD_TEXT, AT(struct model, name), LENGTH(1, LABEL_BYTES) },
	{ "version", FIELD_TEXT, AT(struct model, version), LENGTH(1, LABEL_BYTES) },
	{ "family", FIELD_TEXT, AT(struct model, family), LENGTH(1, LABEL_BYTES) },
	{ "status", FIELD_CODE, AT(struct model, status), .codes = &statuses },
	{ "created_time", FIELD_TIME, AT(struct model, created_us), ANY_TIME },
	{ "from_time", FIELD_TIME, AT(struct model, from_us), ANY_TIME },
	{ "to_time", FIELD_TIME, AT(struct model, to_us), ANY_TIME },
	{ "canary_share", FIELD_REAL, AT(struct model, canary_share), RANGE(0, 1) },
	{ "parent", FIELD_OPTIONAL_TEXT, AT(struct model, parent), LENGTH(1, LABEL_BYTES) },
	{ "figures", FIELD_MAP, AT(struct model, figures), COUNT(struct model, n_figures), LENGTH(0, FIGURES_MAX),
	  .item = &figure_shape },
	{ "uri", FIELD_OPTIONAL_TEXT, AT(struct model, uri), LENGTH(1, NOTE_BYTES) },
	{ "artefact", FIELD_OPTIONAL_BYTES, AT(struct model, artefact), LENGTH(0, ARTEFACT_BYTES) },
	{ "sha256", FIELD_OPTIONAL_BYTES, AT(struct model, sha256), LENGTH(SHA256_BYTES, SHA256_BYTES) },
};

static const struct shape shape = SHAPE(fields, struct model, 20);

static int
check(const void *record, struct err *err)
{
	const struct model *m = record;

	if (!m->uri.ptr && !m->artefact.ptr)
		return err_set(err, REASON_RECORD_INVALID, "artefact: neither the bytes nor a uri");
	if (rules_order("from_time", m->from_us, OR_EQUAL, "to_time", m->to_us, err) < 0)
		return -1;
	return rules_distinct("figures", m->figures, m->n_figures, sizeof(*m->figures), err);
}

const struct record_type model_record = { "Model", &shape, check };
