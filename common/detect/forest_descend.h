/*
 * forest_descend.h -- part of forest_kernel_set.c: from the roots of some trees to the leaves that a point belongs to by the
 * cuts alone, all of them a level at a time, so that none waits for the memory of another.
 */
#ifndef FOREBAY_DETECT_FOREST_DESCEND_H
#define FOREBAY_DETECT_FOREST_DESCEND_H

#if defined(__AVX512BW__)
#define ABREAST 32
#else
#define ABREAST 8
#endif

/* Of each level and tree: the node's places, begin << 16 | mass, and the greatest displacement of the nodes above it. */
struct forest_paths {
	uint32_t span[FOREST_SAMPLE_MAX + 1][ABREAST];
	float above[FOREST_SAMPLE_MAX + 1][ABREAST];
	int depth[ABREAST];                    /* of the leaf, or of a group */
	double inverse[FOREST_SAMPLE_MAX + 1]; /* of level + 1 */
};

INLINE int
begin_of(uint32_t span)
{
	return (int)(span >> 16);
}

/* YES where WHICH is -1, NO where it is 0; not a branch, for half of these would be foreseen wrongly. */
INLINE int
either(int which, int yes, int no)
{
	return no ^ ((no ^ yes) & which);
}

INLINE int
mass_of(uint32_t span)
{
	return (int)(span & 0xffff);
}

/* TREES: ABREAST of them, of which the first N are asked for; those behind may be the same again. */
#if defined(__AVX512BW__)
INLINE __m256i
point_values(const struct forest_view *v, __m512i few, __m256i dimension)
{
	__m256i values = v->dimensions <= 32
			     ? _mm512_castsi512_si256(_mm512_permutexvar_epi16(_mm512_castsi256_si512(dimension), few))
			     : _mm256_i32gather_epi32((const int *)v->point, dimension, sizeof(int16_t));

	return _mm256_and_si256(values, _mm256_set1_epi32(0xffff));
}

/* Eight trees. */
struct forest_pack {
	__m512i at;
	__m256i begin, mass, depth;
	__m256 above;
};

INLINE __mmask8
step_pack(const struct forest_view *v, __m512i few, struct forest_pack *p, uint32_t *span, float *above)
{
	const __m256i one = _mm256_set1_epi32(1);
	__m256i node = _mm512_i64gather_epi32(p->at, NULL, 1), left = _mm256_srli_epi32(node, 24), value, down, move;
	__mmask8 goes =
	    _mm256_cmpneq_epi32_mask(p->mass, one) & _mm256_testn_epi32_mask(node, _mm256_set1_epi32(NODE_GROUP));
	__mmask8 right;
	__m256 ratio;

	_mm256_storeu_si256((__m256i *)span, _mm256_or_si256(_mm256_slli_epi32(p->begin, 16), p->mass));
	_mm256_storeu_ps(above, p->above);
	value = point_values(v, few, _mm256_and_si256(_mm256_srli_epi32(node, 16), _mm256_set1_epi32(0xff)));
	right = _mm256_cmpgt_epi32_mask(value, _mm256_and_si256(node, _mm256_set1_epi32(0x7fff)));
	down = _mm256_mask_sub_epi32(left, right, p->mass, left);
	move = _mm256_mask_mov_epi32(one, right, left);
	p->begin = _mm256_mask_add_epi32(p->begin, goes & right, p->begin, left);
	p->at = _mm512_mask_add_epi64(p->at, goes, p->at, _mm512_cvtepu32_epi64(_mm256_slli_epi32(move, 2)));
	ratio = _mm256_div_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(p->mass, down)),
			      _mm256_cvtepi32_ps(_mm256_add_epi32(down, one)));
	p->above = _mm256_mask_max_ps(p->above, goes, ratio, p->above);
	p->mass = _mm256_mask_mov_epi32(p->mass, goes, down);
	p->depth = _mm256_mask_add_epi32(p->depth, goes, p->depth, one);
	return goes;
}

INLINE void
descend_packs(const struct forest_view *v, struct forest_tree *const *trees, int packs, struct forest_paths *paths)
{
	const __m512i node = _mm512_set1_epi64(offsetof(struct forest_tree, node)), few = _mm512_loadu_si512(v->point);
	struct forest_pack pack[ABREAST / 8];
	__mmask8 goes = 1;

	UNROLL
	for (int i = 0; i < packs; i++) {
		pack[i].at = _mm512_add_epi64(_mm512_loadu_si512(trees + 8 * i), node);
		pack[i].begin = pack[i].depth = _mm256_setzero_si256();
		pack[i].mass = _mm256_set1_epi32(v->mass);
		pack[i].above = _mm256_setzero_ps();
	}
	for (int level = 0; goes; level++) {
		goes = 0;
		UNROLL
		for (int i = 0; i < packs; i++)
			goes |= step_pack(v, few, &pack[i], paths->span[level] + 8 * i, paths->above[level] + 8 * i);
	}
	UNROLL
	for (int i = 0; i < packs; i++)
		_mm256_storeu_si256((__m256i *)(paths->depth + 8 * i), pack[i].depth);
}

