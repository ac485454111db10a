-- What the notifier owes to whom: a row per change of an alert and receiver, written before anything is sent, kept as the record of
-- what became of it.  The row is the queue: whoever takes it sets due_at beyond the time that sending may take.

CREATE TABLE forebay.deliveries (
	notifier         text        NOT NULL,		-- consumer group
	receiver         text        NOT NULL,		-- "webhook", "alertmanager host:port"
	alert_id         text        NOT NULL,
	status           text        NOT NULL,		-- firing, resolved
	severity         text        NOT NULL,		-- '' for receivers that know of no change of severity
	seq              bigint      GENERATED ALWAYS AS IDENTITY,	-- order of the changes of an alert
	device           text        NOT NULL,
	metric           text        NOT NULL,
	state            text        NOT NULL DEFAULT 'pending'
	                 CHECK (state IN ('pending', 'delivered', 'refused', 'dead')),	-- refused: its dead letter is still to be sent
	stored_at        timestamptz NOT NULL DEFAULT now(),
	due_at           timestamptz NOT NULL DEFAULT now(),	-- of the next attempt; while somebody is at it, when to believe him gone
	owner            text,				-- instance that is at it
	attempts         int         NOT NULL DEFAULT 0,
	first_attempt_at timestamptz,
	last_attempt_at  timestamptz,
	delivered_at     timestamptz,
	http_status      int,				-- of the last answer; NULL: there was none
	reason           text,				-- of schemas/reasons.def, when it was refused
	error            text,				-- of the last attempt that failed
	sent_at          timestamptz,			-- last time that the receiver was told again
	standing_until   timestamptz,			-- the receiver is told again until then; NULL: it is not
	payload          text        NOT NULL,		-- as the receiver's kind wants it
	origin_topic     text        NOT NULL,
	origin_partition int         NOT NULL,
	origin_offset    bigint      NOT NULL,
	timestamp_us     bigint      NOT NULL,		-- of the Kafka record, as are key, value, schema_id: for its dead letter
	key              bytea,
	value            bytea,
	schema_id        bytea,
	PRIMARY KEY (notifier, receiver, alert_id, status, severity)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX deliveries_seq ON forebay.deliveries (seq);
CREATE INDEX deliveries_due ON forebay.deliveries (notifier, receiver, due_at, seq) WHERE state = 'pending';
CREATE INDEX deliveries_refused ON forebay.deliveries (notifier, due_at) WHERE state = 'refused';
CREATE INDEX deliveries_standing ON forebay.deliveries (notifier, receiver, sent_at) WHERE standing_until IS NOT NULL;
CREATE INDEX deliveries_stored ON forebay.deliveries (notifier, stored_at);
CREATE INDEX deliveries_alert ON forebay.deliveries (alert_id);
