/* detect_meter.c -- see detect_meter.h. */
#include "cli/detect_meter.h"

#include <math.h>

#define RISES 100
#define RISES_A_FALL 1000
#define TOLD 5 /* columns */

void
meter_add(struct meter *m, double value)
{
	if (isnan(value))
		return;
	m->rises += m->begun && value > m->last;
	m->falls += m->begun && value < m->last;
	m->last = value;
	m->begun = true;
}

bool
meter_is(const struct meter *m)
{
	return m->rises >= RISES && m->rises / RISES_A_FALL >= m->falls;
}

int
meter_tell(const struct meter *meters, const char *const *names, size_t n, struct buffer *out)
{
	size_t found = 0;
	int bad = 0;

	for (size_t i = 0; i < n; i++)
		if (meter_is(&meters[i]) && found++ < TOLD)
			bad |= buffer_printf(out, "%s%s", found > 1 ? ", " : "", names[i]);
	if (found > TOLD)
		bad |= buffer_printf(out, " and %zu more", found - TOLD);
	if (found)
		bad |= buffer_printf(
		    out,
		    " only grow%s, as a meter does: what it counts in a while is seen in the differences of its rows",
		    found > 1 ? "" : "s");
	return bad;
}
