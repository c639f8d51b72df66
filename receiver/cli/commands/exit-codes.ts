// What a shell script sees of an error. Documented in docs/receiver-cli.md.

/** A number keeps its meaning for ever; it is the same one as the agent's where both have it. */
export const exitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  receiver: 4,
  chain: 5,
  key: 6,
  state: 7,
} as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

/** The first pattern that fits an error's code decides. */
const families: readonly (readonly [RegExp, ExitCode])[] = [
  [/^(receiver_lacks_ether|ether_|fee_|chain_|wrong_chain|contract_)/, exitCode.chain],
  [/^(transaction_|rpc_error|node_)/, exitCode.chain],
  [/^(config_|usage|not_a|wrong_checksum|wrong_token|too_many_decimals)/, exitCode.usage],
  [/^(amount_too_large|rpc_url_invalid|price_|bad_price|resource_|module_)/, exitCode.usage],
  [/^(paywall_page|listen_|certificate_|tls_|file_|backup_exists|watchtower_)/, exitCode.usage],
  [/^(channel_|collection_|close_|never_paid|not_latest)/, exitCode.refused],
  [/^receiver_/, exitCode.receiver],
  [/^key/, exitCode.key],
  [/^(state_|backup_)/, exitCode.state],
]

export function exitCodeOf(code: string): ExitCode {
  return families.find(([family]) => family.test(code))?.[1] ?? exitCode.failed
}
