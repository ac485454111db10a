/* dataset_parts.h -- what the files of dataset.h share.  Private to them. */
#ifndef FOREBAY_CLI_DATASET_PARTS_H
#define FOREBAY_CLI_DATASET_PARTS_H

#include "cli/dataset.h"
#include "cli/input.h"

int dataset_lines(struct input *in, struct dataset *d, struct err *err);
int dataset_table(struct input *in, const struct dataset_options *o, struct dataset *d, struct err *err);

/* A copy of ROW becomes the last one; its arrays lie in the dataset's arena already. */
int dataset_add(struct dataset *d, const struct dataset_row *row, struct err *err);

#endif
