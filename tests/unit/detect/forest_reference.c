/* forest_reference.c -- see forest_reference.h. */
#include "tests/unit/detect/forest_reference.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"

static struct reference_node *
leaf(const struct reference *r, const double *point)
{
	struct reference_node *node = calloc(1, sizeof(*node));

	if (!node)
		abort();
	memcpy(node->lo, point, (size_t)r->dimensions * sizeof(double));
	memcpy(node->hi, point, (size_t)r->dimensions * sizeof(double));
	node->mass = 1;
	return node;
}

static double
range(const struct reference *r, const struct reference_node *node)
{
	double sum = 0;

	for (int i = 0; i < r->dimensions; i++)
		sum += node->hi[i] - node->lo[i];
	return sum;
}

static double
gap(const struct reference_node *node, const double *point, int i)
{
	return fmax(0, fmax(node->lo[i] - point[i], point[i] - node->hi[i]));
}

static double
extension(const struct reference *r, const struct reference_node *node, const double *point)
{
	double sum = 0;

	for (int i = 0; i < r->dimensions; i++)
		sum += gap(node, point, i);
	return sum;
}

/* A whole number below N, as the forest draws it. */
static double
draw(uint64_t stream, uint64_t number, uint64_t what, double n)
{
	return (double)((random_u64(stream, number, what) >> 23) * (uint64_t)n >> 41);
}

static void
refresh(const struct reference *r, struct reference_node *node)
{
	for (int i = 0; i < r->dimensions; i++) {
		node->lo[i] = fmin(node->left->lo[i], node->right->lo[i]);
		node->hi[i] = fmax(node->left->hi[i], node->right->hi[i]);
	}
	node->mass = node->left->mass + node->right->mass;
}

static struct reference_node *
part(const struct reference *r, struct reference_node *node, const double *point, double at)
{
	struct reference_node *parent = leaf(r, point), *new = leaf(r, point);
	int i = 0;

	while (at >= gap(node, point, i))
		at -= gap(node, point, i++);
	parent->dimension = i;
	if (point[i] > node->hi[i]) {
		parent->cut = node->hi[i] + at;
		parent->left = node;
		parent->right = new;
	} else {
		parent->cut = point[i] + at;
		parent->left = new;
		parent->right = node;
	}
	refresh(r, parent);
	return parent;
}

static struct reference_node *
insert(const struct reference *r, struct reference_node *node, const double *point, uint64_t stream, uint64_t number,
       uint64_t depth)
{
	double e = extension(r, node, point), at;

	if (e > 0) {
		at = draw(stream, number, depth + 2, e + range(r, node));
		if (at < e)
			return part(r, node, point, at);
	}
	if (!node->left) {
		node->mass++;
		return node;
	}
	if (point[node->dimension] <= node->cut)
		node->left = insert(r, node->left, point, stream, number, depth + 1);
	else
		node->right = insert(r, node->right, point, stream, number, depth + 1);
	refresh(r, node);
	return node;
}

void
reference_insert(struct reference *r, const double *point, uint64_t stream, uint64_t number)
{
	r->root = r->root ? insert(r, r->root, point, stream, number, 0) : leaf(r, point);
}

static struct reference_node *
without(const struct reference *r, struct reference_node *node, const double *point)
{
	struct reference_node *other;

	if (!node->left) {
		if (--node->mass > 0)
			return node;
		free(node);
		return NULL;
	}
	if (point[node->dimension] <= node->cut)
		node->left = without(r, node->left, point);
	else
		node->right = without(r, node->right, point);
	if (node->left && node->right) {
		refresh(r, node);
		return node;
	}
	other = node->left ? node->left : node->right;
	free(node);
	return other;
}

void
reference_remove(struct reference *r, const double *point)
{
	r->root = without(r, r->root, point);
}

static struct reference_node *
build(const struct reference *r, double (*points)[REFERENCE_DIMENSIONS], int n, uint64_t stream, uint64_t *number)
{
	struct reference_node *node = leaf(r, points[0]);
	double at;
	int left = 0;

	for (int k = 1; k < n; k++) {
		for (int i = 0; i < r->dimensions; i++) {
			node->lo[i] = fmin(node->lo[i], points[k][i]);
			node->hi[i] = fmax(node->hi[i], points[k][i]);
		}
	}
	node->mass = n;
	if (range(r, node) <= 0)
		return node;
	at = draw(stream, (*number)++, 0, range(r, node));
	while (at >= node->hi[node->dimension] - node->lo[node->dimension]) {
		at -= node->hi[node->dimension] - node->lo[node->dimension];
		node->dimension++;
	}
	node->cut = node->lo[node->dimension] + at;
	for (int k = 0; k < n; k++) {
		double swap[REFERENCE_DIMENSIONS];

		if (points[k][node->dimension] > node->cut)
			continue;
		memcpy(swap, points[k], sizeof(swap));
		memcpy(points[k], points[left], sizeof(swap));
		memcpy(points[left++], swap, sizeof(swap));
	}
	node->left = build(r, points, left, stream, number);
	node->right = build(r, points + left, n - left, stream, number);
	return node;
}

void
reference_build(struct reference *r, double (*points)[REFERENCE_DIMENSIONS], int n, uint64_t stream)
{
	uint64_t number = 0;

	reference_free(r);
	r->root = build(r, points, n, stream, &number);
}

static void
free_node(struct reference_node *node)
{
	if (!node)
		return;
	free_node(node->left);
	free_node(node->right);
	free(node);
}

void
reference_free(struct reference *r)
{
	free_node(r->root);
	r->root = NULL;
}

static double
score(const struct reference *r, const struct reference_node *node, const double *point, int depth)
{
	double e = extension(r, node, point), q = e > 0 ? e / (e + range(r, node)) : 0;

	if (!node->left)
		return e > 0 ? 1.0 / (depth + 1)
			     : (1 - node->mass / (2.0 * r->root->mass)) / (depth + log2(node->mass + 1));
	return q / (depth + 1) +
	       (1 - q) * score(r, point[node->dimension] <= node->cut ? node->left : node->right, point, depth + 1);
}

double
reference_score(const struct reference *r, const double *point)
{
	return score(r, r->root, point, 0);
}

/* ABOVE: the greatest that is displaced at a node above, were the point below it. */
static double
displacement(const struct reference *r, const struct reference_node *node, const double *point, double above)
{
	double e = extension(r, node, point), q = e > 0 ? e / (e + range(r, node)) : 0;
	const struct reference_node *next, *other;

	if (!node->left)
		return e > 0 ? fmax(node->mass, above) : above;
	next = point[node->dimension] <= node->cut ? node->left : node->right;
	other = next == node->left ? node->right : node->left;
	return (q > 0 ? q * fmax(node->mass, above) : 0) +
	       (1 - q) * displacement(r, next, point, fmax(above, (double)other->mass / (next->mass + 1)));
}

double
reference_displacement(const struct reference *r, const double *point)
{
	return displacement(r, r->root, point, 0);
}
