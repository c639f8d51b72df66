#!/usr/bin/env node
// uraiden-agent.
import { startAgentProgram } from './start.ts'

process.exitCode = await startAgentProgram()
