-- Who asks what became of a call raises its own epoch, and goes on answering what was paid under the ones before; whoever
-- else raises it takes the process for dead.
ALTER TABLE process
  -- While the epoch is `answers_at`, requests of epochs from `answers_from` on are still being answered.
  ADD answers_from bigint,
  ADD answers_at bigint;
