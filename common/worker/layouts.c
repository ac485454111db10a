/* layouts.c -- descriptions are asked for once: a fleet knows a handful in its life. */
#include "common/worker/layouts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/store/checkpoint_list.h"
#include "common/worker/internal.h"

#define LAYOUTS_MAX 64
#define TEXT_MAX ((size_t)4 << 20)

struct layouts {
	struct arena *arena;
	size_t n;
	struct layout {
		uint64_t fingerprint;
		struct span text; /* SPAN_NONE: nobody knows */
	} known[LAYOUTS_MAX];
};

struct layouts *
layouts_new(void)
{
	struct layouts *l = calloc(1, sizeof(*l));

	if (!l || !(l->arena = arena_new(4096, TEXT_MAX))) {
		free(l);
		return NULL;
	}
	return l;
}

void
layouts_free(struct layouts *l)
{
	if (!l)
		return;
	arena_free(l->arena);
	free(l);
}

static bool
knows(const struct layouts *l, uint64_t fingerprint, struct span *text)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->known[i].fingerprint == fingerprint) {
			*text = l->known[i].text;
			return true;
		}
	return false;
}

static void
tell(const struct worker *w, const struct layout *layout)
{
	char theirs[24], ours[24];

	snprintf(theirs, sizeof(theirs), "%016" PRIx64, layout->fingerprint);
	snprintf(ours, sizeof(ours), "%016" PRIx64, image_fingerprint(w->spec->state->image));
	if (layout->text.ptr)
		log_event(LOG_INFO, "states of another layout are read by the names of their members", "layout",
			  LOG_S(theirs), "ours", LOG_S(ours), NULL);
	else
		log_event(LOG_WARN, "states of a layout that forebay.state_layouts does not describe", "layout",
			  LOG_S(theirs), "ours", LOG_S(ours), NULL);
}

/* The description with FINGERPRINT; SPAN_NONE: nobody knows it. */
static int
look_up(struct worker *w, uint64_t fingerprint, struct span *text, struct err *err)
{
	struct layouts *l = w->layouts;

	if (knows(l, fingerprint, text))
		return 0;
	if (l->n == LAYOUTS_MAX) {
		l->n = 0;
		arena_reset(l->arena);
	}
	if (checkpoint_layout_of(w->store, (int64_t)fingerprint, l->arena, text, err) < 0)
		return err_wrap(err, "forebay.state_layouts");
	l->known[l->n] = (struct layout){ fingerprint, *text };
	tell(w, &l->known[l->n++]);
	return 0;
}

int
layouts_decode(struct worker *w, struct span bytes, void *state, struct err *err)
{
	const struct state_type *type = w->spec->state;
	CLEANUP(buffer_clear) struct buffer ours = BUFFER_INIT(0);
	struct err why = ERR_INIT;
	struct span text = SPAN_NONE;

	if (type->decode(bytes, state, err) == 0)
		return 0;
	if (err->reason != REASON_STATE_VERSION)
		return -1;
	if (look_up(w, image_fingerprint_of(bytes), &text, &why) < 0) {
		*err = why;
		return -1;
	}
	if (!text.ptr)
		return -1;
	err_clear(err);
	if (image_translate(type->image, text, bytes, &ours, err) < 0 ||
	    type->decode(buffer_span(&ours), state, err) < 0)
		return -1;
	metric_add(w->meters.translated, 1);
	return 0;
}
