/* progress.c -- see progress.h. */
#include "common/base/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/terminal.h"
#include "common/base/clock.h"

#define REDRAW_US (US_PER_SECOND / 10)
#define BAR_MOST 40

char *
progress_number(int64_t number, char *text)
{
	char plain[24];
	size_t len = (size_t)snprintf(plain, sizeof(plain), "%" PRId64, number), out = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0 && plain[i - 1] != '-')
			text[out++] = ',';
		text[out++] = plain[i];
	}
	text[out] = '\0';
	return text;
}

static size_t
draw_bar(double share, int cells, bool utf8, char *line, size_t room)
{
	size_t len = 0;
	int full = (int)(share * cells + 0.5);

	for (int i = 0; i < cells && len + 4 < room; i++)
		len +=
		    (size_t)snprintf(line + len, room - len, "%s", i < full ? (utf8 ? "█" : "#") : (utf8 ? "░" : "."));
	return len;
}

size_t
progress_line(double share, int64_t count, const char *unit, double seconds, int width, bool utf8, char *line,
	      size_t room)
{
	char number[32], rate[32], tail[160];
	int64_t per_second = seconds > 0 ? (int64_t)((double)count / seconds) : 0;
	size_t len = 0;
	int cells;

	snprintf(tail, sizeof(tail), "  %s %s  %s/s", progress_number(count, number), unit,
		 progress_number(per_second, rate));
	if (share > 0 && share < 1)
		snprintf(tail + strlen(tail), sizeof(tail) - strlen(tail), "  %.0f s left",
			 seconds / share * (1 - share));
	cells = width - 8 - (int)strlen(tail);
	if (share >= 0 && cells > 4) {
		len = (size_t)snprintf(line, room, "%3.0f %% ", share * 100);
		len += draw_bar(share, cells < BAR_MOST ? cells : BAR_MOST, utf8, line + len, room - len);
	}
	/* Without a bar there may not be room for all of the rest either: a line that is wrapped cannot be drawn over. */
	return len +
	       (size_t)snprintf(line + len, room - len, "%.*s", len || width < 1 ? (int)sizeof(tail) : width - 1, tail);
}

void
progress_start(struct progress *p, const char *unit)
{
	*p = (struct progress){
		.on = isatty(STDERR_FILENO),
		.utf8 = terminal_utf8(),
		.width = terminal_width(STDERR_FILENO, 80),
		.unit = unit,
		.started_us = clock_monotonic_us(),
	};
}

void
progress_show(struct progress *p, double share, int64_t count)
{
	char line[512];
	int64_t now;

	if (!p->on || (now = clock_monotonic_us()) - p->drawn_us < REDRAW_US)
		return;
	p->drawn_us = now;
	progress_line(share, count, p->unit, (double)(now - p->started_us) / (double)US_PER_SECOND, p->width, p->utf8,
		      line, sizeof(line));
	fprintf(stderr, "\r%s\033[K", line);
}

void
progress_wipe(struct progress *p)
{
	if (p->on && p->drawn_us)
		fputs("\r\033[K", stderr);
	p->drawn_us = 0;
}

void
progress_end(struct progress *p)
{
	progress_wipe(p);
	p->on = false;
}
