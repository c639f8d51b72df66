// Manual pages and completions of both programs are what --help says.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { agentProgram } from '../../agent/cli/program.ts'
import { commandOf } from '../../platform/cli/program.ts'
import { receiverProgram } from '../../receiver/cli/program.ts'
import { manualFiles } from '../../scripts/lib/manuals/files.ts'
import { allCommands, type CommandModel, programs } from '../../scripts/lib/manuals/model.ts'
import { prose } from '../../scripts/lib/manuals/prose.ts'
import { documentedCommands } from '../support/documented-commands.ts'
import { cleanEnvironment } from '../support/environment.ts'
import { temporaryFolder } from '../support/folder.ts'
import { needing, tools } from '../support/tools.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const completions = `${root}deploy/pi/completion`

test('the files are what the definitions of the commands say; npm run manuals writes them', async (t) => {
  for (const [path, text] of manualFiles()) {
    t.is(await readFile(root + path, 'utf8'), text, path)
  }
})

/** Options and commands that the help of a command shows, as a person reads it. */
function helpOf(name: string, path: readonly string[]) {
  const description = [agentProgram, receiverProgram].find((each) => each.name === name)
  if (description === undefined) throw new Error(`no program ${name}`)
  const command = path.reduce(
    (found, each) => found.commands.find((one) => one.name() === each) ?? found,
    commandOf(description, async () => undefined),
  )
  const help = command.helpInformation()
  const [, commands = ''] = help.split('\nCommands:\n')
  return {
    options: [...help.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, long = '']) => long),
    commands: [...commands.matchAll(/^ {2}([a-z-]+)/gm)]
      .map(([, each = '']) => each)
      .filter((each) => each !== 'help'),
  }
}

function sorted(words: readonly (string | undefined)[]): readonly (string | undefined)[] {
  return [...new Set(words)].sort()
}

/** What completions should offer: what help shows, less the version, which only the program has. */
function offered(name: string, { path, commands }: CommandModel) {
  const help = helpOf(name, path)
  return {
    commands: sorted(commands.map((each) => each.path.at(-1))),
    options: sorted(help.options.filter((each) => path.length === 0 || each !== '--version')),
  }
}

