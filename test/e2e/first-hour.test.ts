// README "By hand": its own lines, at terminals, from an empty home to a paid answer.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { cleanEnvironment } from '../support/environment.ts'
import { temporaryFolder } from '../support/folder.ts'
import { needing, pathWithSbin, tools } from '../support/tools.ts'
import { until } from '../support/until.ts'

const ctrlC = '\u0003'
const root = fileURLToPath(new URL('../..', import.meta.url))

/** The shell blocks of one section. */
async function blocksOf(heading: string): Promise<readonly string[]> {
  const text = await readFile(join(root, 'README.md'), 'utf8')
  const [, section = ''] = text.split(`## ${heading}\n`)
  const [own = ''] = section.split('\n## ')
  return [...own.matchAll(/```sh\n(.*?)```/gs)].map(([, lines = '']) => lines)
}

/** A terminal of its own, in a network of its own that all of them share: the ports are those of the README. */
function terminals(t: ExecutionContext, home: string) {
  const environment = { ...cleanEnvironment(home), PATH: pathWithSbin, NO_COLOR: '1' }
  // One process holds the network; it ends with its input.
  const holder = spawn('unshare', ['-rn', 'sh', '-c', 'ip link set lo up && echo up && cat'], {
    env: environment,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let said = ''
  holder.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const opened: ChildProcess[] = []
  t.teardown(async () => {
    for (const child of opened.reverse()) {
      if (child.exitCode !== null) continue
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.stdin?.write(ctrlC)
      await ended
    }
    holder.stdin.end()
  })
  return {
    ready: () => until(async () => said.includes('up')),
    open: async (lines: string) => {
      const file = join(home, `terminal-${opened.length}`)
      await writeFile(file, `set -e\n${lines}`)
      const enter = ['--preserve-credentials', '-U', '-n', '-t', `${holder.pid}`]
      const command = ['script', '-qefc', `bash ${file}`, '/dev/null']
      const child = spawn('nsenter', [...enter, ...command], {
        cwd: root,
        env: environment,
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      opened.push(child)
      let shown = ''
      child.stdout.setEncoding('utf8').on('data', (text) => {
        shown += text
      })
      const screen = () => stripVTControlCharacters(shown).replaceAll('\r', '')
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
      const shows = (text: RegExp) =>
        until(
          async () => {
            if (child.exitCode !== null) throw new Error(`it ended: ${screen()}`)
            return text.test(screen())
          },
          () => screen(),
        )
      return { screen, ended, shows }
    },
  }
}

needing(
  test,
  tools.script,
  tools.ownNetwork,
)('from an empty home to a paid answer by the README’s own lines, at terminals', async (t) => {
  const home = await temporaryFolder(t)
  const [chainLines = '', receiverLines = '', agentLines = '', ...others] =
    await blocksOf('By hand')
  t.deepEqual(others, [])
  const began = performance.now()
  const { ready, open } = terminals(t, home)
  await ready()
  const chain = await open(chainLines)
  await chain.shows(/Ctrl-C ends it/)
  const receiver = await open(receiverLines)
  await receiver.shows(/http:\/\/\S+:5000/)
  const agent = await open(agentLines)
  t.is(await agent.ended, 0, agent.screen() + receiver.screen())
  t.regex(agent.screen(), /^[0-9.]+ [0-9.]+ [0-9.]+ \d+\/\d+ \d+$/m, 'the load of this machine')
  t.regex(agent.screen(), /0\.005 TKN/)
  t.log(`${Math.round((performance.now() - began) / 1000)} s from the first line to the last`)
})
