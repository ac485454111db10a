-- Partitions by time, made when rows need them and dropped when they are old.  Times are microseconds since 1970.

CREATE FUNCTION forebay.micros(us bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT timestamptz '1970-01-01 00:00:00+00' + us * interval '1 microsecond' $$;

-- Have a partition of PARENT for [START_US, END_US) named PARENT || SUFFIX.  Returns 'exists', 'created', or 'covered':
-- another partition holds that time, or the default one has rows of it, and they stay there.
CREATE FUNCTION forebay.partition_for(parent regclass, start_us bigint, end_us bigint, suffix text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	nsp text;
	child text;
BEGIN
	SELECT n.nspname, c.relname || suffix INTO STRICT nsp, child
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = parent;
	IF to_regclass(format('%I.%I', nsp, child)) IS NOT NULL THEN
		RETURN 'exists';
	END IF;
	PERFORM set_config('lock_timeout', '3s', true);	-- a long reader must not make a queue behind us
	-- One at a time.  A lock of the table itself (ATTACH takes it anyway) also makes us hear of what others have just made;
	-- after an advisory lock the look-up below could still be answered from this session's memory.
	EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', parent);
	IF to_regclass(format('%I.%I', nsp, child)) IS NOT NULL THEN
		RETURN 'exists';
	END IF;
	-- Made apart and then attached: that disturbs the table's users less than CREATE ... PARTITION OF.
	EXECUTE format('CREATE TABLE %I.%I (LIKE %s INCLUDING ALL)', nsp, child, parent);
	EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
		       parent, nsp, child, forebay.micros(start_us), forebay.micros(end_us));
	RETURN 'created';
EXCEPTION
	WHEN check_violation OR invalid_object_definition THEN
		RETURN 'covered';
END $$;

-- Forget rows of TARGET whose COL is before CUTOFF_US: whole partitions are dropped, the default partition and tables
-- without partitions lose single rows.
CREATE FUNCTION forebay.retain(target regclass, col text, cutoff_us bigint, dry_run bool,
			       OUT partitions bigint, OUT rows bigint)
LANGUAGE plpgsql AS $$
DECLARE
	cutoff timestamptz := forebay.micros(cutoff_us);
	part record;
	rest regclass := target;
BEGIN
	partitions := 0;
	rows := 0;
	PERFORM set_config('lock_timeout', '3s', true);
	IF EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = target) THEN
		FOR part IN
			SELECT c.oid::regclass AS name,
			       substring(pg_get_expr(c.relpartbound, c.oid) FROM $re$TO \('([^']+)'\)$re$)::timestamptz AS ends
			FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = target
		LOOP
			CONTINUE WHEN part.ends IS NULL OR part.ends > cutoff;
			partitions := partitions + 1;
			IF NOT dry_run THEN
				EXECUTE format('DROP TABLE %s', part.name);
			END IF;
		END LOOP;
		SELECT partdefid::regclass INTO rest FROM pg_partitioned_table WHERE partrelid = target AND partdefid <> 0;
		IF NOT FOUND THEN
			RETURN;
		END IF;
	END IF;
	IF dry_run THEN
		EXECUTE format('SELECT count(*) FROM %s WHERE %I < $1', rest, col) INTO rows USING cutoff;
	ELSE
		EXECUTE format('DELETE FROM %s WHERE %I < $1', rest, col) USING cutoff;
		GET DIAGNOSTICS rows = ROW_COUNT;
	END IF;
END $$;
