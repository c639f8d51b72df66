// Makes teasers for visitors who have not paid, on a thread with limits of memory and time: parsing a
// page of a stranger's may take any amount of both (HTML's adoption agency repeats elements).
import { Worker } from 'node:worker_threads'
import { createTurns } from '../../../platform/async/turns.ts'
import { receiverError } from '../../errors/index.ts'
import type { TeaserParts, TeaserRequest } from './teaser-document.ts'

export interface TeaserMaker {
  /**
   * One after the other, over all resources. Undefined when nothing of the page may be shown.
   * @throws Error when the page takes too much time or memory
   */
  readonly make: (page: TeaserRequest) => Promise<TeaserParts | undefined>
  /** @throws UraidenError `selector_invalid` */
  readonly check: (selectors: readonly string[]) => Promise<void>
  readonly close: () => Promise<void>
}

export interface TeaserLimits {
  /** Milliseconds for one page. */
  readonly time: number
  /** Megabytes of the thread. */
  readonly memory: number
  /** After a page the thread rests so many times as long as it took. */
  readonly rest: number
  /** Milliseconds until a thread without work ends. */
  readonly idle: number
}

/** In numbers, what all unpaid visitors together may take: a quarter of a processor, 64 MB. */
export const teaserLimits: TeaserLimits = { time: 1000, memory: 64, rest: 3, idle: 30_000 }

export type Task =
  | { readonly kind: 'make'; readonly page: TeaserRequest }
  | { readonly kind: 'check'; readonly selectors: readonly string[] }

export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'made'; readonly teaser: TeaserParts | undefined }
  | { readonly kind: 'checked'; readonly unknown: string | undefined }
  | { readonly kind: 'failed'; readonly message: string }

/** Milliseconds for a thread to load, on a slow and busy machine. */
const longestStart = 60_000

/** Megabytes of the memory that are for what lives briefly. */
const young = 16

interface Thread {
  readonly worker: Worker
  idle?: NodeJS.Timeout
}

interface Making extends TeaserLimits {
  thread: Thread | undefined
  /** Before this moment no page begins. */
  notBefore: number
  closed: boolean
}

export function createTeaserMaker(limits: TeaserLimits = teaserLimits): TeaserMaker {
  const making: Making = { ...limits, thread: undefined, notBefore: 0, closed: false }
  const turns = createTurns()
  return {
    make: (page) =>
      turns.take(async () => {
        const answer = await afterRest(making, { kind: 'make', page })
        return answer.kind === 'made' ? answer.teaser : undefined
      }),
    check: async (selectors) => {
      const answer = await turns.take(() => ask(making, { kind: 'check', selectors }))
      if (answer.kind !== 'checked' || answer.unknown === undefined) return
      throw receiverError({
        code: 'selector_invalid',
        message: `teaser.show: "${answer.unknown}" is no CSS selector that is known here.`,
      })
    },
    close: async () => {
      making.closed = true
      await end(making)
    },
  }
}

/** The price of a page is paid in waiting, by the visitors who want the next one. */
async function afterRest(making: Making, task: Task): Promise<Answer> {
  const wait = making.notBefore - performance.now()
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait).unref())
  const began = performance.now()
  try {
    return await ask(making, task)
  } finally {
    const now = performance.now()
    making.notBefore = now + making.rest * (now - began)
  }
}

/** @throws Error */
async function ask(making: Making, task: Task): Promise<Answer> {
  if (making.closed) throw new Error('no teaser is made any more')
  making.thread ??= await start(making)
  const { thread } = making
  clearTimeout(thread.idle)
  try {
    const answer = next(thread, making.time)
    thread.worker.postMessage(task)
    return failedIs(await answer)
  } catch (error) {
    if (making.thread === thread && !(error instanceof PageError)) await end(making)
    throw error
  } finally {
    thread.idle = setTimeout(() => void end(making), making.idle).unref()
  }
}

/** The page's fault; the thread is well. */
class PageError extends Error {}

function failedIs(answer: Answer): Answer {
  if (answer.kind === 'failed') throw new PageError(`the page has no teaser: ${answer.message}`)
  return answer
}

async function start({ memory }: Making): Promise<Thread> {
  const worker = new Worker(workerFile(), {
    resourceLimits: { maxOldGenerationSizeMb: memory - young, maxYoungGenerationSizeMb: young },
  })
  const thread: Thread = { worker }
  // Whoever waits for an answer is told.
  worker.on('error', () => undefined)
  // A receiver that has nothing else to do may end.
  worker.unref()
  try {
    await next(thread, longestStart)
    return thread
  } catch (error) {
    await worker.terminate()
    throw error
  }
}

async function end(making: Making): Promise<void> {
  const { thread } = making
  making.thread = undefined
  clearTimeout(thread?.idle)
  await thread?.worker.terminate()
}

/** What the thread says next; rejects when it ends before, or says nothing for so long. */
function next({ worker }: Thread, time: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // What it said while this thread was busy comes before.
    const late = () => setImmediate(() => over(new Error(`it took longer than ${time} ms`)))
    const timer = setTimeout(late, time)
    const onMessage = (answer: Answer) => over(undefined, answer)
    // Out of memory (ERR_WORKER_OUT_OF_MEMORY) is one of these.
    const onError = (error: unknown) => over(error)
    const onExit = () => over(new Error('its thread ended'))
    function over(error: unknown, answer?: Answer): void {
      clearTimeout(timer)
      worker.off('message', onMessage)
      worker.off('error', onError)
      worker.off('exit', onExit)
      if (answer === undefined) reject(error)
      else resolve(answer)
    }
    worker.on('message', onMessage)
    worker.on('error', onError)
    worker.on('exit', onExit)
  })
}

/** Beside this file, as source or compiled. */
function workerFile(): URL {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./teaser-worker.${ending}`, import.meta.url)
}
