-- What came to the dead-letter topics, original bytes included.  The identity is the place in the dead-letter topic.

CREATE TABLE forebay.dead_letters (
	topic            text        NOT NULL,		-- the dead-letter topic
	partition        int         NOT NULL,
	"offset"         bigint      NOT NULL,
	time             timestamptz,			-- Kafka's time stamp
	reason           text,				-- of schemas/reasons.def
	message          text,
	source_topic     text,
	source_partition text,				-- as the headers have it: anybody may write to a topic
	source_offset    text,
	device           text,
	key              bytea,
	payload          bytea,
	PRIMARY KEY (topic, partition, "offset")
);
CREATE INDEX dead_letters_reason ON forebay.dead_letters (reason, time);
