/* partition.c -- civil calendar in UTC; days from civil as in H. Hinnant, "chrono-compatible low-level date algorithms". */
#include "common/store/partition.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/store/query.h"

#define DAY_US (INT64_C(86400) * US_PER_SECOND)

struct civil {
	int64_t year;
	int month, day; /* from 1 */
};

/* Days since 1970-01-01 of a date; the year is counted from March so that the leap day is its last. */
static int64_t
civil_days(struct civil c)
{
	int64_t y = c.year - (c.month <= 2), era = (y >= 0 ? y : y - 399) / 400, in_era = y - era * 400;
	int64_t in_year = (153 * (c.month + (c.month > 2 ? -3 : 9)) + 2) / 5 + c.day - 1;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static struct civil
civil_of(int64_t days)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, in_era = z - era * 146097;
	int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * y + y / 4 - y / 100), m = (5 * in_year + 2) / 153;
	struct civil c = { y + era * 400, (int)(m < 10 ? m + 3 : m - 9), (int)(in_year - (153 * m + 2) / 5 + 1) };

	c.year += c.month <= 2;
	return c;
}

bool
period_of(enum period p, int64_t us, int64_t *start, int64_t *end)
{
	int64_t days = us / DAY_US - (us % DAY_US < 0);
	struct civil from = civil_of(days), to;

	if (from.year < 1900 || from.year >= 2200)
		return false;
	if (p == PERIOD_DAY) {
		*start = days * DAY_US;
		*end = *start + DAY_US;
		return true;
	}
	from.day = 1;
	if (p == PERIOD_YEAR)
		from.month = 1;
	to = from;
	if (p == PERIOD_YEAR || ++to.month > 12) {
		to.year++;
		to.month = 1;
	}
	*start = civil_days(from) * DAY_US;
	*end = civil_days(to) * DAY_US;
	return true;
}

int
partition_ensure(struct store *s, const char *table, enum period p, int64_t start_us, int64_t end_us, struct err *err)
{
	struct civil c = civil_of(start_us / DAY_US - (start_us % DAY_US < 0));
	char suffix[32];
	struct param params[] = { PARAM_TEXT(span_of(table)), PARAM_INT(start_us), PARAM_INT(end_us), PARAM_NULL };
	int n = snprintf(suffix, sizeof(suffix), "_p%04d", (int)c.year);

	if (p != PERIOD_YEAR)
		n += snprintf(suffix + n, sizeof(suffix) - (size_t)n, "%02d", c.month);
	if (p == PERIOD_DAY)
		n += snprintf(suffix + n, sizeof(suffix) - (size_t)n, "%02d", c.day);
	params[3] = PARAM_TEXT(((struct span){ suffix, (size_t)n }));
	if (store_query(s, "SELECT forebay.partition_for($1::text::regclass, $2, $3, $4)", params, ARRAY_LEN(params),
			NULL, err) < 0)
		return err_wrap(err, "partition %s%s", table, suffix);
	return 0;
}

int
partition_retain(struct store *s, const char *table, const char *column, int64_t cutoff_us, bool dry_run,
		 struct retained *ret, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[] = { PARAM_TEXT(span_of(table)), PARAM_TEXT(span_of(column)), PARAM_INT(cutoff_us),
				  PARAM_TEXT(span_of(dry_run ? "true" : "false")) };

	if (store_query(s, "SELECT partitions, rows FROM forebay.retain($1::text::regclass, $2, $3, $4::bool)", params,
			ARRAY_LEN(params), &rows, err) < 0)
		return err_wrap(err, "retention of %s", table);
	ret->partitions = rows_int(rows, 0, 0);
	ret->rows = rows_int(rows, 0, 1);
	return 0;
}
