// What a shell script sees of an error. Documented in docs/reference/receiver-cli.md and errors.md.
import { commonExitCode as exitCode, exitCodesOf } from '../../../platform/cli/exit-codes.ts'
import { platformErrors } from '../../../platform/errors/index.ts'
import { protocolErrors } from '../../../protocol/errors.ts'
import { receiverErrors } from '../../errors/index.ts'

export { exitCode }

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

export const exitCodeOf = exitCodesOf(
  { ...protocolErrors, ...platformErrors, ...receiverErrors },
  { node_wrong: 'chain', socket_in_use: 'failed', socket_unusable: 'failed' },
)