INLINE void
descend(const struct forest_view *v, struct forest_tree *const *trees, int n, struct forest_paths *paths)
{
	if (n > 24)
		descend_packs(v, trees, 4, paths);
	else if (n > 16)
		descend_packs(v, trees, 3, paths);
	else if (n > 8)
		descend_packs(v, trees, 2, paths);
	else
		descend_packs(v, trees, 1, paths);
}
#else
#define STRANDS 4 /* trees at a time: as many as there are registers for */

struct forest_strand {
	const uint32_t *at;
	uint32_t span;
	int depth;
};

/*
 * All ones if there is a step down, else 0.  Whole numbers rather than branches: half of these would be foreseen wrongly.  A
 * leaf has no node: what is read in its stead lies in the tree, and is not followed.
 */
INLINE uint32_t
step_strand(const int16_t *point, struct forest_strand *s)
{
	uint32_t node = *s->at, left = NODE_LEFT(node);
	uint32_t goes = (uint32_t) - (!(node & NODE_GROUP) & ((s->span & 0xffff) != 1));
	uint32_t right = (uint32_t) - (point[NODE_DIMENSION(node)] > NODE_CUT(node));
	uint32_t to_left = (s->span & 0xffff0000) | left, to_right = s->span + left * 0xffff;

	s->at += (1 + ((left - 1) & right)) & goes;
	s->span ^= (s->span ^ to_left ^ ((to_left ^ to_right) & right)) & goes;
	s->depth += (int)(goes & 1);
	return goes;
}

/* Of trees FIRST .., whose spans are known for LEVELS levels: the greatest displacements above each. */
INLINE void
weigh_strands(struct forest_paths *paths, int first, int levels)
{
	for (int i = 0; i < STRANDS; i++)
		paths->above[0][first + i] = 0;
	for (int level = 1; level < levels; level++) {
		const uint32_t *from = paths->span[level - 1] + first, *to = paths->span[level] + first;

		UNROLL
		for (int i = 0; i < STRANDS; i++) {
			float ratio = (float)(mass_of(from[i]) - mass_of(to[i])) / (float)(mass_of(to[i]) + 1);
			float above = paths->above[level - 1][first + i];

			paths->above[level][first + i] = ratio > above ? ratio : above;
		}
	}
}

INLINE void
descend_strands(const struct forest_view *v, struct forest_tree *const *trees, int first, struct forest_paths *paths)
{
	struct forest_strand s[STRANDS];
	uint32_t goes = 1;
	int level = 0;

	UNROLL
	for (int i = 0; i < STRANDS; i++)
		s[i] = (struct forest_strand){ .at = trees[first + i]->node, .span = (uint32_t)v->mass };
	for (; goes; level++) {
		goes = 0;
		UNROLL
		for (int i = 0; i < STRANDS; i++) {
			paths->span[level][first + i] = s[i].span;
			goes |= step_strand(v->point, &s[i]);
		}
	}
	UNROLL
	for (int i = 0; i < STRANDS; i++)
		paths->depth[first + i] = s[i].depth;
	weigh_strands(paths, first, level);
}

/* Without gathers: some trees in turns, a step each, so that none waits for the memory of another. */
INLINE void
descend(const struct forest_view *v, struct forest_tree *const *trees, int n, struct forest_paths *paths)
{
	for (int i = 0; i < ABREAST && i < n; i += STRANDS)
		descend_strands(v, trees, i, paths);
}
#endif

/* Of the levels down to the deepest of the first N leaves: 1 / (level + 1).  KNOWN: for how many that has been done. */
INLINE void
invert(struct forest_paths *paths, int n, int *known)
{
	int deepest = 0;

	for (int i = 0; i < ABREAST && i < n; i++)
		deepest = paths->depth[i] > deepest ? paths->depth[i] : deepest;
	for (; *known <= deepest; ++*known)
		paths->inverse[*known] = 1.0 / (*known + 1);
}

/* The trees from AT on, as many as are left; the last one more than once, where there are too few. */
INLINE void
abreast(const struct forest_view *v, int at, struct forest_tree **trees)
{
	for (int i = 0; i < ABREAST; i++)
		trees[i] = v->trees[at + i < v->n_trees ? at + i : v->n_trees - 1];
}

#endif
