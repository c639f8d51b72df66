// What a shell script sees of an error. Documented in docs/reference/agent-cli.md.

/** A number keeps its meaning for ever. */
export const exitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  receiver: 4,
  chain: 5,
  key: 6,
  state: 7,
  httpError: 8,
} as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

/** The first pattern that fits an error's code decides. */
const families: readonly (readonly [RegExp, ExitCode])[] = [
  [/^answer_not_written$/, exitCode.failed],
  [
    /^(config_|usage|not_a|wrong_checksum|wrong_token|too_many_decimals|amount_too_large)/,
    exitCode.usage,
  ],
  [/^(rpc_url_invalid|channel_unknown|channel_ambiguous|file_)/, exitCode.usage],
  [
    /^(price_|budget_|dry_run$|deposit_|sweep_|host_|receiver_not_allowed|receiver_changed|wrong_contract)/,
    exitCode.refused,
  ],
  [
    /^(receiver_|relay_|answer_|terms_|close_|closing_|proof_|payment_|balance_un|channel_)/,
    exitCode.receiver,
  ],
  [/^(chain_|wrong_chain|contract_|transaction_|rpc_|ether_|fee_)/, exitCode.chain],
  [/^key/, exitCode.key],
  [/^(state_|ledger_|socket_|daemon_|control_|agent_)/, exitCode.state],
]

export function exitCodeOf(code: string): ExitCode {
  return families.find(([family]) => family.test(code))?.[1] ?? exitCode.failed
}
