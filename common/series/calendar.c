/* calendar.c -- division that rounds down, so that the steps before 1970 are as long as those after it. */
#include "common/series/calendar.h"

int64_t
calendar_floor(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t
calendar_step(int64_t time_us, int64_t step_us)
{
	return calendar_floor(time_us, step_us);
}

int64_t
calendar_start(int64_t step, int64_t step_us)
{
	return step * step_us;
}

int64_t
calendar_window_end(const struct window_rule *rule, int64_t first)
{
	if (rule->kind == WINDOW_BY_COUNT)
		return first + rule->steps;
	return (calendar_floor(first, rule->steps) + 1) * rule->steps;
}
