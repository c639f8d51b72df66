// Terminals as a person has them, in a network of their own that all of them share: ports are as the pages say.
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { cleanEnvironment } from './environment.ts'
import { pathWithSbin } from './tools.ts'
import { until } from './until.ts'

const ctrlC = '\u0003'
const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Terminal {
  readonly screen: () => string
  readonly ended: Promise<number | null>
  /** Resolves when it shows this; rejects when it ends before. */
  readonly shows: (text: RegExp) => Promise<unknown>
  readonly interrupt: () => Promise<void>
}

/** One shell that keeps its variables from one block to the next. */
export interface Shell {
  /** What the lines printed; rejects when one of them fails. */
  readonly type: (lines: string) => Promise<string>
}

export interface Terminals {
  /** Types these lines into a new one. */
  readonly open: (lines: string) => Promise<Terminal>
  readonly shell: () => Shell
  /** Ctrl-C in all of them. */
  readonly end: () => Promise<void>
}

export async function openTerminals(home: string): Promise<Terminals> {
  const environment = { ...cleanEnvironment(home), PATH: pathWithSbin, NO_COLOR: '1' }
  // One process holds the network; it ends with its input.
  const holder = spawn('unshare', ['-rn', 'sh', '-c', 'ip link set lo up && echo up && cat'], {
    env: environment,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const network = heard(holder)
  await until(async () => network().includes('up'))
  const opened: ChildProcess[] = []
  const inside = (command: readonly string[]) => {
    const enter = ['--preserve-credentials', '-U', '-n', '-t', `${holder.pid}`]
    const child = spawn('nsenter', [...enter, ...command], {
      cwd: root,
      env: environment,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    opened.push(child)
    return child
  }
  return {
    open: async (lines) => {
      const file = join(home, `terminal-${opened.length}`)
      await writeFile(file, `set -e\n${lines}`)
      return terminal(inside(['script', '-qefc', `bash ${file}`, '/dev/null']))
    },
    shell: () => shell(inside(['bash', '-e']), home),
    end: async () => {
      for (const child of opened.reverse()) await end(child)
      holder.stdin.end()
    },
  }
}

function terminal(child: ChildProcess): Terminal {
  const said = heard(child)
  const screen = () => stripVTControlCharacters(said()).replaceAll('\r', '')
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const shows = (text: RegExp) =>
    until(
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${screen()}`)
        return text.test(screen())
      },
      () => screen(),
    )
  return { screen, ended, shows, interrupt: () => end(child) }
}

function shell(child: ChildProcess, home: string): Shell {
  const said = heard(child)
  child.stdin?.write('exec 2>&1\n')
  let typed = 0
  const type = async (lines: string) => {
    typed++
    const file = join(home, `block-${child.pid}-${typed}`)
    await writeFile(file, lines)
    const before = said().length
    const mark = `::${typed}::\n`
    child.stdin?.write(`. ${file} </dev/null; echo "${mark.trim()}"\n`)
    const printed = () => said().slice(before)
    await until(
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${lines}\n${printed()}`)
        return printed().endsWith(mark)
      },
      () => `${lines}\n${printed()}`,
    )
    return printed().slice(0, -mark.length)
  }
  return { type }
}

/** All that it has written to standard output. */
function heard({ stdout }: ChildProcess): () => string {
  let text = ''
  stdout?.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  return () => text
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.stdin?.write(ctrlC)
  child.stdin?.end()
  await ended
}
