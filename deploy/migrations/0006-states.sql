-- What the workers keep per key, so that it survives them.  Offsets are Kafka's; times are microseconds since 1970 (forebay.micros()
-- makes them readable).

-- One row per run ("live", or a replay's name), consumer group and partition of its primary input.
CREATE TABLE forebay.state_partitions (
	id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	run              text        NOT NULL,
	worker           text        NOT NULL,		-- consumer group
	topic            text        NOT NULL,		-- primary input
	partition        int         NOT NULL,
	epoch            bigint      NOT NULL,		-- raised by every claim; a write under an older one finds no row
	instance         text        NOT NULL,		-- who claimed it
	sources          text[]      NOT NULL,		-- what positions count, in their order; grows at the end only
	frontier         bigint[],			-- every state holds its key's records before it; NULL: nothing written yet
	reached          bigint      NOT NULL DEFAULT -1,	-- greatest clock of a state
	active_us        bigint      NOT NULL DEFAULT 0,	-- greatest active_us of a state
	claimed_at       timestamptz NOT NULL DEFAULT now(),
	updated_at       timestamptz NOT NULL DEFAULT now(),
	UNIQUE (run, worker, topic, partition)
) WITH (fillfactor = 40, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- The newest stored state of every key.  Rows are replaced every few seconds: pages keep room for the new versions beside the
-- old ones, so that no index is touched and a page is tidied when it is next used.  For the same reason states of up to half
-- a page stay in the row; larger ones live outside of it, where only VACUUM clears up.
CREATE TABLE forebay.states (
	partition        bigint      NOT NULL REFERENCES forebay.state_partitions ON DELETE CASCADE,
	key              bytea       NOT NULL,
	clock            bigint      NOT NULL,		-- positions[1]: offset of the next record of the primary input
	positions        bigint[]    NOT NULL,		-- of every source; -1 or missing: nothing of it was read
	born             bigint      NOT NULL,		-- clock at which the key was new
	active_us        bigint      NOT NULL,		-- time stamp of the newest record it has seen
	epoch            bigint      NOT NULL,		-- under which it was written
	taken_us         bigint      NOT NULL,		-- when it was written
	state            bytea       NOT NULL,		-- see state_layouts
	PRIMARY KEY (partition, key)
) WITH (fillfactor = 45, toast_tuple_target = 4000, autovacuum_vacuum_scale_factor = 0.1,
	toast.autovacuum_vacuum_scale_factor = 0.1);
ALTER TABLE forebay.states ALTER state SET STORAGE EXTERNAL;	-- not compressed: that costs more than it saves

-- Older states, thinned out with age.
CREATE TABLE forebay.state_rungs (
	partition        bigint      NOT NULL REFERENCES forebay.state_partitions ON DELETE CASCADE,
	key              bytea       NOT NULL,
	clock            bigint      NOT NULL,
	positions        bigint[]    NOT NULL,
	born             bigint      NOT NULL,
	active_us        bigint      NOT NULL,
	epoch            bigint      NOT NULL,
	taken_us         bigint      NOT NULL,
	state            bytea       NOT NULL,
	PRIMARY KEY (partition, key, clock) INCLUDE (taken_us)	-- with it the thinning reads the index alone
) WITH (toast_tuple_target = 4000);
ALTER TABLE forebay.state_rungs ALTER state SET STORAGE EXTERNAL;

-- What the bytes of a state mean, by the fingerprint at their beginning.
CREATE TABLE forebay.state_layouts (
	fingerprint      bigint      PRIMARY KEY,
	layout           text        NOT NULL,
	created_at       timestamptz NOT NULL DEFAULT now()
);
