// Loaded before a program (node --import): it takes the command lines of LINES, does nothing, and says which it
// refuses, as JSON on standard output.
import { Command, CommanderError } from 'commander'

const parse = Command.prototype.parse

function prepare(command: Command, says: (text: string) => void): void {
  command.exitOverride().configureOutput({ writeErr: says, writeOut: says })
  if ('_actionHandler' in command && command._actionHandler) command.action(() => undefined)
  for (const each of command.commands) prepare(each, says)
}

function refusalsOf(program: Command): readonly { index: number; says: string }[] {
  const lines: readonly (readonly string[])[] = JSON.parse(process.env.LINES ?? '[]')
  return lines.flatMap((args, index) => {
    let says = ''
    prepare(program, (text) => {
      says += text
    })
    try {
      parse.call(program, args, { from: 'user' })
      return []
    } catch (error) {
      if (!(error instanceof CommanderError)) return [{ index, says: String(error) }]
      return error.exitCode === 0 ? [] : [{ index, says }]
    }
  })
}

function only(this: Command): never {
  process.stdout.write(`${JSON.stringify(refusalsOf(this))}\n`, () => process.exit(0))
  // Nothing of the program runs meanwhile.
  throw new Error('only parsed')
}

Command.prototype.parse = only
Command.prototype.parseAsync = only
process.on('uncaughtException', () => undefined)
process.on('unhandledRejection', () => undefined)
