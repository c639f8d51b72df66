// What a shell script sees of an error. Documented in docs/reference/agent-cli.md and errors.md.
import { commonExitCode, exitCodesOf } from '../../../platform/cli/exit-codes.ts'
import { platformErrors } from '../../../platform/errors/index.ts'
import { protocolErrors } from '../../../protocol/errors.ts'
import { agentErrors } from '../../errors/index.ts'

/** A number keeps its meaning for ever. */
export const exitCode = { ...commonExitCode, httpError: 8 } as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

export const exitCodeOf = exitCodesOf({ ...protocolErrors, ...platformErrors, ...agentErrors })
