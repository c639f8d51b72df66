// A receiver or a part of one in a process of its own, which is told what it is and says where it listens.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { endWithParent } from './end-with-parent.ts'

export interface Forked {
  readonly child: ChildProcess
  readonly base: string
  /** Ends it at once. */
  readonly kill: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** `what`: as the error has it when it does not start. */
export async function startForked(program: string, options: object, what: string): Promise<Forked> {
  const child = fork(program, { serialization: 'advanced' })
  endWithParent(child)
  const gone = once(child, 'exit')
  child.send(options)
  const [message] = await Promise.race([
    once(child, 'message'),
    gone.then(() => Promise.reject(new Error(`${what} did not start`))),
  ])
  const { base } = message as Pick<Forked, 'base'>
  return {
    ...{ child, base },
    kill: async () => {
      child.kill('SIGKILL')
      await gone
    },
    stop: async () => {
      if (child.connected) child.send('stop')
      await gone
    },
  }
}
