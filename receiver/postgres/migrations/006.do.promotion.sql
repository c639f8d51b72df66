-- What has to be known when a standby was promoted, which may lack the newest commits: nobody pays until those who had
-- acknowledged some have put them back (receiver/cluster/promotion.ts).

-- A promotion begins a new one, with no write of anybody. 0: this server is a standby.
-- Not in SQL: a function of that is set up anew in each call.
CREATE FUNCTION current_timeline() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF pg_is_in_recovery() THEN
    RETURN 0;
  END IF;
  RETURN ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint;
END
$$;

ALTER TABLE meta
  -- On which payments are taken; another than the server's: not yet.
  ADD timeline bigint NOT NULL DEFAULT current_timeline(),
  -- The newest that a process has met, and when, by this server's clock.
  ADD noticed bigint,
  ADD noticed_at timestamptz,
  -- By the clock of the server before: when the last process was heard there.
  ADD last_heard timestamptz;

ALTER TABLE process
  -- The process's own: after a promotion its number may be another one's.
  ADD token uuid NOT NULL DEFAULT gen_random_uuid(),
  -- On which it has put back what it had acknowledged.
  ADD timeline bigint NOT NULL DEFAULT current_timeline();

-- For a write that counts on this timeline only, and not before all was put back there.
CREATE FUNCTION serving_epoch(epoch bigint, timeline bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_variable
BEGIN
  IF timeline <> current_timeline() OR timeline <> (SELECT meta.timeline FROM meta) THEN
    RAISE EXCEPTION 'a standby was promoted' USING ERRCODE = 'UR002';
  END IF;
  RETURN epoch;
END
$$;
