/*
 * forest_climb.h -- part of forest_kernel_set.c, which includes it once for each size of points: LANES numbers to a vector,
 * BLOCKS vectors at most to a point, NAME(x) the names here.  From a leaf to the first box that contains the point.
 */
#define JOIN3_(a, b, c) a##b##_##c
#define JOIN3(a, b, c) JOIN3_(a, b, c)
#define JOIN2_(a, b) a##b
#define JOIN2(a, b) JOIN2_(a, b)
#define NAME(x) JOIN3(x, LANES, BLOCKS)
#define VEC JOIN2(vec, LANES)
#define HALF JOIN2(half, LANES)
#define LOAD JOIN2(load, LANES)
#define MASK JOIN2(mask, LANES)
#define MIN JOIN2(min, LANES)
#define MAX JOIN2(max, LANES)
#define PAIRS JOIN2(pairs, LANES)
#define TOTAL JOIN2(total, LANES)
#define FRACTION JOIN2(fraction, LANES)
#define ALL_ZERO JOIN2(all_zero, LANES)
#define CHUNK 8 /* points between two looks whether it is over */
#define FEW 4   /* points that are taken at once, some of them twice where there are fewer */

struct NAME(climb) {
	VEC lo[BLOCKS], hi[BLOCKS], point[BLOCKS], mask[BLOCKS];
	const struct forest_view *view;
	const uint16_t *places;
	int blocks;     /* BLOCKS, where that is few */
	int begin, end; /* the places that the box holds */
};

INLINE struct NAME(climb) NAME(prepare)(const struct forest_view *v)
{
	struct NAME(climb) c;

	c.view = v;
	c.places = NULL;
	c.begin = c.end = 0;
	c.blocks = BLOCKS <= 4 ? BLOCKS : (v->dimensions + LANES - 1) / LANES;
	UNROLL
	for (int b = 0; b < c.blocks; b++) {
		c.point[b] = LOAD(v->point + b * LANES);
		c.mask[b] = MASK(v->dimensions - b * LANES);
	}
	return c;
}

INLINE void
NAME(begin)(struct NAME(climb) * c, const struct forest_tree *t, int at, int mass)
{
	const int16_t *values;

	c->places = forest_places_of(t, c->view->sample);
	values = c->view->values + c->places[at] * c->view->stride;
	UNROLL
	for (int b = 0; b < c->blocks; b++)
		c->lo[b] = c->hi[b] = LOAD(values + b * LANES);
	c->begin = at;
	c->end = at + mass; /* of a group: all alike */
}

INLINE void
NAME(take)(struct NAME(climb) * c, int at)
{
	const int16_t *values = c->view->values + c->places[at] * c->view->stride;

	UNROLL
	for (int b = 0; b < c->blocks; b++) {
		VEC x = LOAD(values + b * LANES);

		c->lo[b] = MIN(c->lo[b], x);
		c->hi[b] = MAX(c->hi[b], x);
	}
}

/* Is the point in the box? */
INLINE bool
NAME(holds)(const struct NAME(climb) * c)
{
	VEC out = { 0 };

	UNROLL
	for (int b = 0; b < c->blocks; b++)
		out |= ((MAX(c->hi[b], c->point[b]) ^ c->hi[b]) | (MIN(c->lo[b], c->point[b]) ^ c->lo[b])) & c->mask[b];
	return ALL_ZERO(out);
}

/*
 * The box becomes that of a node's places, which contain those that it has.  True: it holds the point, and there may be places
 * that were not looked at.
 */
INLINE bool
NAME(widen)(struct NAME(climb) * c, uint32_t span)
{
	int begin = begin_of(span), end = begin + mass_of(span), left = -(begin < c->begin);
	int from = either(left, begin, c->end), to = either(left, c->begin, end);

	c->begin = begin;
	c->end = end;
	for (; to - from > CHUNK; from += CHUNK) {
		UNROLL
		for (int k = 0; k < CHUNK; k++)
			NAME(take)(c, from + k);
		if (NAME(holds)(c))
			return true;
	}
	/* The last ones more than once rather than a loop of a length that nobody can foresee. */
	if (BLOCKS == 1) {
		for (; from < to; from += FEW) {
			UNROLL
			for (int k = 0; k < FEW; k++)
				NAME(take)(c, from + k < to ? from + k : to - 1);
		}
		return false;
	}
	for (; from < to; from++)
		NAME(take)(c, from);
	return false;
}

/* How long the box's sides are together, and how much longer they were with the point: numbers still to be added up. */
struct NAME(halves) {
	HALF extension, range;
};

