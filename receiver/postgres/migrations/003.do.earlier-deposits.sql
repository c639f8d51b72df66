-- Deposits that a channel had before blocks that can be gone back behind; NULL: none. The leader writes them.
ALTER TABLE ledger ADD COLUMN IF NOT EXISTS earlier numeric(58)[];
