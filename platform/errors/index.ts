// What can go wrong with the machine, the configuration and the chain: every code of this room, once.
import { type ErrorCatalogue, errorMaker, protocolErrors } from '../../protocol/errors.ts'

export const platformErrors = {
  answer_missing: { kind: 'usage' },
  answers_ended: {
    kind: 'usage',
    hint: 'Nothing was written. Run it again, or give the answers as options.',
  },
  chain_closed: {
    kind: 'chain',
    hint: 'The program is stopping; what was sent to the chain is still there.',
  },
  challenge_period_short: {
    kind: 'chain',
    hint: 'Use a contract with a longer period (deploy-contracts --challenge-time 1d), or lower leastChallengePeriod.',
  },
  chain_unsupported: {
    kind: 'chain',
    hint: 'A channel would not be found again there. Use a chain whose contracts see its own block numbers, or as on Arbitrum those that its blocks carry as l1BlockNumber, or another node.',
  },
  chain_unavailable: { kind: 'chain', status: 502 },
  contract_not_listed: { kind: 'usage', hint: 'Name one of contracts, or add it there.' },
  config_exists: {
    kind: 'usage',
    hint: 'Edit it, or name another file with --config. Nothing was written.',
  },
  config_invalid: { kind: 'usage' },
  config_missing: { kind: 'usage' },
  config_unreadable: { kind: 'usage' },
  contract_missing: {
    kind: 'chain',
    hint: 'Check the contract address, and that the node is on the right chain and synchronised.',
  },
  deployment_invalid: {
    kind: 'usage',
    hint: 'Write it again with deploy-contracts, or set contract and startBlock.',
  },
  ether_missing: {
    kind: 'chain',
    status: 503,
    hint: 'Nothing was sent. Send ether to this address, then try again.',
  },
  fee_over_cap: {
    kind: 'chain',
    status: 503,
    hint: 'Nothing was sent. Wait for a lower price or raise the cap.',
  },
  gas_over_cap: {
    kind: 'chain',
    status: 400,
    hint: 'Nothing was sent. Send it from an account with ether.',
  },
  key_file_exists: { kind: 'key' },
  key_file_invalid: {
    kind: 'key',
    hint: 'It should hold a geth keystore (JSON), or 64 hex digits. Make one with `key new`.',
  },
  key_file_missing: { kind: 'key' },
  key_file_of_another_user: { kind: 'key' },
  key_file_readable_by_others: { kind: 'key' },
  key_file_unreadable: { kind: 'key' },
  key_file_unwritable: { kind: 'key' },
  key_not_given: {
    kind: 'usage',
    hint: "Give one of them: signer, or key: { file: 'key.json', passwordFile: 'password' }.",
  },
  key_not_sealed: {
    kind: 'key',
    hint: 'Run it as root, on the machine where the service runs; it takes systemd 250 or later.',
  },
  key_password_missing: { kind: 'key' },
  key_password_mistyped: { kind: 'key', hint: 'Nothing was written. Run it again.' },
  key_password_wrong: {
    kind: 'key',
    hint: 'Check the password; of a password file only the first line counts.',
  },
  key_sealed_of_another: {
    kind: 'key',
    hint: 'Seal the key of the file with `key seal`, or remove the sealed one.',
  },
  keystore_invalid: {
    kind: 'key',
    hint: 'Restore it from a backup, or make a new key with `key new`.',
  },
  node_wrong: { kind: 'failed', hint: 'Use another node: what this one says cannot be relied on.' },
  nodes_disagree: {
    kind: 'failed',
    hint: 'Nothing is believed until they agree. Check the nodes, or lower quorum.',
  },
  not_a_duration: {
    kind: 'usage',
    hint: 'Write a number with ms, s, m, h or d, such as 30s; at most 366d.',
  },
  not_a_schedule: {
    kind: 'usage',
    hint: "Write five fields (minute hour day month weekday) or six (second first), such as '*/5 * * * *'.",
  },
  not_a_share: {
    kind: 'usage',
    hint: 'Write a percentage above 0 % and up to 100 %, with at most two decimals, such as 5%.',
  },
  not_a_size: {
    kind: 'usage',
    hint: 'Write a number with B, kB, MB, GB, KiB, MiB or GiB, such as 10 MB.',
  },
  not_an_address_to_listen_on: {
    kind: 'usage',
    hint: 'Write it like 127.0.0.1:9403, or [::1]:9403, with a port up to 65535.',
  },
  output_unwritable: {
    kind: 'failed',
    hint: 'What the command did is done. Free space on the disk, or write elsewhere.',
  },
  quorum_too_large: { kind: 'failed', hint: 'Name more nodes in rpc, or lower quorum.' },
  rpc_error: { kind: 'chain', hint: 'The reason is the node’s own.' },
  rpc_url_invalid: { kind: 'usage', hint: 'Write it like http://192.168.1.104:8545.' },
  socket_in_use: {
    kind: 'state',
    hint: 'The program runs already: stop it first, or name another socket.',
  },
  socket_unusable: {
    kind: 'state',
    hint: 'Check that the folder exists and belongs to the program’s user, and that the path is short.',
  },
  state_format_unknown: {
    kind: 'state',
    hint: 'Use the program version that wrote it, or a newer one.',
  },
  state_in_use: { kind: 'state' },
  state_missing: { kind: 'state' },
  state_moved: { kind: 'state', hint: 'Name the place where it is now.' },
  state_not_empty: {
    kind: 'state',
    hint: 'Nothing was changed. Name a place where nothing is, or a state that was moved away.',
  },
  not_tokens: { kind: 'usage', hint: 'Write it like 0.01.' },
  not_a_url: { kind: 'usage', hint: 'Write http:// or https://, then host and port.' },
  state_of_another: {
    kind: 'state',
    hint: 'Use the chain, contract and key it was made with, or another state folder.',
  },
  state_readable_by_others: { kind: 'state' },
  state_unusable: { kind: 'state' },
  state_unwritable: { kind: 'state' },
  transaction_refused: {
    kind: 'chain',
    status: 502,
    hint: 'Nothing happened on the chain. Try again; another program may use the same key.',
  },
  transaction_reverted: {
    kind: 'chain',
    hint: 'Its fee is spent, nothing else happened. The state changed after it was estimated.',
  },
  transaction_reverts: { kind: 'chain' },
  transaction_unconfirmed: {
    kind: 'chain',
    status: 504,
    hint: 'It may still be. Look at it again before you repeat it.',
  },
  unexpected: {
    kind: 'failed',
    hint: 'Look at the machine (disk, memory). If nothing is wrong there it is a defect: report these lines.',
  },
  wrong_chain: {
    kind: 'chain',
    hint: 'The right one is that of `chainId`, or of the state folder since its first start. Set rpc to a node of it, or use another state folder.',
  },
} as const satisfies ErrorCatalogue

/** An error of this room or of those below it; a code that is in no catalogue does not compile. */
export const platformError = errorMaker({ ...protocolErrors, ...platformErrors })