INLINE struct NAME(halves) NAME(sides)(const struct NAME(climb) * c)
{
	struct NAME(halves) s = { { 0 }, { 0 } };

	UNROLL
	for (int b = 0; b < c->blocks; b++) {
		VEC of_box = c->hi[b] - c->lo[b];
		VEC with_point = MAX(c->hi[b], c->point[b]) - MIN(c->lo[b], c->point[b]);

		s.range += PAIRS(of_box & c->mask[b]);
		s.extension += PAIRS((with_point - of_box) & c->mask[b]);
	}
	return s;
}

INLINE struct forest_sums
NAME(measure)(const struct NAME(climb) * c)
{
	struct NAME(halves) s = NAME(sides)(c);

	return TOTAL(s.extension, s.range);
}

/*
 * With q the chance that the point is cut off at a node of depth d before anything else happens there, s becomes
 * q / (d + 1) + (1 - q) s from the leaf upwards.  A point equal to a leaf of mass m: (1 - m / 2n) / (depth + log2(m + 1)).
 * The displacement goes the same way, with what a point that is cut off there would displace.
 */
INLINE struct forest_result
NAME(look_one)(struct NAME(climb) * c, const struct forest_tree *t, const struct forest_paths *paths, int lane)
{
	int depth = paths->depth[lane], mass = mass_of(paths->span[depth][lane]);
	double s = paths->inverse[depth], away = (double)greater((float)mass, paths->above[depth][lane]);
	struct NAME(halves) sides;

	NAME(begin)(c, t, begin_of(paths->span[depth][lane]), mass);
	if (NAME(holds)(c))
		return (struct forest_result){ (1 - 0.5 * mass / c->view->mass) / (depth + forest_log2(mass + 1)),
					       (double)paths->above[depth][lane] };
	for (int d = depth - 1; d >= 0; d--) {
		double q;

		if (NAME(widen)(c, paths->span[d][lane]) || NAME(holds)(c))
			break;
		sides = NAME(sides)(c);
		q = FRACTION(sides.extension, sides.range);
		s = q * paths->inverse[d] + (1 - q) * s;
		away =
		    q * (double)greater((float)mass_of(paths->span[d][lane]), paths->above[d][lane]) + (1 - q) * away;
	}
	return (struct forest_result){ s, away };
}

/* Parts of what is new at a node: the box's gaps to the point, by column and direction. */
INLINE void
NAME(share_out)(const struct NAME(climb) * c, double each, double keep, double *high, double *low)
{
	int16_t above[BLOCKS * LANES], below[BLOCKS * LANES];
	int columns = c->view->columns, dimensions = c->view->dimensions;

	for (int b = 0; b < c->blocks; b++) {
		VEC up = MAX(c->hi[b], c->point[b]) - c->hi[b], down = c->lo[b] - MIN(c->lo[b], c->point[b]);

		memcpy(above + b * LANES, &up, sizeof(up));
		memcpy(below + b * LANES, &down, sizeof(down));
	}
	for (int i = 0; i < columns; i++) {
		int ups = 0, downs = 0;

		for (int k = i; k < dimensions; k += columns) {
			ups += above[k];
			downs += below[k];
		}
		high[i] = each * ups + keep * high[i];
		low[i] = each * downs + keep * low[i];
	}
}

/* As look_one; HIGH and LOW are of one tree. */
INLINE void
NAME(share_one)(struct NAME(climb) * c, const struct forest_tree *t, const struct forest_paths *paths, int lane,
		double *high, double *low)
{
	int depth = paths->depth[lane], mass = mass_of(paths->span[depth][lane]);
	struct forest_sums sums;

	NAME(begin)(c, t, begin_of(paths->span[depth][lane]), mass);
	sums = NAME(measure)(c);
	if (sums.extension == 0) {
		double all = (1 - 0.5 * mass / c->view->mass) / (depth + forest_log2(mass + 1));

		for (int i = 0; i < c->view->columns; i++)
			high[i] = low[i] = all / (2 * c->view->columns);
		return;
	}
	NAME(share_out)(c, 1.0 / (depth + 1) / sums.extension, 0, high, low);
	for (int d = depth - 1; d >= 0; d--) {
		int all;

		if (NAME(widen)(c, paths->span[d][lane]))
			break;
		sums = NAME(measure)(c);
		if (sums.extension == 0)
			break;
		all = sums.extension + sums.range;
		NAME(share_out)(c, 1.0 / (d + 1) / all, (double)sums.range / all, high, low);
	}
}

struct NAME(box) {
	VEC lo[BLOCKS], hi[BLOCKS];
};

