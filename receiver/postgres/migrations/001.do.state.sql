-- The state of one receiver (one account, one contract, one chain) that several processes share.
--
-- Payments change rows of `ledger` alone, as a rule one row each. No index may be on a column that payments change:
-- it would end updates within a page (HOT), which halve what they cost.

-- Whose state it is. `moved`: it was taken elsewhere, and nothing may be served on it.
CREATE TABLE meta (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  store_id uuid NOT NULL DEFAULT gen_random_uuid(),
  program text NOT NULL,
  chain_id numeric(78) NOT NULL,
  contract text NOT NULL,
  account text NOT NULL,
  state text NOT NULL DEFAULT 'serving' CHECK (state IN ('serving', 'moved'))
);

-- Small records of the receiver, by name, as a folder has them: fence, forgotten, gas-prices, first-block.
CREATE TABLE note (
  name text PRIMARY KEY,
  value text NOT NULL
);

-- What the chain says of a channel, and what of it payments do not change. Written by the leader; the request key
-- and the commitment to ticks by whoever is shown a newer one.
CREATE TABLE channel (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sender bytea NOT NULL CHECK (octet_length(sender) = 20),
  open_block bigint NOT NULL,
  -- NULL: the chain has said nothing of it yet, or is read again.
  state text CHECK (state IN ('open', 'closing', 'settled')),
  deposit numeric(58) NOT NULL DEFAULT 0,
  withdrawn numeric(58) NOT NULL DEFAULT 0,
  -- There once a close was requested.
  end_balance numeric(58),
  end_block bigint,
  end_contract_block bigint,
  -- Seen in a block that is not confirmed yet.
  close_seen boolean NOT NULL DEFAULT false,
  request_key bytea CHECK (octet_length(request_key) = 33),
  request_key_number numeric(20),
  commitment text,
  commitment_no int NOT NULL DEFAULT 0,
  -- The facts_version of `position` that changed it last.
  changed bigint NOT NULL DEFAULT 0,
  UNIQUE (sender, open_block)
);
CREATE INDEX channel_changed ON channel (changed);
CREATE INDEX channel_closing ON channel (id) WHERE state = 'closing';

