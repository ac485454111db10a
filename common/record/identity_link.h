/*
 * identity_link.h -- identity.links: what a raw message said about a person, sealed.  Only who may use the key-encryption
 * key named by `key_id` can open it; everywhere else the person is the pseudonym.
 */
#ifndef FOREBAY_RECORD_IDENTITY_LINK_H
#define FOREBAY_RECORD_IDENTITY_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "common/record/codec.h"

struct identity_link {
	struct span pseudonym;   /* of the subject */
	struct span device;      /* whose message it was */
	struct span source;      /* name of the path map that named the fields */
	struct span *fields;     /* names of the sealed fields, in the order in which they were sealed */
	size_t n_fields;         /* at least one */
	struct span algorithm;   /* "AES-256-GCM" */
	struct span key_id;      /* of the key-encryption key */
	struct span wrapped_key; /* the data key, encrypted under key_id */
	struct span nonce;       /* 12 bytes for AES-GCM */
	struct span ciphertext;  /* a JSON object of the fields, encrypted; the 16 bytes of the tag are its end */
	int64_t ingest_us;       /* time stamp of the raw record */
};

extern const struct record_type identity_link_record;

#endif