/* The AT-th place for a cut of those that part the point P from box B. */
INLINE void
NAME(cut)(const struct NAME(box) * b, const int16_t *p, int at, struct forest_place *place)
{
	int16_t lo[BLOCKS * LANES], hi[BLOCKS * LANES];

	memcpy(lo, b->lo, sizeof(b->lo));
	memcpy(hi, b->hi, sizeof(b->hi));
	for (int i = 0;; i++) {
		int gap = p[i] > hi[i] ? p[i] - hi[i] : p[i] < lo[i] ? lo[i] - p[i] : 0;

		if (at < gap) {
			place->right = p[i] > hi[i];
			place->dimension = i;
			place->cut = (place->right ? hi[i] : p[i]) + at;
			return;
		}
		at -= gap;
	}
}

/*
 * Top-down, the first node at which a random cut of box and point together parts the two is where the point goes in.  Whether
 * one does, depends on the node's own random number only; so the last one on the way up is the first one on the way down.
 */
INLINE struct forest_place
NAME(place_one)(struct NAME(climb) * c, const struct forest_tree *t, const struct forest_paths *paths, int lane,
		uint64_t key)
{
	int depth = paths->depth[lane], at = 0;
	uint32_t span = paths->span[depth][lane];
	struct forest_place place = { 0 };
	struct NAME(box) box = { 0 };
	struct forest_sums sums;

	NAME(begin)(c, t, begin_of(span), mass_of(span));
	for (int d = depth; d >= 0; d--) {
		int found;

		if (d < depth && NAME(widen)(c, paths->span[d][lane]))
			break;
		sums = NAME(measure)(c);
		if (sums.extension == 0) {
			place.equal = d == depth;
			break;
		}
		found = draw_below(key, d, sums.extension + sums.range);
		if (found >= sums.extension)
			continue;
		at = found;
		span = paths->span[d][lane];
		UNROLL
		for (int b = 0; b < c->blocks; b++) {
			box.lo[b] = c->lo[b];
			box.hi[b] = c->hi[b];
		}
	}
	place.begin = begin_of(span);
	place.mass = mass_of(span);
	if (!place.equal)
		NAME(cut)(&box, c->view->point, at, &place);
	return place;
}

static struct forest_result
NAME(look)(const struct forest_view *v)
{
	struct NAME(climb) c = NAME(prepare)(v);
	struct forest_result sum = { 0 };
	struct forest_tree *trees[ABREAST];
	struct forest_paths paths;
	int known = 0;

	for (int t = 0; t < v->n_trees; t += ABREAST) {
		abreast(v, t, trees);
		descend(v, trees, v->n_trees - t, &paths);
		invert(&paths, v->n_trees - t, &known);
		for (int i = 0; i < ABREAST && t + i < v->n_trees; i++) {
			struct forest_result one = NAME(look_one)(&c, trees[i], &paths, i);

			sum.score += one.score;
			sum.displacement += one.displacement;
		}
	}
	return sum;
}

static void
NAME(share)(const struct forest_view *v, double *high, double *low)
{
	struct NAME(climb) c = NAME(prepare)(v);
	double of_tree[2][FOREST_COLUMNS_MAX];
	struct forest_tree *trees[ABREAST];
	struct forest_paths paths;

	for (int t = 0; t < v->n_trees; t++) {
		if (t % ABREAST == 0) {
			abreast(v, t, trees);
			descend(v, trees, v->n_trees - t, &paths);
		}
		for (int i = 0; i < v->columns; i++)
			of_tree[0][i] = of_tree[1][i] = 0;
		NAME(share_one)(&c, trees[t % ABREAST], &paths, t % ABREAST, of_tree[0], of_tree[1]);
		for (int i = 0; i < v->columns; i++) {
			high[i] += of_tree[0][i];
			low[i] += of_tree[1][i];
		}
	}
}

static void
NAME(place)(const struct forest_view *v, const uint64_t *streams, uint64_t number, struct forest_place *places)
{
	struct NAME(climb) c = NAME(prepare)(v);
	struct forest_tree *trees[ABREAST];
	struct forest_paths paths;

	for (int t = 0; t < v->n_trees; t += ABREAST) {
		abreast(v, t, trees);
		descend(v, trees, v->n_trees - t, &paths);
		for (int i = 0; i < ABREAST && t + i < v->n_trees; i++)
			places[t + i] = NAME(place_one)(&c, trees[i], &paths, i, draw_key(streams[t + i], number));
	}
}

#undef NAME
#undef VEC
#undef HALF
#undef LOAD
#undef MASK
#undef MIN
#undef MAX
#undef PAIRS
#undef TOTAL
#undef FRACTION
#undef ALL_ZERO
#undef CHUNK
#undef FEW
#undef JOIN3_
#undef JOIN3
#undef JOIN2_
#undef JOIN2
#undef LANES
#undef BLOCKS
