/* roster.c -- telling twice, or the old version's end after the new one's beginning, changes nothing. */
#include "workers/batch-forecaster/roster.h"

#include <stdlib.h>
#include <string.h>

#include "workers/batch-forecaster/adopted.h"

static bool
usable(struct span text)
{
	if (!text.len || text.len > ADOPTED_PART_BYTES)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < ' ')
			return false;
	return true;
}

static char *
text_new(struct span s)
{
	char *text = malloc(s.len + 1);

	if (!text)
		return NULL;
	if (s.len)
		memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	return text;
}

static void
entry_clear(struct roster_entry *e)
{
	free(e->name);
	free(e->live);
	free(e->canary);
	*e = (struct roster_entry){ 0 };
}

static int
entry_make(struct roster_entry *e, struct span name, struct span live, struct span canary, double share)
{
	*e = (struct roster_entry){ text_new(name), text_new(live), text_new(canary), name.len, live.len,
				    canary.len,     share };
	if (e->name && e->live && e->canary)
		return 0;
	entry_clear(e);
	return -1;
}

void
roster_clear(struct roster *r)
{
	for (size_t i = 0; i < r->n; i++)
		entry_clear(&r->entries[i]);
	free(r->entries);
	*r = (struct roster){ 0 };
}

static struct span
name_of(const struct roster_entry *e)
{
	return (struct span){ e->name, e->name_len };
}

static struct span
live_of(const struct roster_entry *e)
{
	return (struct span){ e->live, e->live_len };
}

static struct span
canary_of(const struct roster_entry *e)
{
	return (struct span){ e->canary, e->canary_len };
}

int
roster_copy(struct roster *to, const struct roster *from)
{
	*to = (struct roster){ 0 };
	if (!from->n)
		return 0;
	to->entries = calloc(from->n, sizeof(*to->entries));
	if (!to->entries)
		return -1;
	for (; to->n < from->n; to->n++) {
		const struct roster_entry *e = &from->entries[to->n];

		if (entry_make(&to->entries[to->n], name_of(e), live_of(e), canary_of(e), e->share) < 0) {
			roster_clear(to);
			return -1;
		}
	}
	return 0;
}

/* The place of NAME, or where it would be. */
static size_t
place_of(const struct roster *r, struct span name, bool *found)
{
	size_t i = 0;

	while (i < r->n && span_compare(name_of(&r->entries[i]), name) < 0)
		i++;
	*found = i < r->n && span_equal(name_of(&r->entries[i]), name);
	return i;
}

/* Put E at I, in place of the one there or before it; E's texts are the roster's then. */
static int
put(struct roster *r, size_t i, bool found, const struct roster_entry *e, struct err *err)
{
	struct roster_entry *grown;

	if (!found) {
		grown = realloc(r->entries, (r->n + 1) * sizeof(*grown));
		if (!grown)
			return err_set(err, REASON_NO_MEMORY, "models");
		r->entries = grown;
		memmove(grown + i + 1, grown + i, (r->n++ - i) * sizeof(*grown));
	} else {
		entry_clear(&r->entries[i]);
	}
	r->entries[i] = *e;
	return 0;
}

static void
take_out(struct roster *r, size_t i)
{
	entry_clear(&r->entries[i]);
	memmove(r->entries + i, r->entries + i + 1, (--r->n - i) * sizeof(*r->entries));
	if (!r->n)
		roster_clear(r);
}

/* What an entry is once M has been told. */
static void
stand(const struct model *m, struct span *live, struct span *canary, double *share)
{
	const struct span none = { "", 0 };

	if (span_equal(*live, m->version))
		*live = none;
	if (span_equal(*canary, m->version))
		*canary = none;
	if (m->status == MODEL_LIVE)
		*live = m->version;
	if (m->status == MODEL_CANARY) {
		*canary = m->version;
		*share = m->canary_share;
	}
	if (!canary->len)
		*share = 0;
}

int
roster_told(struct roster *r, const struct model *m, struct err *err)
{
	struct span live = { "", 0 }, canary = { "", 0 };
	struct roster_entry e;
	double share = 0;
	bool found;
	size_t i;

	if (!usable(m->name) || !usable(m->version))
		return err_set(err, REASON_RECORD_INVALID, "name \"%.*s\", version \"%.*s\": 1 to %d bytes are wanted",
			       SPAN_ARG(m->name), SPAN_ARG(m->version), ADOPTED_PART_BYTES);
	i = place_of(r, m->name, &found);
	if (found) {
		live = live_of(&r->entries[i]);
		canary = canary_of(&r->entries[i]);
		share = r->entries[i].share;
	}
	stand(m, &live, &canary, &share);
	if (!live.len && !canary.len) {
		if (found)
			take_out(r, i);
		return 0;
	}
	if (!found && r->n == ROSTER_NAMES_MAX)
		return err_set(err, REASON_RECORD_INVALID, "name \"%.*s\": more than %d names are in use",
			       SPAN_ARG(m->name), ROSTER_NAMES_MAX);
	if (entry_make(&e, m->name, live, canary, share) < 0)
		return err_set(err, REASON_NO_MEMORY, "models");
	if (put(r, i, found, &e, err) < 0) {
		entry_clear(&e);
		return -1;
	}
	return 0;
}

int
roster_check(const struct roster *r, struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct roster_entry *e = &r->entries[i];
		bool sound = usable(name_of(e)) && (e->live_len || e->canary_len) &&
			     (!e->live_len || usable(live_of(e))) && (!e->canary_len || usable(canary_of(e))) &&
			     e->share >= 0 && e->share <= 1;

		if (!sound || r->n > ROSTER_NAMES_MAX ||
		    (i && span_compare(name_of(&r->entries[i - 1]), name_of(e)) >= 0))
			return err_set(err, REASON_STATE_CORRUPT, "models: entry %zu", i);
	}
	return 0;
}
