#!/usr/bin/env node
// uraiden-receiver.
import { runCommandLine } from '../../platform/cli/run.ts'
import { exitCodeOf } from './commands/exit-codes.ts'
import { receiverProgram } from './program.ts'

process.exitCode = await runCommandLine({ program: receiverProgram, exitCodeOf })
