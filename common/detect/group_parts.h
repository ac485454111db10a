/* group_parts.h -- what a group is made of.  For group.c and group_image.c. */
#ifndef FOREBAY_DETECT_GROUP_PARTS_H
#define FOREBAY_DETECT_GROUP_PARTS_H

#include "common/detect/group.h"

struct group {
	struct forest *forest;
	struct tails tails;
	struct episode episode;
	double mean, distance; /* of the forest's scores; of them to their mean, on average */
	uint32_t rows;         /* that were judged since it began, up to UINT32_MAX */
};

#endif
