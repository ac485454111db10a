/* topicpage.h -- docs/topics.md, printed from the declarative file. */
#ifndef FOREBAY_CLI_TOPICPAGE_H
#define FOREBAY_CLI_TOPICPAGE_H

#include <stdio.h>

#include "cli/topicfile.h"

/* -1 when writing failed. */
int topic_page(const struct topic_file *file, FILE *out);

#endif
