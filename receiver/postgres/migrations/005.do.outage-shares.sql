-- At the leader's last round that went well: what all channels owed, when that was read, and which processes lived.
-- While nobody looks at the chain each of them may take a share of what was left to the limit.
ALTER TABLE position ADD due numeric(78), ADD due_at timestamptz, ADD shares bigint[] NOT NULL DEFAULT '{}';
