// What a shell script sees of an error. Documented in docs/reference/receiver-cli.md.
import {
  type ExitCodeFamily,
  commonExitCode as exitCode,
  exitCodeIn,
} from '../../../platform/cli/exit-codes.ts'

export { exitCode }

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

const families: readonly ExitCodeFamily<ExitCode>[] = [
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
  return exitCodeIn(families, code)
}
