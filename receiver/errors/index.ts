// What can go wrong in the receiver: every code of this room, once. docs/reference/errors.md is made from it.
import { platformErrors } from '../../platform/errors/index.ts'
import { type ErrorCatalogue, errorMaker, protocolErrors } from '../../protocol/errors.ts'

export const receiverErrors = {
  backup_damaged: { kind: 'state', hint: 'Take another copy of it, or an older backup.' },
  backup_format_unknown: {
    kind: 'state',
    hint: 'Use the program version that wrote it, or a newer one.',
  },
  backup_of_another: {
    kind: 'state',
    hint: 'Use the configuration and the key that the backup was made with.',
  },
  backup_signature_wrong: { kind: 'state', hint: 'Somebody changed the backup. Use another one.' },
  backup_unreadable: {
    kind: 'state',
    hint: 'Check the path, its owner and the space on the disk.',
  },
  backup_unwritable: {
    kind: 'state',
    hint: 'Check the path, its owner and the space on the disk.',
  },
  bad_price_pattern: {
    kind: 'usage',
    hint: 'Write it like "GET /sensors/:name", "/files/*" or "*".',
  },
  balance_missing: {
    kind: 'failed',
    hint: 'Send {"balance": "13000"}; amounts over 2^53 must be strings.',
  },
  certificate_invalid: {
    kind: 'usage',
    hint: 'Both are PEM files; the key must be the one that the certificate was made with.',
  },
  certificate_unreadable: { kind: 'usage', hint: 'Check the path and the file’s owner and mode.' },
  channel_closing: { kind: 'refused', hint: 'Settle it when the challenge period is over.' },
  channel_unknown: { kind: 'refused', hint: 'Check sender and open block.' },
  collection_running: {
    kind: 'refused',
    status: 409,
    hint: 'Wait until it is done, then look again.',
  },
  command_failed: { kind: 'failed', hint: 'Run it by hand, as the user who runs the receiver.' },
  command_needs_shell: {
    kind: 'failed',
    hint: 'Put the line into a script and name the script, or put quotes around a literal character.',
  },
  command_not_startable: {
    kind: 'failed',
    hint: 'Run it by hand, as the user who runs the receiver.',
  },
  command_output_too_large: {
    kind: 'failed',
    hint: 'Run it by hand, as the user who runs the receiver.',
  },
  command_stopped: { kind: 'failed', hint: 'Run it by hand, as the user who runs the receiver.' },
  command_timeout: { kind: 'failed', hint: 'Run it by hand, as the user who runs the receiver.' },
  command_unreadable: {
    kind: 'failed',
    hint: 'Close the quote, or write a list: [program, argument, argument].',
  },
  confirmations_invalid: {
    kind: 'usage',
    hint: 'Write a number of blocks, or steps such as [{ blocks: 1, mostOwed: 1 TKN }, { blocks: 12 }].',
  },
  cursor_invalid: {
    kind: 'failed',
    hint: 'Take the address from the Link header of the page before, or leave the cursor out.',
  },
  field_invalid: { kind: 'failed' },
  former_contracts_unserved: {
    kind: 'usage',
    hint: 'Start uraiden-receiver, which serves them all, or name one `contract` in place of `contracts`.',
  },
  leader_missing: {
    kind: 'failed',
    status: 503,
    hint: 'Nothing was done. Look whether one of the receivers leads: uraiden-receiver stats. Then try again.',
  },
  leader_slow: {
    kind: 'failed',
    status: 504,
    hint: 'It may still be done. Look at it again before you repeat it.',
  },
  listen_failed: { kind: 'usage' },
  migrate_places: {
    kind: 'usage',
    hint: 'One is a folder, the other postgres://…. What is left out is that of the configuration.',
  },
  module_unusable: {
    kind: 'usage',
    hint: 'It should be an ES module: export function handler(request) { return … }',
  },
  never_paid: { kind: 'refused' },
  no_verifier: { kind: 'failed' },
  not_a_password: { kind: 'usage' },
  not_a_postgres_url: {
    kind: 'usage',
    hint: 'Write it like postgres://user@db.example.org/uraiden, or postgres:///uraiden for the server of this machine.',
  },
  not_a_port: { kind: 'usage', hint: 'Write a number from 0 to 65535; 0 takes a free one.' },
  not_a_secret_hash: { kind: 'usage', hint: 'Make one with: uraiden-receiver admin hash' },
  not_a_service_name: {
    kind: 'usage',
    hint: 'Use 1 to 63 bytes without dots, such as living-room.',
  },
  not_a_token_name: {
    kind: 'usage',
    hint: 'Use 1 to 64 letters, digits, _, @ or -, such as grafana.',
  },
  not_latest_balance: { kind: 'refused', hint: 'Ask again with the latest balance.' },
  ops_address_unusable: {
    kind: 'failed',
    hint: 'Another program may use it: choose another port, or stop the other program.',
  },
  other_origin: { kind: 'failed', status: 403, hint: 'Use a token, or the receiver’s own pages.' },
  paywall_page_missing: {
    kind: 'usage',
    hint: 'Put an index.html into the folder, or leave paywall-info out for the plain page.',
  },
  not_the_leader: {
    kind: 'state',
    status: 503,
    hint: 'Nothing is lost: the other one goes on. Ask again in some seconds.',
  },
  postgres_commit_unknown: {
    kind: 'state',
    status: 503,
    hint: 'The receiver finds out by itself once the database answers; until then nobody is served on it.',
  },
  postgres_database_missing: { kind: 'state' },
  postgres_driver_missing: {
    kind: 'usage',
    hint: 'Install it beside the receiver: npm install pg postgrator',
  },
  postgres_login_refused: {
    kind: 'state',
    hint: 'Check the user, the password file and pg_hba.conf of the server.',
  },
  postgres_not_trusted: {
    kind: 'state',
    hint: 'Name who signs its certificate: tls: { ca: … }. Only on a way that nobody else can reach: tls: off.',
  },
  postgres_refused: { kind: 'state', hint: 'The reason is the server’s own; its log says more.' },
  postgres_too_old: { kind: 'state', hint: 'Use PostgreSQL 14 or later.' },
  postgres_unavailable: {
    kind: 'state',
    status: 503,
    hint: 'Check that it runs, its address and its log. Nobody is served without it.',
  },
  postgres_unsafe: { kind: 'state' },
  price_missing: { kind: 'usage' },
  process_fenced: {
    kind: 'state',
    status: 503,
    hint: 'It begins anew by itself. Look at its way to the database, and whether its machine was stopped.',
  },
  query_invalid: { kind: 'failed' },
  receiver_refused: {
    kind: 'receiver',
    hint: 'Its log says more; the running program may be of another version.',
  },
  receiver_unreachable: {
    kind: 'receiver',
    hint: 'Run the command as the receiver’s user; the socket is only for it.',
  },
  contract_token_differs: {
    kind: 'usage',
    hint: 'Prices are in one token: serve this contract with a receiver of its own.',
  },
  relay_busy: { kind: 'failed', hint: 'Try again in a minute.' },
  relay_deposit_too_small: { kind: 'failed', hint: 'Deposit more.' },
  relay_key_same: {
    kind: 'failed',
    hint: 'Make another key for the relay and send it some ether, or leave relay.key out.',
  },
  relay_limit: {
    kind: 'failed',
    hint: 'Try again tomorrow, deposit more at once, or send it from an account with ether.',
  },
  relay_no_authorizations: {
    kind: 'failed',
    hint: 'Sign a permit (EIP-2612) and the contract’s `OpenChannel` instead.',
  },
  relay_not_the_sender: {
    kind: 'failed',
    hint: 'Sign exactly what is asked for, with the key of the channel’s sender and its next nonce.',
  },
  relay_off: { kind: 'failed', status: 404, hint: 'Send it from an account with ether.' },
  relay_other_receiver: { kind: 'failed', hint: 'Sign a deposit for this receiver.' },
  relay_reserve: {
    kind: 'failed',
    hint: 'Send it from an account with ether, or tell the receiver’s owner.',
  },
  relay_validity: {
    kind: 'failed',
    hint: 'Sign one that is good already, and for another minute to a day by the chain’s clock.',
  },
  request_key_changed: {
    kind: 'refused',
    hint: 'Sign the request with the key that was put last.',
  },
  request_key_not_ours: {
    kind: 'refused',
    hint: 'Sign exactly what `uraiden-receiver key request` prints, with the receiver’s account.',
  },
  request_key_not_waiting: {
    kind: 'refused',
    hint: 'Run it without --signature first: it prints what is to be signed.',
  },
  request_key_unreadable: {
    kind: 'failed',
    hint: 'Put a copy back, or remove it: a new one is made, and senders put their keys again.',
  },
  resource_missing: { kind: 'usage' },
  resource_path_taken: { kind: 'usage' },
  selector_invalid: {
    kind: 'failed',
    hint: 'Write it like h1, .summary, #intro or article > p:first-of-type.',
  },
  state_differs: {
    kind: 'state',
    hint: 'Nothing was changed: the state is served where it was. It is a defect of ours, or of a disk: report it.',
  },
  state_not_shareable: {
    kind: 'usage',
    hint: 'Keep the state in a folder, or leave that out.',
  },
  state_restoring: {
    kind: 'state',
    status: 503,
    hint: 'Wait: it takes seconds, or half a minute where a receiver that was alive has not come back.',
  },
  status_unknown: { kind: 'failed' },
  stopped: { kind: 'failed', hint: 'Start it again.' },
  usage_path: { kind: 'usage', hint: 'Write it like /sensors/temperature.' },
  usage_state_unknown: { kind: 'usage' },
  watchtower_ca_unreadable: {
    kind: 'usage',
    hint: 'Check the path and the file’s owner and mode.',
  },
  watchtower_refused: { kind: 'usage' },
  watchtower_token_short: { kind: 'usage', hint: 'Make one with: openssl rand -hex 32' },
  watchtower_unreachable: {
    kind: 'usage',
    hint: 'Check that it runs, its address and its certificate.',
  },
  x402_asset_unusable: {
    kind: 'usage',
    hint: 'Name an EIP-3009 token on this chain, such as USDC, and under domain what it is signed for as.',
  },
  x402_facilitator_silent: {
    kind: 'failed',
    hint: 'Check its address, and whether it answers GET /supported.',
  },
} as const satisfies ErrorCatalogue

/** An error of this room or of those below it; a code that is in no catalogue does not compile. */
export const receiverError = errorMaker({ ...protocolErrors, ...platformErrors, ...receiverErrors })
