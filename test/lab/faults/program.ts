// One of the lab's programs with its lives: started, killed, started again, as systemd would.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { FromProgram, ToAgent, ToReceiver } from './orders.ts'

/** Most of a short run would go by in compiling the same modules again. */
const compiled = fileURLToPath(new URL('../../../.cache/compiled', import.meta.url))
const preload = fileURLToPath(new URL('./preload.ts', import.meta.url))

export interface Program {
  /** Resolves when it is ready; starts it again as often as it ends by itself meanwhile. */
  readonly start: () => Promise<void>
  readonly say: (message: ToAgent | ToReceiver) => void
  /** What it said last of a kind. */
  readonly heard: () => Promise<string>
  readonly freeze: () => void
  readonly thaw: () => void
  /** Ends it for good; kill -9, or as it wants to. */
  readonly end: (how: 'stop' | 'kill') => Promise<void>
  readonly kill: () => Promise<void>
  /** Last words of lives that ended by themselves. */
  readonly exits: readonly string[]
}

export function program(name: 'agent' | 'receiver', orders: object): Program {
  const file = fileURLToPath(new URL(`./${name}-program.ts`, import.meta.url))
  const exits: string[] = []
  let child: ChildProcess | undefined
  let wanted = false

  /** Resolves when it is ready, or has ended. */
  function live(): Promise<void> {
    const born = fork(file, [JSON.stringify(orders)], {
      execArgv: ['--import', preload],
      env: { ...process.env, NODE_COMPILE_CACHE: compiled },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    child = born
    let said = ''
    born.stderr?.on('data', (chunk) => {
      said = (said + chunk).slice(-2000)
    })
    // Writing to one that has just ended.
    born.on('error', () => undefined)
    return new Promise((resolve) => {
      born.on('message', (message: FromProgram) => {
        if ('ready' in message) resolve()
      })
      born.once('exit', (code, signal) => {
        if (signal !== 'SIGKILL' && code !== 0) exits.push(`${name}: ${code ?? signal} ${said}`)
        if (wanted && child === born) setTimeout(() => wanted && void live().then(resolve), 100)
        else resolve()
      })
    })
  }

  const gone = async (how: () => void): Promise<void> => {
    const dying = child
    wanted = false
    if (dying === undefined || dying.exitCode !== null || dying.signalCode !== null) return
    const ended = once(dying, 'exit')
    how()
    const late = setTimeout(() => {
      exits.push(`${name}: does not stop`)
      dying.kill('SIGKILL')
    }, 20_000)
    await ended
    clearTimeout(late)
  }
  const kill = () => gone(() => child?.kill('SIGKILL'))
  return {
    start: async () => {
      if (wanted) return
      wanted = true
      await live()
    },
    say: (message) => {
      if (child?.connected) child.send(message, () => undefined)
    },
    heard: async () => {
      const speaking = child
      if (speaking === undefined) return 'it was not started'
      const ended = once(speaking, 'exit').then(() => 'it ended by itself')
      for (;;) {
        const said = once(speaking, 'message').then(([message]) => message as FromProgram)
        const message = await Promise.race([said, ended])
        if (typeof message === 'string') return message
        if ('finished' in message) return message.finished
      }
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    kill,
    end: (how) => (how === 'kill' ? kill() : gone(() => child?.send('stop', () => undefined))),
    exits,
  }
}