for (const program of programs) {
  const { name } = program
  const commands = allCommands(program)

  test(`${name}: the manual page has every command and option of --help, and each has a word about it`, async (t) => {
    const page = (await readFile(`${root}deploy/pi/man/${name}.1`, 'utf8')).replaceAll('\\-', '-')
    t.true(commands.length > 20)
    for (const { path, options } of commands) {
      const help = helpOf(name, path)
      for (const each of help.commands) {
        t.true(
          commands.some((one) => one.path.join() === [...path, each].join()),
          each,
        )
      }
      for (const { long, says } of options) {
        t.true(help.options.includes(long), `${path.join(' ')} ${long}`)
        t.true(page.includes(`\\fB${long}\\fR`), `${path.join(' ')} ${long}`)
        t.true(says.length > 2)
      }
    }
    const ends = commands.filter((command) => command.commands.length === 0)
    for (const { path } of ends)
      t.true(page.includes(`\n\\fB${path.join(' ')}\\fR`), path.join(' '))
  })

  needing(test, tools.man)(
    `${name}: the manual page is read by man without a warning`,
    async (t) => {
      const how = ['--warnings', '--encoding=ascii', '-l', `${root}deploy/pi/man/${name}.1`]
      const { stdout, stderr } = await run('man', how, { env: { ...process.env, MANWIDTH: '80' } })
      t.is(stderr, '')
      t.regex(stdout, /^EXAMPLES$/m)
    },
  )

  test(`${name}: examples of the manual page are command lines that the program takes`, (t) => {
    const lines = prose[name].examples.flatMap(([, each]) => each)
    const typed = lines.map((line) => line.replace(/^sudo runuser -u [\w-]+ -- /, ''))
    const found = documentedCommands(`\`\`\`\n${typed.join('\n')}\n\`\`\`\n`)
    t.is(found.length, lines.length)
    for (const { args, text } of found) {
      const description = name === 'uraiden-agent' ? agentProgram : receiverProgram
      const command = commandOf(description, async () => undefined)
      for (const each of [command, ...command.commands.flatMap((one) => [one, ...one.commands])]) {
        each.exitOverride()
        if (each.commands.length === 0 || each.registeredArguments.length > 0)
          each.action(() => undefined)
      }
      t.notThrows(() => command.parse([...args], { from: 'user' }), text)
    }
  })

  test(`${name}: bash offers what --help shows, at every command`, async (t) => {
    const script = `source ${completions}/${name}
for line in "$@"; do
  read -ra COMP_WORDS <<<"$line"
  COMP_WORDS+=('')
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _${name.replace('-', '_')} 2>/dev/null
  echo "\${COMPREPLY[*]}"
done`
    const folder = await temporaryFolder(t)
    const lines = commands.map(({ path }) => [name, ...path].join(' '))
    const { stdout } = await run('bash', ['-c', script, 'bash', ...lines], { cwd: folder })
    for (const [at, said] of stdout.trimEnd().split('\n').entries()) {
      const command = commands[at]
      if (command === undefined) return t.fail(said)
      const wanted = offered(name, command)
      const words = said.split(' ')
      t.deepEqual(sorted(words.filter((each) => !each.startsWith('-'))), wanted.commands)
      t.deepEqual(sorted(words.filter((each) => each.startsWith('-'))), wanted.options)
    }
  })

  needing(test, tools.fish)(
    `${name}: fish offers what --help shows, at every command`,
    async (t) => {
      const folder = await temporaryFolder(t)
      const ask = commands.map(
        ({ path }) =>
          `echo '## ${path.join(' ')}'; for end in '' -; complete -C "${[name, ...path].join(' ')} $end"; end`,
      )
      const script = `source ${completions}/${name}.fish\n${ask.join('\n')}`
      const env = cleanEnvironment(folder)
      const { stdout } = await run('fish', ['--no-config', '-c', script], { cwd: folder, env })
      const [, ...answers] = stdout.split(/^## .*\n/m)
      t.is(answers.length, commands.length)
      for (const [at, said] of answers.entries()) {
        const command = commands[at]
        if (command === undefined) return t.fail(said)
        const wanted = offered(name, command)
        const words = said.split('\n').flatMap((line) => line.split('\t')[0] || [])
        t.deepEqual(sorted(words.filter((each) => !each.startsWith('-'))), wanted.commands, said)
        const long = words.filter((each) => each.startsWith('--'))
        t.deepEqual(
          sorted(long.filter((each) => each !== '--version')),
          wanted.options.filter((each) => each !== '--version'),
        )
      }
    },
  )

  needing(test, tools.zsh)(`${name}: zsh offers what --help shows, at every command`, async (t) => {
    const folder = await temporaryFolder(t)
    const script = `${root}test/support/programs/zsh-complete.zsh`
    const lines = commands.flatMap(({ path }) =>
      ['', '--'].map((end) => `${[name, ...path].join(' ')} ${end}`),
    )
    const env = { ...cleanEnvironment(folder), TERM: 'dumb' }
    const { stdout } = await run('zsh', ['-f', script, completions, ...lines], { cwd: folder, env })
    const [, ...answers] = stdout.split(/^## .*$/m)
    t.is(answers.length, lines.length)
    const words = answers.map((said) =>
      [...said.matchAll(/OFFERED (\S+)/g)].map(([, word]) => word),
    )
    for (const [at, command] of commands.entries()) {
      const wanted = offered(name, command)
      if (command.commands.length > 0) t.deepEqual(sorted(words[at * 2] ?? []), wanted.commands)
      const long = (words[at * 2 + 1] ?? []).filter((each) => each?.startsWith('--'))
      t.deepEqual(sorted(long), wanted.options, command.path.join(' '))
    }
  })
}
