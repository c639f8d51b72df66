-- Claims, decided by the row of their channel.

-- Deposits that the channel had before blocks that can be gone back behind; NULL: none. What is kept for them beside
-- a new best proof is decided by the receiver, with the row locked.
ALTER TABLE ledger ADD earlier numeric(58)[];

-- Which process sends the answer; NULL: it has ended, and not whole.
ALTER TABLE bound_use ADD owner bigint;
CREATE INDEX bound_use_mac ON bound_use (channel, mac);

-- The interval rule of wire-protocol.md section 8: receiver/channels/claims.ts once more. A test holds the two
-- together by random decisions. An interval (from, to] of units is the range [from, to) here: ranges that touch join.

-- Keeps the 64 largest gaps, those that pay for most.
CREATE FUNCTION close_gaps(gaps nummultirange) RETURNS nummultirange
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN (SELECT count(*) FROM unnest(gaps)) <= 64 THEN gaps
    ELSE (SELECT range_agg(each) FROM (
      SELECT each FROM unnest(gaps) AS each
      ORDER BY upper(each) - lower(each) DESC, upper(each) DESC LIMIT 64) AS largest)
  END
$$;

-- `code` is NULL when the interval is claimed: then `h` and `g` are highest balance and gaps after it.
CREATE FUNCTION claim_interval(
  highest numeric, gaps nummultirange, balance numeric, price numeric, may_leave_gap boolean,
  OUT code text, OUT h numeric, OUT g nummultirange)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  start numeric := balance - price;
  gaps_after bigint;
BEGIN
  IF start < 0 THEN
    code := CASE WHEN balance = highest AND highest > 0 THEN 'balance_spent' ELSE 'invalid_amount' END;
    RETURN;
  END IF;
  h := greatest(highest, balance);
  IF balance <= highest THEN
    IF NOT gaps @> numrange(start, balance) THEN
      code := CASE WHEN balance < highest AND NOT may_leave_gap THEN 'invalid_amount' ELSE 'balance_spent' END;
      RETURN;
    END IF;
    g := gaps - nummultirange(numrange(start, balance));
  ELSIF start < highest THEN
    IF NOT gaps @> numrange(start, highest) THEN
      code := 'invalid_amount';
      RETURN;
    END IF;
    g := gaps - nummultirange(numrange(start, highest));
  ELSIF start > highest THEN
    IF NOT may_leave_gap THEN
      code := 'invalid_amount';
      RETURN;
    END IF;
    g := gaps + nummultirange(numrange(highest, start));
  ELSE
    g := gaps;
  END IF;
  SELECT count(*) INTO gaps_after FROM unnest(g);
  IF gaps_after > 64 AND gaps_after > (SELECT count(*) FROM unnest(gaps)) THEN
    code := 'invalid_amount';
    RETURN;
  END IF;
  g := close_gaps(g);
END
$$;

-- One or several payments of a channel that follow each other, with the proof of the last.
CREATE TYPE claim_run AS (
  id bigint,
  from_ numeric,
  to_ numeric,
  may_leave_gap boolean,
  bound boolean,
  -- As in `ledger`; NULL: below what is proven already.
  form smallint,
  proof bytea,
  tick_i int,
  tick bytea,
  commitment_no int,
  -- How many of its payments have a MAC.
  uses int
);

-- Why a run is refused that did not begin at the highest balance; claims it otherwise. The codes are those of
-- refusals; `apart` is decided by the receiver with the row locked, `stale` is to be looked up and asked again.
CREATE FUNCTION claim_run_alone(run claim_run) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  l ledger;
  c record;
BEGIN
  SELECT * INTO l FROM ledger WHERE ledger.id = run.id FOR NO KEY UPDATE;
  IF NOT FOUND OR NOT l.open OR l.agreed OR l.collecting OR (l.bound AND NOT run.bound) THEN
    RETURN 'nonexisting_channel';
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
CREATE FUNCTION claim_many(
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
  SELECT coalesce(sum(t.to_ - t.kept), 0) INTO given FROM unnest(credit_tos, credit_kept) AS t (to_, kept);
  UPDATE process SET batch = p_batch, refused = NULL, paid = paid + asked, credited = credited + given
    WHERE id = p_process AND epoch = p_epoch;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another process has taken this one for dead' USING ERRCODE = 'UR001';
  END IF;

  -- Rows are locked in the order of their ids, here and below.
  IF cardinality(credit_ids) > 0 THEN
    PERFORM FROM ledger l WHERE l.id = ANY (credit_ids || ARRAY(SELECT id FROM unnest(p_runs)))
      ORDER BY l.id FOR NO KEY UPDATE;
    PERFORM give_back(c.id, c.kept, c.to_, c.key, c.mac)
      FROM unnest(credit_ids, credit_kept, credit_tos, credit_keys, credit_macs) AS c (id, kept, to_, key, mac);
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
        AND l.open AND NOT l.agreed AND NOT l.collecting AND (w.bound OR NOT l.bound) AND l.earlier IS NULL
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
    INSERT INTO bound_use AS b (channel, slot, number, mac, from_, to_, owner)
      SELECT u.id, (l.uses - u.total + u.k) % 64, l.uses - u.total + u.k, u.mac, u.from_, u.to_, p_process
      FROM (
        SELECT (p_runs[e.run]).id, e.mac, e.from_, e.to_,
          row_number() OVER (PARTITION BY (p_runs[e.run]).id ORDER BY e.ordinality) AS k,
          count(*) OVER (PARTITION BY (p_runs[e.run]).id) AS total
        FROM unnest(use_runs, use_macs, use_froms, use_tos) WITH ORDINALITY AS e (run, mac, from_, to_)
        WHERE e.run = ANY (won)) AS u
      JOIN ledger l ON l.id = u.id
      WHERE u.k > u.total - 64
      ON CONFLICT (channel, slot) DO UPDATE SET number = excluded.number, mac = excluded.mac,
        from_ = excluded.from_, to_ = excluded.to_, owner = excluded.owner;
  END IF;
  IF cardinality(lost) > 0 THEN
    SELECT sum((p_runs[i]).to_ - (p_runs[i]).from_) INTO off_paid FROM unnest(lost) AS i;
    UPDATE process SET refused = lost, paid = paid - off_paid WHERE id = p_process;
    RETURN QUERY SELECT * FROM unnest(lost, codes);
  END IF;
END
$$;

-- Cuts what a request has claimed at `kept`: the units above it, up to `to_`, are credit.
CREATE FUNCTION give_back(channel_id bigint, kept numeric, to_ numeric, key bytea, use_mac bytea) RETURNS void
LANGUAGE plpgsql AS $$
#variable_conflict use_variable
BEGIN
  UPDATE ledger SET gaps = close_gaps(gaps + nummultirange(numrange(kept, give_back.to_)))
    WHERE ledger.id = channel_id;
  IF key IS NOT NULL THEN
    DELETE FROM request r WHERE r.id = key AND r.from_ >= kept;
    UPDATE request r SET to_ = kept WHERE r.id = key AND r.to_ > kept;
  END IF;
  IF use_mac IS NOT NULL THEN
    UPDATE bound_use b SET to_ = kept
      WHERE b.channel = channel_id AND b.mac = use_mac AND b.to_ > kept AND b.from_ <= kept;
  END IF;
END
$$;