-- Settled channels that were forgotten of late, for those who do not lead.
CREATE TABLE forgotten_channel (
  sender bytea NOT NULL,
  open_block bigint NOT NULL,
  version bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX forgotten_channel_version ON forgotten_channel (version);

-- What was paid on a channel, and what its next payment is decided by.
CREATE TABLE ledger (
  id bigint PRIMARY KEY REFERENCES channel ON DELETE CASCADE,
  -- The chain lets it pay; `agreed`: we signed a closing agreement; `collecting`: we want to close it.
  open boolean NOT NULL DEFAULT false,
  agreed boolean NOT NULL DEFAULT false,
  collecting boolean NOT NULL DEFAULT false,
  bound boolean NOT NULL DEFAULT false,
  -- The highest balance that it may have.
  ceiling numeric(58) NOT NULL DEFAULT 0,
  -- H, the balance of the best proof; units below it that have not paid for anything are `gaps`.
  highest numeric(58) NOT NULL DEFAULT 0,
  gaps nummultirange NOT NULL DEFAULT '{}',
  -- Of `proof`: 1 seed, 2 eip712, 3 a tick, 4 a tick whose commitment takes no more. A signature of 65 bytes; of a
  -- tick nothing, its word is in `tick`.
  form smallint CHECK (form BETWEEN 1 AND 4),
  proof bytea,
  tick_i int,
  tick bytea CHECK (octet_length(tick) = 32),
  commitment_no int NOT NULL DEFAULT 0,
  -- Best proofs under earlier deposits: balance, form, signature in hex.
  fallbacks jsonb,
  -- Bound requests that have paid.
  uses bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 60);

-- The last 64 bound requests of a channel whose answers are not known to have left whole.
CREATE TABLE bound_use (
  channel bigint NOT NULL REFERENCES ledger ON DELETE CASCADE,
  slot smallint NOT NULL CHECK (slot BETWEEN 0 AND 63),
  number bigint NOT NULL,
  mac bytea NOT NULL CHECK (octet_length(mac) = 16),
  from_ numeric(58) NOT NULL,
  to_ numeric(58) NOT NULL,
  PRIMARY KEY (channel, slot)
);

-- The balance that a channel may be closed at, for ever.
CREATE TABLE agreement (
  channel bigint PRIMARY KEY REFERENCES ledger ON DELETE CASCADE,
  balance numeric(58) NOT NULL,
  signature bytea,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Processes that serve. Whoever finds one dead raises its epoch, and what it sends afterwards finds no row.
CREATE TABLE process (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  epoch bigint NOT NULL DEFAULT 1,
  batch bigint NOT NULL DEFAULT 0,
  -- Of the last batch: numbers of the payments in it that were refused.
  refused int[],
  paid numeric(78) NOT NULL DEFAULT 0,
  credited numeric(78) NOT NULL DEFAULT 0,
  started timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  left_at timestamptz
) WITH (fillfactor = 50);

-- Requests under a key: paid and under way, or with the reply that is kept for repetitions.
CREATE TABLE request (
  id bytea PRIMARY KEY,
  -- NULL of a reply that was kept before the state was shared.
  channel bigint REFERENCES channel ON DELETE CASCADE,
  from_ numeric(58),
  to_ numeric(58),
  owner bigint NOT NULL,
  owner_epoch bigint NOT NULL,
  attempts int NOT NULL DEFAULT 1,
  expires timestamptz NOT NULL,
  -- NULL: not answered yet.
  status smallint,
  headers jsonb,
  -- Of the request, as it had come when it was answered.
  content jsonb,
  body bytea,
  CHECK (status IS NOT NULL OR (channel IS NOT NULL AND from_ IS NOT NULL AND to_ IS NOT NULL))
);
CREATE INDEX request_expires ON request (expires);

-- Bodies that are gone after a crash of the server: they are too large for its log.
CREATE UNLOGGED TABLE large_body (
  id bytea PRIMARY KEY,
  body bytea NOT NULL
);

-- Who follows the chain. Each of its writes begins by finding its epoch here.
CREATE TABLE leader (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch bigint NOT NULL DEFAULT 0,
  holder bigint,
  until timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO leader DEFAULT VALUES;

-- How far the chain was read. NULL: not at all.
CREATE TABLE position (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  block bigint,
  hash text,
  -- The newest block, confirmed or not, and its number in the contract's count.
  head bigint,
  contract_head bigint,
  -- When the leader's last round went well.
  seen_at timestamptz NOT NULL DEFAULT '-infinity',
  -- Grows with each change of a channel that the chain causes.
  facts_version bigint NOT NULL DEFAULT 0
);
INSERT INTO position DEFAULT VALUES;

-- Confirmed blocks that can be gone back to, with the facts that they replaced.
CREATE TABLE past (
  block bigint PRIMARY KEY,
  hash text NOT NULL,
  before jsonb NOT NULL
);

-- Transactions of the receiver's accounts. None leaves before it is here.
CREATE TABLE tx (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  operation text NOT NULL,
  account bytea NOT NULL CHECK (octet_length(account) = 20),
  nonce bigint NOT NULL,
  -- Of the leader that has signed last.
  epoch bigint NOT NULL,
  -- All that were signed for it, the oldest first: one of them can be mined.
  raw bytea[] NOT NULL,
  since bigint,
  -- `refused`: no node has taken it; another transaction may have its nonce.
  state text NOT NULL DEFAULT 'sent' CHECK (state IN ('sent', 'refused', 'ended')),
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX tx_nonce ON tx (account, nonce) WHERE state <> 'refused';
CREATE UNIQUE INDEX tx_operation ON tx (operation) WHERE state = 'sent';

-- What a process that does not lead asks the leader to do, and what came of it.
CREATE TABLE errand (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,
  asked jsonb NOT NULL,
  -- A leader is at it, or was when it ended.
  begun boolean NOT NULL DEFAULT false,
  -- NULL: nobody has done it yet. {"done": …} or {"failed": {code, message, hint}}.
  answer jsonb,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX errand_open ON errand (id) WHERE answer IS NULL;

-- What the relay has sent for a sender on one day.
CREATE TABLE allowance (
  sender text PRIMARY KEY,
  day int NOT NULL,
  count int NOT NULL,
  gas numeric(78) NOT NULL
);
