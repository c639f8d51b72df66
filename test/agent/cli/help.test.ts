import test from 'ava'
import { Command } from 'commander'
import { agentProgram, agentProgramFor } from '../../../agent/cli/program.ts'

/** The verbs that a command's line in --help may begin with. */
const verbs = new Set(
  `ask buy check close end enter have list look make open pause print raise read resume run say send show take write`.split(
    ' ',
  ),
)

function commandsOf(command: Command): readonly Command[] {
  return command.commands.flatMap((each) => [each, ...commandsOf(each)])
}

test('each line of --help says what to do: it begins with a verb', (t) => {
  const program = new Command('uraiden-agent')
  agentProgram.build(program, async () => undefined)
  const described = commandsOf(program).filter((each) => each.description() !== '')
  t.true(described.length > 15)
  const others = described
    .map((each) => each.description())
    .filter((line) => !verbs.has(line.split(' ')[0] ?? ''))
  t.deepEqual(others, [])
})

test('a command that is asked for is the same without those of other kinds', (t) => {
  const made = (description: typeof agentProgram) => {
    const program = new Command('uraiden-agent')
    description.build(program, async () => undefined)
    return program
  }
  const all = made(agentProgram).commands
  t.true(all.length > 20)
  for (const command of all) {
    const few = made(agentProgramFor(command.name())).commands
    t.true(few.length < all.length, command.name())
    const alone = few.find((each) => each.name() === command.name())
    t.is(alone?.helpInformation(), command.helpInformation())
  }
  t.is(made(agentProgramFor('no such command')).commands.length, all.length)
})
