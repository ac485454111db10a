-- How far each sink has come, who owns the partition, and the dead letters that Kafka has yet to receive.

CREATE TABLE forebay.sink_offsets (
	sink             text        NOT NULL,		-- consumer group
	topic            text        NOT NULL,
	partition        int         NOT NULL,
	next_offset      bigint,			-- NULL: nothing committed yet
	epoch            bigint      NOT NULL,		-- raised by every claim; a commit under an older one finds no row
	instance         text        NOT NULL,
	backend_pid      int         NOT NULL,		-- the owner's session
	backend_start    timestamptz NOT NULL,
	rows_inserted    bigint      NOT NULL DEFAULT 0,	-- or brought up to date
	rows_repeated    bigint      NOT NULL DEFAULT 0,	-- identity was there already: nothing changed
	dead_letters     bigint      NOT NULL DEFAULT 0,
	updated_at       timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (sink, topic, partition)
) WITH (fillfactor = 40, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE forebay.sink_outbox (
	sink             text        NOT NULL,
	topic            text        NOT NULL,		-- of the input that is dead
	partition        int         NOT NULL,
	"offset"         bigint      NOT NULL,
	timestamp_us     bigint      NOT NULL,
	key              bytea,
	value            bytea,
	schema_id        bytea,
	reason           text        NOT NULL,
	message          text        NOT NULL,
	PRIMARY KEY (sink, topic, partition, "offset")
);
