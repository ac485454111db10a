-- What the line writes for people to query.  One row per fact; the primary key is the fact's identity, so that a replay
-- changes nothing.  Every row tells where in Kafka it came from (origin_*): the first record that brought it.
-- Times are microseconds in Kafka and timestamptz here: exact.

CREATE TABLE forebay.readings (
	device           text        NOT NULL,
	metric           text        NOT NULL,
	event_time       timestamptz NOT NULL,
	value            double precision,		-- NULL unless quality is good
	unit             text,
	quality          text        NOT NULL,
	text             text,				-- what a bad value was in the message
	ingest_time      timestamptz NOT NULL,
	source           text,				-- the path map that read it
	origin_topic     text        NOT NULL,
	origin_partition int         NOT NULL,
	origin_offset    bigint      NOT NULL,
	PRIMARY KEY (device, metric, event_time)
) PARTITION BY RANGE (event_time);
CREATE TABLE forebay.readings_default PARTITION OF forebay.readings DEFAULT;

CREATE TABLE forebay.scores (
	device           text        NOT NULL,
	metric           text        NOT NULL,
	event_time       timestamptz NOT NULL,
	value            double precision,
	p_value          double precision,
	onset            double precision,
	state            double precision,
	p_scalar         double precision,
	p_forecast       double precision,
	expected         double precision,
	lower            double precision,
	upper            double precision,
	ingest_time      timestamptz NOT NULL,
	origin_topic     text        NOT NULL,
	origin_partition int         NOT NULL,
	origin_offset    bigint      NOT NULL,
	PRIMARY KEY (device, metric, event_time)
) PARTITION BY RANGE (event_time);
CREATE TABLE forebay.scores_default PARTITION OF forebay.scores DEFAULT;

CREATE TABLE forebay.series (
	device           text        NOT NULL,
	metric           text        NOT NULL,
	start_time       timestamptz NOT NULL,
	step_us          bigint      NOT NULL,
	sequence         bigint      NOT NULL,
	unit             text,
	target           double precision[] NOT NULL,	-- NULL where nothing is known
	flags            bytea,				-- a byte per step: 1 imputed, 2 outlier, 4 clipped
	readings         bigint      NOT NULL,
	imputed          bigint      NOT NULL,
	outliers         bigint      NOT NULL,
	dropped          bigint      NOT NULL,
	late             bigint      NOT NULL,
	repeated         bigint      NOT NULL,
	ingest_time      timestamptz NOT NULL,
	origin_topic     text        NOT NULL,
	origin_partition int         NOT NULL,
	origin_offset    bigint      NOT NULL,
	PRIMARY KEY (device, metric, start_time, step_us)
);

CREATE TABLE forebay.aggregates (
	device           text        NOT NULL,
	metric           text        NOT NULL,
	start_time       timestamptz NOT NULL,
	end_time         timestamptz NOT NULL,
	count            bigint      NOT NULL,
	mean             double precision,
	deviation        double precision,
	minimum          double precision,
	maximum          double precision,
	first            double precision,
	last             double precision,
	origin_topic     text        NOT NULL,
	origin_partition int         NOT NULL,
	origin_offset    bigint      NOT NULL,
	PRIMARY KEY (device, metric, start_time, end_time)
);

CREATE TABLE forebay.forecasts (
	device           text        NOT NULL,
	metric           text        NOT NULL,
	origin_time      timestamptz NOT NULL,		-- end of what was known
	model            text        NOT NULL,
	version          text        NOT NULL,
	step_us          bigint      NOT NULL,
	levels           double precision[] NOT NULL,	-- of the quantiles, ascending
	quantiles        double precision[] NOT NULL,	-- [step][level]
	members          text[],			-- of an ensemble
	weights          double precision[],
	ingest_time      timestamptz NOT NULL,
	origin_topic     text        NOT NULL,
	origin_partition int         NOT NULL,
	origin_offset    bigint      NOT NULL,
	PRIMARY KEY (device, metric, origin_time, model, version)
);

-- A forecast as rows, for dashboards: one per step and level.
CREATE VIEW forebay.forecast_points AS
SELECT f.device, f.metric, f.origin_time, f.model, f.version,
       f.origin_time + (s - 1) * f.step_us * interval '1 microsecond' AS step_time,
       f.levels[l] AS level, f.quantiles[s][l] AS value
FROM forebay.forecasts f, generate_series(1, array_length(f.quantiles, 1)) AS s,
     generate_series(1, array_length(f.levels, 1)) AS l;
