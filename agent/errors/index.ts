// What can go wrong in the agent: every code of this room, once. docs/reference/errors.md is made from it.
import { platformErrors } from '../../platform/errors/index.ts'
import { nearestName } from '../../platform/text/nearest-name.ts'
import {
  type ErrorCatalogue,
  errorMaker,
  protocolErrors,
  type UraidenError,
} from '../../protocol/errors.ts'

export const agentErrors = {
  aborted: { kind: 'failed', status: 502 },
  address_in_use: {
    kind: 'failed',
    hint: 'Another program has the port, or it is below 1024. Choose another one.',
  },
  agent_not_ready: {
    kind: 'state',
    hint: 'Nothing was paid. Try again in a moment; `uraiden-agent status` says what it waits for.',
  },
  agent_paused: { kind: 'state', hint: 'Nothing was paid. Go on with: uraiden-agent resume' },
  agent_stopping: { kind: 'state', hint: 'Nothing more is paid. Try again when it runs.' },
  amount_twice: { kind: 'usage', hint: 'Keep one of them.' },
  answer_late: { kind: 'receiver', status: 504, hint: 'Try again later.' },
  answer_lost: { kind: 'receiver' },
  answer_malformed: { kind: 'receiver' },
  answer_not_authentic: {
    kind: 'receiver',
    hint: 'It was not handed out, because authentic: require is set. Free answers, and those to unbound payments, are never proven.',
  },
  answer_not_written: { kind: 'failed', hint: 'It was paid for. Check the disk.' },
  answer_unfit: {
    kind: 'failed',
    hint: 'It was paid for. Look at what the receiver sends with `get`, and correct `select` or `template`.',
  },
  answer_too_large: {
    kind: 'receiver',
    hint: 'Read it as a stream, or raise mostBody; for a job, jobs.*.mostBody and its sinks’ queue.size.',
  },
  authorizations_not_taken: {
    kind: 'usage',
    hint: 'Nothing was sent. Set funding to auto, or to permit where the token knows that.',
  },
  bad_request: {
    kind: 'failed',
    status: 400,
    hint: 'Check the request’s headers: one length, no stray line ends.',
  },
  balance_unknown: {
    kind: 'receiver',
    hint: 'Make one paid request first: the receiver then shows our last signature. Or name the balance.',
  },
  balance_unproven: {
    kind: 'receiver',
    hint: 'What was signed stays counted, nothing more is. Close the channel and open another one.',
  },
  binding_refused: { kind: 'failed', status: 402 },
  asset_chain_unavailable: {
    kind: 'chain',
    status: 502,
    hint: 'Nothing was signed. Check that the node runs, and the rpc of the asset.',
  },
  asset_decimals_differ: {
    kind: 'refused',
    hint: 'Nothing was signed. Correct decimals of the asset: budgets and prices are written with them.',
  },
  asset_domain_differs: {
    kind: 'refused',
    hint: 'Nothing was signed. The seller is wrong about the token, or wants a signature for another one.',
  },
  asset_name_taken: {
    kind: 'usage',
    hint: 'Call the asset something else under assets, such as USDC-BASE, and write its amounts so.',
  },
  asset_not_allowed: {
    kind: 'refused',
    hint: 'Nothing was signed. If it is to be paid with, name it under assets, by its address and chain.',
  },
  asset_unknown_to_chain: {
    kind: 'refused',
    hint: 'Nothing was signed. Check address and chainId of the asset: it has to be a token with EIP-3009.',
  },
  authorizations_unsettled: {
    kind: 'refused',
    hint: 'Nothing was signed. Check the rpc of the assets: their chain says which of them have paid.',
  },
  body_not_allowed: {
    kind: 'failed',
    status: 400,
    hint: 'Nothing was paid. Leave the content out, or use POST.',
  },
  body_too_large: {
    kind: 'failed',
    status: 413,
    hint: 'Nothing was paid. Raise proxy.mostBody if that is right.',
  },
  broker_unreachable: {
    kind: 'failed',
    hint: 'Check its address, user and password. What was bought waits in the queue.',
  },
  budget_day_spent: { kind: 'refused' },
  budget_ether_spent: { kind: 'refused' },
  budget_hour_spent: { kind: 'refused' },
  budget_month_spent: { kind: 'refused' },
  budget_openings_spent: { kind: 'refused' },
  budget_total_spent: { kind: 'refused' },
  channel_ambiguous: { kind: 'usage' },
  channel_disowned: {
    kind: 'receiver',
    hint: 'Try again later. If it stays so, close the channel.',
  },
  channel_name_taken: {
    kind: 'receiver',
    hint: 'Close the one that is there first; then run: uraiden-agent recover',
  },
  channel_not_open: { kind: 'receiver' },
  channel_unconfirmed: { kind: 'receiver' },
  channel_unknown: { kind: 'usage' },
  clock_unproven: {
    kind: 'refused',
    hint: 'Nothing was signed. Wait until the clock is synchronised (timedatectl), or set clock: trusted where something else keeps it right.',
  },
  close_failed: {
    kind: 'receiver',
    hint: 'Nothing more is paid on the channel. Close it again later, or without the receiver (uncooperative).',
  },
  close_refused: {
    kind: 'receiver',
    hint: 'Close without it (uncooperative), then settle after the challenge period.',
  },
  closing_agreement_invalid: {
    kind: 'receiver',
    hint: 'Nothing was sent to the chain. Close without it (uncooperative).',
  },
  command_failed: {
    kind: 'failed',
    hint: 'What was bought waits in the queue. Run the command by hand with a body on its standard input.',
  },
  config_file_unreadable: {
    kind: 'usage',
    hint: 'Name a certificate in PEM form that this user may read.',
  },
  config_token_short: { kind: 'usage', hint: 'Make one with: openssl rand -hex 16' },
  control_malformed: {
    kind: 'state',
    hint: 'Use the same version of command line and daemon; restart the daemon after an update.',
  },
  control_unknown_command: {
    kind: 'state',
    hint: 'Use the same version of command line and daemon; restart the daemon after an update.',
  },
  daemon_gone: {
    kind: 'state',
    hint: 'Look at its log: journalctl -u uraiden-agent. Then try again.',
  },
  daemon_not_running: {
    kind: 'state',
    hint: 'Start it: systemctl start uraiden-agent, or uraiden-agent run.',
  },
  daemon_of_another_configuration: {
    kind: 'state',
    hint: 'Nothing was paid. Give --config with the file of the daemon, or set state in yours to a folder of its own.',
  },
  daemon_of_another_user: {
    kind: 'state',
    hint: 'Run the command as that user: sudo -u uraiden-agent uraiden-agent …',
  },
  deposit_too_large: {
    kind: 'usage',
    hint: 'Nothing was sent. Make a smaller deposit, and top it up when it is spent.',
  },
  deposit_missing: {
    kind: 'refused',
    hint: 'Nothing is locked by it. Give the account ether, or use another receiver.',
  },
  deposit_over_cap: {
    kind: 'refused',
    hint: 'Nothing was signed or sent. Raise the cap of deposits, or close a channel.',
  },
  deposits_repeated: {
    kind: 'refused',
    hint: 'Nothing more was sent to the chain. The receiver asks for more at each answer, or takes no channel: look at its log.',
  },
  deposit_spent: { kind: 'refused', hint: 'Nothing was signed. Try again.' },
  dry_run: { kind: 'refused', hint: 'Nothing was signed, because this is a dry run.' },
  entry_refused: {
    kind: 'failed',
    hint: 'Look at what answers there. What was bought waits in the queue, unless this status refuses it.',
  },
  fee_jump: {
    kind: 'refused',
    status: 503,
    hint: 'Nothing was sent. Wait until gas is cheaper, or open or top up the channel yourself: uraiden-agent open, topup.',
  },
  file_unreadable: { kind: 'usage', hint: 'Nothing was sent. Check the name after -d @.' },
  file_unwritable: { kind: 'usage' },
  host_not_allowed: {
    kind: 'refused',
    status: 403,
    hint: 'Nothing was signed. Add it to hosts if you trust it.',
  },
  http_error: {
    kind: 'failed',
    hint: 'Look at the receiver’s log. What it says to have cost nothing was not spent.',
  },
  idempotency_key_reused: {
    kind: 'failed',
    status: 422,
    hint: 'Nothing was signed or sent. Repeat that request as it was, or use a new key for this one.',
  },
  influx_failed: { kind: 'failed' },
  internal: { kind: 'failed', hint: 'Look at its log, and report it.' },
  job_running: { kind: 'failed', hint: 'Wait until it has ended.' },
  job_unknown: { kind: 'usage' },
  ledger_damaged: {
    kind: 'state',
    hint: 'Restore the last backup, or recover the channels from the chain into a new folder.',
  },
  method_not_allowed: { kind: 'failed', status: 405, hint: 'Use another method.' },
  not_an_asset_name: {
    kind: 'usage',
    hint: 'Begin with a letter, and go on with letters, digits and hyphens: USDC, USDC-BASE.',
  },
  not_a_header: { kind: 'usage', hint: "Write it like -H 'Accept: application/json'." },
  not_a_jsonpath: {
    kind: 'usage',
    hint: 'Write a path as RFC 9535 has it, such as $.celsius or $.readings[0].value.',
  },
  not_a_proxy_request: {
    kind: 'usage',
    hint: 'Set it as the HTTP proxy of your program: curl -x http://127.0.0.1:8402 http://…',
  },
  not_a_receiver_place: {
    kind: 'usage',
    hint: 'Write http://192.168.1.104:5000, or dns-sd:living-room for one that announces itself.',
  },
  not_a_template: { kind: 'usage' },
  not_a_url: { kind: 'usage' },
  not_loopback: {
    kind: 'failed',
    hint: 'Write 127.0.0.1:8402 or [::1]:8402. Whoever reaches this port can spend.',
  },
  others_refused: {
    kind: 'failed',
    status: 403,
    hint: 'List it under receivers, or set proxy.others to pass.',
  },
  output_closed: { kind: 'failed', hint: 'What was bought waits in the queue.' },
  page_input_too_large: {
    kind: 'failed',
    hint: 'Use the page itself, or the command uraiden-agent.',
  },
  page_method_not_allowed: { kind: 'failed', hint: 'Ask for / with GET.' },
  page_not_found: { kind: 'failed', hint: 'The page is at /.' },
  page_not_json: { kind: 'failed', hint: 'Send the header Content-Type: application/json.' },
  page_not_local: {
    kind: 'failed',
    hint: 'The page is for this machine alone: write 127.0.0.1:8403. To see it from another machine: ssh -L 8403:127.0.0.1:8403 HOST.',
  },
  page_other_origin: { kind: 'failed', hint: 'Open the agent’s own page.' },
  page_read_only: {
    kind: 'failed',
    hint: 'Make one with: openssl rand -hex 16. Name its file, mode 600, in page.token of agent.yaml, and reload.',
  },
  page_key_missing: {
    kind: 'failed',
    hint: 'Open the address that uraiden-agent status prints.',
  },
  page_key_wrong: {
    kind: 'failed',
    hint: 'Open the address that uraiden-agent status prints.',
  },
  page_token_missing: {
    kind: 'failed',
    hint: 'It is the first line of the file that page.token names.',
  },
  page_token_wrong: {
    kind: 'failed',
    hint: 'It is the first line of the file that page.token names.',
  },
  page_too_many_streams: { kind: 'failed', hint: 'Close it somewhere else.' },
  page_wrong_host: {
    kind: 'failed',
    hint: 'Use http://127.0.0.1 or http://localhost with its port.',
  },
  payment_refused: {
    kind: 'receiver',
    hint: 'Nothing more is sent for this request. Look at the receiver’s log.',
  },
  payment_spent: { kind: 'receiver' },
  payment_superseded: { kind: 'receiver' },
  payment_waits: { kind: 'receiver', hint: 'The payment stays counted. Repeat it later.' },
  price_jump: {
    kind: 'refused',
    hint: 'Nothing was signed. Raise priceJump if the new price is right.',
  },
  price_over_cap: { kind: 'refused' },
  proof_refused: {
    kind: 'receiver',
    hint: 'It may be on another chain, or have read the chain less far than we. Try again later.',
  },
  proxy_busy: { kind: 'failed', status: 503, hint: 'Nothing was paid. Try again later.' },
  proxy_loop: {
    kind: 'failed',
    status: 508,
    hint: 'Check the proxy settings of the program and of the receiver.',
  },
  receiver_ambiguous: {
    kind: 'receiver',
    hint: 'Nothing was paid. Give the one you mean with its address in the configuration.',
  },
  receiver_changed: { kind: 'refused' },
  receiver_cheats: {
    kind: 'receiver',
    hint: 'It gets nothing more from this request. Close the channel if it happens again.',
  },
  receiver_failing: {
    kind: 'receiver',
    hint: 'Look at the receiver’s log. What it says to have cost nothing was not spent.',
  },
  receiver_key_untrusted: {
    kind: 'receiver',
    hint: 'Nothing was signed. Somebody between may show another key, or the receiver an old one.',
  },
  receiver_left_alone: {
    kind: 'refused',
    status: 503,
    hint: 'Nothing was signed. What happened: uraiden-agent doctor. You can open or top up a channel yourself: uraiden-agent open, topup.',
  },
  receiver_not_allowed: {
    kind: 'refused',
    hint: 'Nothing was signed. Add its address to receivers if you trust it.',
  },
  receiver_not_found: {
    kind: 'receiver',
    hint: 'Nothing was paid. See who is there with: uraiden-agent discover',
  },
  receiver_place_unknown: {
    kind: 'receiver',
    hint: 'List it with its address under receivers in agent.yaml, or close alone.',
  },
  receiver_unreachable: { kind: 'receiver' },
  receiver_untrusted: {
    kind: 'receiver',
    hint: 'Set tls.authority or tls.pinned to what you expect there. Nothing was sent.',
  },
  relay_failed: {
    kind: 'receiver',
    hint: 'Nothing is lost. Close without the receiver (uncooperative).',
  },
  relay_not_offered: {
    kind: 'receiver',
    hint: 'Nothing was sent. Set funding to auto and give the account some ether.',
  },
  relay_refused: {
    kind: 'receiver',
    hint: 'Give the account ether, or look at what the receiver asks of a relay.',
  },
  request_key_replaced: {
    kind: 'failed',
    status: 502,
    hint: 'Another program uses this channel, with the same account. Stop one of the two.',
  },
  redirect_refused: {
    kind: 'receiver',
    hint: 'What was paid on the way stays paid. Get the place that it names yourself, if you trust it.',
  },
  settings_unread: {
    kind: 'state',
    hint: 'After an update restart the daemon. Where memory is short it may have been killed: look at the journal.',
  },
  state_unreadable: {
    kind: 'state',
    hint: 'Nothing was paid. Put it back, or give the receivers their address and remove the file.',
  },
  stopped_by_hook: {
    kind: 'failed',
    status: 402,
    hint: 'Nothing more was signed for it. What was sent before stays counted.',
  },
  sweep_channels_open: {
    kind: 'refused',
    hint: 'Nothing was sent. Close them first, and settle those that are closing.',
  },
  target_invalid: {
    kind: 'failed',
    status: 400,
    hint: 'Ask for a URL such as http://192.168.1.104:5000/sensors/temperature.',
  },
  terms_unreadable: { kind: 'receiver' },
  token_missing: {
    kind: 'failed',
    status: 407,
    hint: 'Name it in the proxy’s URL: http://NAME:TOKEN@127.0.0.1:8402',
  },
  token_wrong: {
    kind: 'failed',
    status: 407,
    hint: 'Look under proxy.programs in the configuration.',
  },
  traffic_altered: {
    kind: 'failed',
    status: 502,
    hint: 'What was signed stays counted, and pays for nothing else than this request. Look at what stands between: uraiden-agent doctor receiver.',
  },
  transfer_coding_unknown: {
    kind: 'failed',
    status: 501,
    hint: 'Send it chunked, or with Content-Length.',
  },
  transfer_empty: { kind: 'usage', hint: 'Transfer at least one of the token’s smallest unit.' },
  tunnel_cannot_pay: {
    kind: 'failed',
    status: 403,
    hint: 'Ask for http://NAME/… with the receiver’s name in the configuration: the agent speaks https to it.',
  },
  tunnel_refused: {
    kind: 'failed',
    status: 403,
    hint: 'Set proxy.connect to tunnel to allow https:// to others.',
  },
  usage_accept: { kind: 'usage' },
  usage_answer: { kind: 'usage', hint: 'Write yes or no.' },
  usage_receiver: {
    kind: 'usage',
    hint: 'Write it like living-room=http://192.168.1.104:5000. The name is in lower case.',
  },
  usage_url_missing: {
    kind: 'usage',
    hint: 'Give any URL of it with --url, list it under receivers, or close with --uncooperative.',
  },
  usage_wait: { kind: 'usage', hint: 'Write seconds, up to 60.' },
  webhook_failed: { kind: 'failed' },
  contract_not_used: {
    kind: 'usage',
    hint: 'Add it to contracts, until its channels are closed.',
  },
  contract_older: {
    kind: 'refused',
    hint: 'Nothing was signed. Somebody between may hide the newer contract. If the receiver has gone back, put its contract first in contracts.',
  },
  contract_token_differs: {
    kind: 'usage',
    hint: 'Budgets are in one token: run an agent of its own for this contract.',
  },
  wrong_contract: {
    kind: 'refused',
    hint: 'Nothing was signed. Check which contract the receiver uses, and your configuration.',
  },
  x402_offer_unsupported: {
    kind: 'refused',
    hint: 'Nothing was signed. Buy elsewhere, or ask the seller to offer exact by EIP-3009.',
  },
} as const satisfies ErrorCatalogue

/** An error of this room or of those below it; a code that is in no catalogue does not compile. */
export const agentError = errorMaker({ ...protocolErrors, ...platformErrors, ...agentErrors })

/** For a name of a job that is none; `known` are those that there are. */
export function jobUnknown(name: string, known: readonly string[]): UraidenError {
  const near = nearestName(name, known)
  const meant = near === undefined ? '' : `Did you mean ${near}? `
  return agentError({
    code: 'job_unknown',
    message: `There is no job ${name}.`,
    hint: `${meant}The configuration has: ${known.join(', ') || 'none'}.`,
  })
}
