/* identity_link.c -- IdentityLink as a table. */
#include "common/record/identity_link.h"

#include "common/record/rules.h"
#include "common/record/type.h"

#define SEALED_FIELDS_MAX 1000
#define KEY_BYTES 4096
#define NONCE_BYTES 64
#define CIPHERTEXT_BYTES (1 << 20)

static const struct field name_fields[] = {
	{ "name", FIELD_TEXT, .at = 0, LENGTH(1, LABEL_BYTES) },
};

static const struct shape name_shape = SHAPE(name_fields, struct span, 1);

static const struct field fields[] = {
	{ "pseudonym", FIELD_TEXT, AT(struct identity_link, pseudonym), LENGTH(1, NAME_BYTES) },
	{ "device", FIELD_TEXT, AT(struct identity_link, device), LENGTH(1, NAME_BYTES) },
	{ "source", FIELD_TEXT, AT(struct identity_link, source), LENGTH(0, NAME_BYTES) },
	{ "fields", FIELD_TEXTS, AT(struct identity_link, fields), COUNT(struct identity_link, n_fields),
	  LENGTH(1, SEALED_FIELDS_MAX), .item = &name_shape },
	{ "algorithm", FIELD_TEXT, AT(struct identity_link, algorithm), LENGTH(1, NAME_BYTES) },
	{ "key_id", FIELD_TEXT, AT(struct identity_link, key_id), LENGTH(1, LABEL_BYTES) },
	{ "wrapped_key", FIELD_BYTES, AT(struct identity_link, wrapped_key), LENGTH(1, KEY_BYTES) },
	{ "nonce", FIELD_BYTES, AT(struct identity_link, nonce), LENGTH(1, NONCE_BYTES) },
	{ "ciphertext", FIELD_BYTES, AT(struct identity_link, ciphertext), LENGTH(1, CIPHERTEXT_BYTES) },
	{ "ingest_time", FIELD_TIME, AT(struct identity_link, ingest_us), ANY_TIME },
};

static const struct shape shape = SHAPE(fields, struct identity_link, 10);

static int
check(const void *record, struct err *err)
{
	const struct identity_link *link = record;

	return rules_distinct("fields", link->fields, link->n_fields, sizeof(*link->fields), err);
}

const struct record_type identity_link_record = { "IdentityLink", &shape, check };
