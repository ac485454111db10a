/*
 * announce.h -- topic `models` is told what the table of models says: one record for each version that has changed, on every
 * partition of the topic (whoever reads a partition learns all models), key "<name>/<version>", artefact at
 * "postgresql:<name>/<version>".
 *
 * Telling twice does no harm; what could not be told is told by the next call, whoever makes it.
 */
#ifndef FOREBAY_WORKER_ANNOUNCE_H
#define FOREBAY_WORKER_ANNOUNCE_H

#include "common/kafka/client.h"
#include "common/record/registry.h"
#include "common/store/connection.h"

#define ANNOUNCE_TOPIC "models"
#define ANNOUNCE_URI "postgresql:" /* before "<name>/<version>" */

/* Tell TOPIC of all versions that it has not been told of; *TOLD: how many.  -1 on what models.h, producer.h and codec.h say. */
int announce_models(struct store *store, struct registry *registry, const struct client_config *client,
		    const char *topic, size_t *told, struct err *err);

#endif
