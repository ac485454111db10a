-- What a score says besides: the members' p-values, the forecast that it rests on, and, of a group, which columns are to blame (NULL
-- where nobody is, and in rows from before).  The three arrays are side by side.
ALTER TABLE forebay.scores
	ADD COLUMN p_forest        double precision,
	ADD COLUMN p_neighbours    double precision,
	ADD COLUMN forecast_origin timestamptz,
	ADD COLUMN model           text,			-- name/version; '' without a forecast
	ADD COLUMN columns         text[],			-- of a group, the strangest first
	ADD COLUMN shares          double precision[],	-- of the score
	ADD COLUMN directions      text[],			-- high, low, missing
	ADD COLUMN note            text;			-- late, ahead, learning, constant, capped; '': nothing

ALTER TABLE forebay.alerts
	ADD COLUMN detector   text,
	ADD COLUMN columns    text[],
	ADD COLUMN shares     double precision[],
	ADD COLUMN directions text[];

-- One row per strange value, when it begins; and one when a level that was strange is accepted as the usual one.
CREATE TABLE forebay.anomalies (
	device           text        NOT NULL,
	metric           text        NOT NULL,		-- group:NAME for a group
	event_time       timestamptz NOT NULL,
	kind             text        NOT NULL,		-- onset, shift_accepted
	value            double precision,
	expected         double precision,		-- by the forecast, else by the past
	lower            double precision,
	upper            double precision,
	p_value          double precision,
	onset            double precision,
	state            double precision,
	p_scalar         double precision,
	p_forecast       double precision,
	p_forest         double precision,
	p_neighbours     double precision,
	forecast_origin  timestamptz,
	model            text,
	detector         text,				-- whose p-value was the smallest
	columns          text[],
	shares           double precision[],
	directions       text[],
	reason           text,				-- for people
	alert            text,				-- id of the alert that was open; '': none
	ingest_time      timestamptz NOT NULL,
	origin_topic     text        NOT NULL,
	origin_partition int         NOT NULL,
	origin_offset    bigint      NOT NULL,
	PRIMARY KEY (device, metric, event_time, kind)
) PARTITION BY RANGE (event_time);
CREATE TABLE forebay.anomalies_default PARTITION OF forebay.anomalies DEFAULT;
CREATE INDEX anomalies_time ON forebay.anomalies (event_time);
