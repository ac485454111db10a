-- Trained models, what became of them, and what became of forecasts.  Times are microseconds since 1970 (forebay.micros() makes
-- them readable) where the trainer keeps them, timestamptz where the line writes them for people.

-- A row a version: one training.  Nothing but its standing ever changes.
CREATE TABLE forebay.models (
	name             text        NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 512 AND strpos(name, '/') = 0),
	version          text        NOT NULL CHECK (octet_length(version) BETWEEN 1 AND 512 AND strpos(version, '/') = 0),
	family           text        NOT NULL CHECK (family <> ''),	-- which code reads the artefact
	status           text        NOT NULL CHECK (status IN ('candidate', 'canary', 'live', 'retired', 'rejected')),
	canary_share     double precision NOT NULL DEFAULT 0 CHECK (canary_share BETWEEN 0 AND 1),	-- of the devices
	created_us       bigint      NOT NULL,		-- when the training ended
	from_us          bigint      NOT NULL,		-- event times of the training data: [from, to)
	to_us            bigint      NOT NULL,
	parent           text,				-- version that it was compared with
	figures          jsonb       NOT NULL DEFAULT '{}',	-- of the validation
	artefact         bytea       NOT NULL CHECK (octet_length(artefact) > 0),
	sha256           bytea       NOT NULL,		-- of the artefact
	changed_us       bigint      NOT NULL,		-- when it came to its present standing
	announced_time   timestamptz,			-- when topic models was told of that standing; NULL: it was not
	PRIMARY KEY (name, version)
);
ALTER TABLE forebay.models ALTER artefact SET STORAGE EXTERNAL;	-- weights do not compress

-- Whatever happens elsewhere, of every name one version lives at most, and one is canary at most.
CREATE UNIQUE INDEX models_live ON forebay.models (name) WHERE status = 'live';
CREATE UNIQUE INDEX models_canary ON forebay.models (name) WHERE status = 'canary';
CREATE INDEX models_untold ON forebay.models (changed_us) WHERE announced_time IS NULL;

CREATE TABLE forebay.model_changes (
	id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name             text        NOT NULL,
	version          text        NOT NULL,
	from_status      text,				-- NULL: it was added
	to_status        text        NOT NULL,
	rolled_back      boolean     NOT NULL DEFAULT false,	-- it lives again because the one after it failed
	why              text        NOT NULL,
	changed_us       bigint      NOT NULL,
	FOREIGN KEY (name, version) REFERENCES forebay.models ON DELETE CASCADE
);
CREATE INDEX model_changes_name ON forebay.model_changes (name, id);

-- A training under way, so that another process can go on with it.
CREATE TABLE forebay.trainings (
	name             text        PRIMARY KEY,
	plan             text        NOT NULL,		-- what it was begun with: JSON
	progress         bytea,				-- how far it is; NULL: nothing saved yet
	started_us       bigint      NOT NULL,
	saved_us         bigint      NOT NULL
);
ALTER TABLE forebay.trainings ALTER progress SET STORAGE EXTERNAL;

-- What became of each step of each forecast.  Losses are pure numbers: mean pinball loss over the levels, divided by scale.
CREATE TABLE forebay.outcomes (
	device           text        NOT NULL,
	metric           text        NOT NULL,
	event_time       timestamptz NOT NULL,		-- start of the step
	origin_time      timestamptz NOT NULL,		-- of the forecast
	step             int         NOT NULL,		-- from 0
	value            double precision NOT NULL,
	scale            double precision NOT NULL,
	loss             double precision NOT NULL,	-- of the forecast as it was sent
	lower            double precision,
	upper            double precision,
	model            text        NOT NULL,
	version          text,				-- NULL: no trained model took part
	model_loss       double precision,		-- of the trained model alone
	rival            text,				-- version that forecast it as well, unseen
	rival_loss       double precision,
	members          text[],			-- of the ensemble
	losses           double precision[],		-- theirs, in that order
	drift            boolean     NOT NULL,
	ingest_time      timestamptz NOT NULL,
	origin_topic     text        NOT NULL,
	origin_partition int         NOT NULL,
	origin_offset    bigint      NOT NULL,
	PRIMARY KEY (device, metric, event_time, origin_time)
) PARTITION BY RANGE (event_time);
CREATE TABLE forebay.outcomes_default PARTITION OF forebay.outcomes DEFAULT;
