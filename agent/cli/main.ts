#!/usr/bin/env node
// uraiden-agent.
import { runCommandLine } from '../../platform/cli/run.ts'
import { exitCodeOf } from './commands/exit-codes.ts'
import { agentProgram } from './program.ts'

process.exitCode = await runCommandLine({ program: agentProgram, exitCodeOf })
