-- One row per alert with its latest state by event time, and one per change of state.

CREATE TABLE forebay.alerts (
	id               text        PRIMARY KEY,
	device           text        NOT NULL,
	metric           text        NOT NULL,
	status           text        NOT NULL,
	severity         text        NOT NULL,
	starts_time      timestamptz NOT NULL,
	event_time       timestamptz NOT NULL,		-- of the reading that brought this state
	p_value          double precision,
	value            double precision,
	expected         double precision,
	lower            double precision,
	upper            double precision,
	summary          text,
	ingest_time      timestamptz NOT NULL,
	origin_topic     text        NOT NULL,
	origin_partition int         NOT NULL,
	origin_offset    bigint      NOT NULL
);
CREATE INDEX alerts_device ON forebay.alerts (device, metric, starts_time);
CREATE INDEX alerts_firing ON forebay.alerts (starts_time) WHERE status = 'firing';

CREATE TABLE forebay.alert_changes (
	id               text        NOT NULL,
	event_time       timestamptz NOT NULL,
	status           text        NOT NULL,
	severity         text        NOT NULL,
	device           text        NOT NULL,
	metric           text        NOT NULL,
	p_value          double precision,
	value            double precision,
	ingest_time      timestamptz NOT NULL,
	origin_topic     text        NOT NULL,
	origin_partition int         NOT NULL,
	origin_offset    bigint      NOT NULL,
	PRIMARY KEY (id, event_time, status, severity)
);
