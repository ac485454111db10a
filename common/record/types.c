/* types.c -- the list of all records, for what walks over them: the command line, the tests. */
#include "common/record/type.h"

#include "common/record/aggregate.h"
#include "common/record/alert.h"
#include "common/record/anomaly.h"
#include "common/record/audit.h"
#include "common/record/forecast.h"
#include "common/record/heartbeat.h"
#include "common/record/identity_link.h"
#include "common/record/journal.h"
#include "common/record/model.h"
#include "common/record/outcome.h"
#include "common/record/reading.h"
#include "common/record/score.h"
#include "common/record/series.h"

const struct record_type *const record_types[] = {
	&reading_record,   &series_record, &aggregate_record, &forecast_record,
	&score_record,     &alert_record,  &model_record,     &identity_link_record,
	&heartbeat_record, &audit_record,  &journal_record,   &outcome_record,
	&anomaly_record,   NULL,
};
