/*
 * nearest.c -- "did you mean".  The optimal string alignment distance (insert, delete, replace, swap two neighbours;
 * each costs one) by the usual dynamic programme over three rows.
 */
#include <stddef.h>
#include <string.h>

#include "common/config/options.h"

#define WORD_MAX 128

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Both words are at most WORD_MAX long. */
static size_t
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *spare = before;

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[b_len];
}

/* Near is: a mistake in every four letters, at least one, and never the whole word. */
const char *
options_nearest(const char *word, const char *const *candidates, size_t n)
{
	size_t word_len = strlen(word), best = word_len / 4 + 1;
	const char *nearest = NULL;

	if (word_len == 0 || word_len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(candidates[i]), d;

		if (len == 0 || len > WORD_MAX || len > word_len + best || word_len > len + best)
			continue;
		d = distance(word, word_len, candidates[i], len);
		if (d < word_len && (nearest ? d < best : d <= best)) {
			best = d;
			nearest = candidates[i];
		}
	}
	return nearest;
}
