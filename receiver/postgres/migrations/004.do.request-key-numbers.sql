-- The row of a channel has the number of its request key: a payment by the key of before is refused as soon as there is
-- another one, whichever process has taken that.
ALTER TABLE ledger ADD key_no numeric(20);
UPDATE ledger SET key_no = channel.request_key_number FROM channel WHERE channel.id = ledger.id AND ledger.bound;
ALTER TABLE ledger DROP bound;

-- Of the key that a bound payment came with; NULL: it is not bound.
ALTER TYPE claim_run DROP ATTRIBUTE bound, ADD ATTRIBUTE key_no numeric;

-- Of a channel the last 64 bound requests that are open are kept, however many others were answered since: where one of
-- several receivers ends, the others go on, and a request of its may be repeated after hundreds of theirs.
ALTER TABLE bound_use DROP slot, ADD PRIMARY KEY (channel, number);

-- What a living process is answering stays: it may still give back some of what was paid.
CREATE FUNCTION keep_newest_uses(channels bigint[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM bound_use b USING unnest(channels) AS c (id)
  WHERE b.channel = c.id AND b.number <=
    (SELECT o.number FROM bound_use o WHERE o.channel = c.id ORDER BY o.number DESC OFFSET 64 LIMIT 1)
    AND NOT EXISTS (SELECT FROM process p WHERE p.id = b.owner AND p.left_at IS NULL
      AND p.seen_at > clock_timestamp() - interval '1 minute')
$$;

DROP FUNCTION give_back(bigint, numeric, numeric, bytea, bytea);

-- Cuts what a request has claimed at `kept`: the units above it, up to `to_`, are credit. False, and nothing is done,
-- when it has a name by which it is answered elsewhere: what it has paid has bought that answer.
CREATE FUNCTION give_back(process bigint, channel_id bigint, kept numeric, to_ numeric, key bytea, use_mac bytea)
RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_variable
BEGIN
  IF key IS NOT NULL THEN
    UPDATE request r SET to_ = kept WHERE r.id = key AND r.owner = process AND r.to_ > kept;
    IF NOT FOUND THEN
      RETURN false;
    END IF;
    DELETE FROM request r WHERE r.id = key AND r.from_ >= kept;
  END IF;
  IF use_mac IS NOT NULL THEN
    UPDATE bound_use b SET to_ = kept WHERE b.channel = channel_id AND b.mac = use_mac AND b.owner = process
      AND b.to_ > kept AND b.from_ <= kept;
    IF NOT FOUND THEN
      RETURN false;
    END IF;
    DELETE FROM bound_use b WHERE b.channel = channel_id AND b.mac = use_mac AND b.from_ >= kept;
  END IF;
  UPDATE ledger SET gaps = close_gaps(gaps + nummultirange(numrange(kept, give_back.to_)))
    WHERE ledger.id = channel_id;
  RETURN true;
END
$$;

-- Why a run is refused that did not begin at the highest balance; claims it otherwise. The codes are those of
-- refusals; `apart` is decided by the receiver with the row locked, `stale` is to be looked up and asked again;
-- `key_changed`: the channel has another request key by now than the one that the payment came with.
CREATE OR REPLACE FUNCTION claim_run_alone(run claim_run) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  l ledger;
  c record;
BEGIN
  SELECT * INTO l FROM ledger WHERE ledger.id = run.id FOR NO KEY UPDATE;
  IF NOT FOUND OR NOT l.open OR l.agreed OR l.collecting OR (l.key_no IS NOT NULL AND run.key_no IS NULL) THEN
    RETURN 'nonexisting_channel';
  END IF;
  IF run.key_no <> l.key_no THEN
    RETURN 'key_changed';
  END IF;
  IF run.to_ > l.ceiling AND run.to_ > (SELECT deposit FROM channel WHERE channel.id = run.id) THEN
    RETURN 'balance_over_deposit';
  END IF;
  SELECT * INTO c FROM claim_interval(l.highest, l.gaps, run.to_, run.to_ - run.from_, run.may_leave_gap);
  IF c.code IS NOT NULL THEN
    RETURN c.code;
  END IF;
  IF run.to_ > l.highest THEN
    IF run.to_ > l.ceiling THEN
      RETURN 'insufficient_confirmations';
    END IF;
    IF run.form IS NULL OR (run.tick_i IS NOT NULL AND run.commitment_no <> l.commitment_no) THEN
      RETURN 'stale';
    END IF;
    IF l.earlier IS NOT NULL THEN
      RETURN 'apart';
    END IF;
    UPDATE ledger SET highest = c.h, gaps = c.g, uses = uses + run.uses, form = run.form, proof = run.proof,
      tick_i = coalesce(run.tick_i, tick_i), tick = coalesce(run.tick, tick), fallbacks = NULL
    WHERE ledger.id = run.id;
  ELSE
    -- The original's clients sign again what is proven already; a deposit that may be taken back needs it.
    IF l.earlier IS NOT NULL AND run.form IS NOT NULL THEN
      RETURN 'apart';
    END IF;
    UPDATE ledger SET gaps = c.g, uses = uses + run.uses WHERE ledger.id = run.id;
  END IF;
  RETURN NULL;
END
$$;

-- Claims for requests, and gives back what requests did not cost: one call, one commit, nothing decided elsewhere.
--
-- The rows that it gives are runs that were refused, by number, with the reason; none when all is well. `known`: one
-- of its requests is in `request` already. The numbers of the refused are kept in `process` for whoever did not get
-- the answer.
CREATE OR REPLACE FUNCTION claim_many(
  p_process bigint, p_epoch bigint, p_batch bigint,
  -- Milliseconds since the leader's last good look at the chain after which nobody pays; NULL: any.
  p_longest_outage float8,
  p_runs claim_run[],
  -- Requests with a key: number of the run, what they pay, until when they can be repeated.
  key_runs int[], key_ids bytea[], key_froms numeric[], key_tos numeric[], key_expires timestamptz[],
  -- Bound requests that may be run once more.
  use_runs int[], use_macs bytea[], use_froms numeric[], use_tos numeric[],
  -- What is given back: the claimed interval is cut at `credit_kept`; its key and its MAC, where it has one.
  credit_ids bigint[], credit_kept numeric[], credit_tos numeric[], credit_keys bytea[], credit_macs bytea[],
  -- Answers to bound requests that have ended, whole or not.
  end_ids bigint[], end_macs bytea[], end_whole boolean[]
) RETURNS TABLE (run int, code text)
LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
  asked numeric;
  given numeric;
  skipped int[];
  won int[];
  lost int[] := '{}';
  codes text[] := '{}';
  n int;
  why text;
  off_paid numeric := 0;
BEGIN
  -- A SET of the function would end before the commit.
  PERFORM set_config('synchronous_commit', 'on', true)
    WHERE current_setting('synchronous_commit') IN ('off', 'local');
  SELECT coalesce(sum(to_ - from_), 0) INTO asked FROM unnest(p_runs);
  UPDATE process SET batch = p_batch, refused = NULL, paid = paid + asked
    WHERE id = p_process AND epoch = p_epoch;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another process has taken this one for dead' USING ERRCODE = 'UR001';
  END IF;

  -- Rows are locked in the order of their ids, here and below.
  IF cardinality(credit_ids) > 0 THEN
    PERFORM FROM ledger l WHERE l.id = ANY (credit_ids || ARRAY(SELECT id FROM unnest(p_runs)))
      ORDER BY l.id FOR NO KEY UPDATE;
    SELECT coalesce(sum(c.to_ - c.kept), 0) INTO given
      FROM unnest(credit_ids, credit_kept, credit_tos, credit_keys, credit_macs) AS c (id, kept, to_, key, mac)
      WHERE give_back(p_process, c.id, c.kept, c.to_, c.key, c.mac);
    UPDATE process SET credited = credited + given WHERE id = p_process;
  END IF;
  IF cardinality(end_ids) > 0 THEN
    DELETE FROM bound_use b USING unnest(end_ids, end_macs, end_whole) AS e (id, mac, whole)
      WHERE b.channel = e.id AND b.mac = e.mac AND e.whole;
    UPDATE bound_use b SET owner = NULL FROM unnest(end_ids, end_macs, end_whole) AS e (id, mac, whole)
      WHERE b.channel = e.id AND b.mac = e.mac AND NOT e.whole;
  END IF;
  IF cardinality(p_runs) = 0 THEN
    RETURN;
  END IF;

  IF p_longest_outage IS NOT NULL AND (SELECT seen_at FROM position)
      < clock_timestamp() - p_longest_outage * interval '1 ms' THEN
    SELECT array_agg(i), array_agg('chain_unavailable'::text) INTO lost, codes FROM generate_subscripts(p_runs, 1) i;
    won := '{}';
  ELSE
    SELECT coalesce(array_agg(DISTINCT k.run), '{}') INTO skipped FROM unnest(key_runs, key_ids) AS k (run, id)
      JOIN request r ON r.id = k.id AND r.expires > clock_timestamp();
    -- What begins at the highest balance is free, whatever gaps there are: nearly every payment.
    WITH w AS (SELECT * FROM unnest(p_runs) WITH ORDINALITY), appended AS (
      UPDATE ledger l SET highest = w.to_, form = w.form, proof = w.proof, uses = l.uses + w.uses, fallbacks = NULL,
        tick_i = coalesce(w.tick_i, l.tick_i), tick = coalesce(w.tick, l.tick)
      FROM w
      WHERE l.id = w.id AND l.highest = w.from_ AND w.to_ > w.from_ AND w.to_ <= l.ceiling
        AND l.open AND NOT l.agreed AND NOT l.collecting AND (l.key_no IS NULL OR w.key_no = l.key_no) AND l.earlier IS NULL
        AND w.form IS NOT NULL AND (w.tick_i IS NULL OR w.commitment_no = l.commitment_no)
        AND w.ordinality <> ALL (skipped)
      RETURNING w.ordinality::int AS n)
    SELECT coalesce(array_agg(n), '{}') INTO won FROM appended;
    IF cardinality(won) < cardinality(p_runs) THEN
      FOR n IN SELECT i FROM generate_subscripts(p_runs, 1) i WHERE i <> ALL (won) ORDER BY (p_runs[i]).id, i LOOP
        why := CASE WHEN n = ANY (skipped) THEN 'known' ELSE claim_run_alone(p_runs[n]) END;
        IF why IS NULL THEN
          won := won || n;
        ELSE
          -- It may have been claimed by the same request elsewhere: a new statement sees what is committed by now.
          IF why IN ('balance_spent', 'invalid_amount') AND EXISTS (
              SELECT FROM unnest(key_runs, key_ids) AS k (run, id) JOIN request r ON r.id = k.id
              WHERE k.run = n AND r.expires > clock_timestamp()) THEN
            why := 'known';
          END IF;
          lost := lost || n;
          codes := codes || why;
        END IF;
      END LOOP;
    END IF;
  END IF;

  -- Whoever has not paid makes the disk do nothing more.
  IF cardinality(key_runs) > 0 THEN
    INSERT INTO request AS r (id, channel, from_, to_, owner, owner_epoch, expires)
      SELECT k.id, (p_runs[k.run]).id, k.from_, k.to_, p_process, p_epoch, k.expires
      FROM unnest(key_runs, key_ids, key_froms, key_tos, key_expires) AS k (run, id, from_, to_, expires)
      WHERE k.run = ANY (won)
      ON CONFLICT (id) DO UPDATE SET from_ = excluded.from_, to_ = excluded.to_, owner = excluded.owner,
        owner_epoch = excluded.owner_epoch, expires = excluded.expires, attempts = 1,
        status = NULL, headers = NULL, content = NULL, body = NULL;
  END IF;
  IF cardinality(use_runs) > 0 THEN
    INSERT INTO bound_use (channel, number, mac, from_, to_, owner)
      SELECT u.id, l.uses - u.total + u.k, u.mac, u.from_, u.to_, p_process
      FROM (
        SELECT (p_runs[e.run]).id, e.mac, e.from_, e.to_,
          row_number() OVER (PARTITION BY (p_runs[e.run]).id ORDER BY e.ordinality) AS k,
          count(*) OVER (PARTITION BY (p_runs[e.run]).id) AS total
        FROM unnest(use_runs, use_macs, use_froms, use_tos) WITH ORDINALITY AS e (run, mac, from_, to_)
        WHERE e.run = ANY (won)) AS u
      JOIN ledger l ON l.id = u.id;
    PERFORM keep_newest_uses(ARRAY(SELECT DISTINCT (p_runs[r]).id FROM unnest(use_runs) AS r WHERE r = ANY (won)));
  END IF;
  IF cardinality(lost) > 0 THEN
    SELECT sum((p_runs[i]).to_ - (p_runs[i]).from_) INTO off_paid FROM unnest(lost) AS i;
    UPDATE process SET refused = lost, paid = paid - off_paid WHERE id = p_process;
    RETURN QUERY SELECT * FROM unnest(lost, codes);
  END IF;
END
$$;
