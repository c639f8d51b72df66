// The thread that takes upstream pages apart: what a page does to it, it does to nothing else.
import { parentPort } from 'node:worker_threads'
import { teaserDocument, unknownSelector } from './teaser-document.ts'
import type { Answer, Task } from './teaser-maker.ts'

function answerTo(task: Task): Answer {
  try {
    return task.kind === 'check'
      ? { kind: 'checked', unknown: unknownSelector(task.selectors) }
      : { kind: 'made', teaser: teaserDocument(task.page) }
  } catch (error) {
    return { kind: 'failed', message: (error as Error).message }
  }
}

parentPort?.on('message', (task: Task) => parentPort?.postMessage(answerTo(task)))
parentPort?.postMessage({ kind: 'ready' } satisfies Answer)
