// ./scripts/bench soak: the agent's jobs for a long time, through everything that dies around them.
//
// 100 jobs are due at every simulated second; a second is over when all their runs have ended. In the
// first half the agent's process is killed again and again; receiver and broker are restarted all along.
// At the end every body that was served is in the file exactly once, and was paid for once. The second
// half is one life of the agent: its memory has to be flat.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { integer } from '../scripts/lib/shared/arguments.ts'
import { seededRandom } from '../test/lab/random/random.ts'
import type { AgentReport, Figures } from './lib/soak/protocol.ts'
import { openStage, price, type Stage } from './lib/soak/stage.ts'
import { compare, isFlat, linesOf, quarters } from './lib/soak/verdict.ts'

const options = new Command('./scripts/bench soak')
  .option('--seconds <n>', 'simulated seconds', integer(10, 1_000_000), 600)
  .option('--jobs <n>', 'jobs, each due once a second', integer(1, 1000), 100)
  .option('--kills <n>', 'how often the agent is killed', integer(0, 1000), 20)
  .option('--restarts <n>', 'of the receiver, and as many of the broker', integer(0, 1000), 8)
  .option('--seed <n>', 'for the moments', integer(0, 2 ** 31), 20_261_121)
  .option('--json', 'print JSON')
  .parse()
  .opts<{
    seconds: number
    jobs: number
    kills: number
    restarts: number
    seed: number
    json?: true
  }>()

const agentProcess = fileURLToPath(new URL('./lib/soak/agent-process.ts', import.meta.url))
const random = seededRandom(options.seed)
process.exitCode = await main()

async function main(): Promise<number> {
  const stage = await openStage()
  try {
    const began = performance.now()
    const last = await live(stage)
    const took = (performance.now() - began) / 1000
    const result = await judge(stage, last, took)
    const results = fileURLToPath(new URL('./results', import.meta.url))
    await mkdir(results, { recursive: true })
    await writeFile(join(results, 'soak.json'), `${JSON.stringify(result, null, 2)}\n`)
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : describe(result))
    for (const trouble of result.troubles) process.stderr.write(`soak: ${trouble}\n`)
    return result.troubles.length === 0 ? 0 : 1
  } finally {
    await stage.close()
  }
}

/** All lives of the agent; the figures of the last one. */
async function live(stage: Stage): Promise<Figures> {
  const killed = Math.floor(options.seconds / 2)
  const kills = moments(options.kills, killed)
  const receivers = moments(options.restarts, options.seconds - 2)
  const brokers = moments(options.restarts, options.seconds - 2)
  const restarts: Promise<void>[] = []
  let second = 0
  for (;;) {
    const life = await oneLife(stage, options.seconds - second, async (child) => {
      second++
      // Without receiver or broker the agent would wait for ever.
      const restart = (work: () => Promise<void>): void => {
        const done = inTurn(restarts, work)
        done.catch(() => child.kill('SIGKILL'))
        restarts.push(done)
      }
      while (receivers[0] !== undefined && second >= receivers[0]) {
        receivers.shift()
        restart(() => stage.restartReceiver())
      }
      while (brokers[0] !== undefined && second >= brokers[0]) {
        brokers.shift()
        restart(() => stage.restartBroker(random() * 1000))
      }
      if (kills[0] === undefined || second < kills[0]) return
      kills.shift()
      // In the middle of whatever the next second does.
      setTimeout(() => child.kill('SIGKILL'), random() * 500)
    })
    await Promise.all(restarts)
    if (life !== undefined) return life
  }
}

function inTurn(before: readonly Promise<void>[], work: () => Promise<void>): Promise<void> {
  return Promise.resolve(before.at(-1)).then(work)
}

/** Undefined when it was killed. */
async function oneLife(
  stage: Stage,
  seconds: number,
  onSecond: (child: ChildProcess) => void,
): Promise<Figures | undefined> {
  const child = fork(agentProcess, { execArgv: ['--expose-gc'] })
  child.send({ ...stage.agent, jobs: options.jobs, seconds })
  let figures: Figures | undefined
  child.on('message', (report: AgentReport) => {
    if (report.kind === 'end') figures = report.figures
    else onSecond(child)
  })
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.once('exit', (...ended) => resolve(ended))
  })
  if (figures === undefined && signal !== 'SIGKILL') {
    throw new Error(`the agent ended with ${code ?? signal}`)
  }
  return figures
}

/** So many different seconds, in order. */
function moments(count: number, before: number): number[] {
  const chosen = new Set<number>()
  while (chosen.size < Math.min(count, before - 1))
    chosen.add(1 + Math.floor(random() * (before - 1)))
  return [...chosen].sort((a, b) => a - b)
}

async function judge(stage: Stage, last: Figures, took: number) {
  const lines = await linesOf(join(stage.agent.folder, 'data'))
  const { served, claimed } = await stage.finish()
  const file = compare(served, lines)
  const mqtt = compare(served, stage.published)
  const { memory, bytesWritten, ...runs } = last
  const heap = quarters(memory, (sample) => sample.heap)
  const rss = quarters(memory, (sample) => sample.rss)
  // A shorter life than this is still warming up.
  const judged = memory.length >= 40
  const expected = options.seconds * options.jobs
  const troubles = [
    ...(file.missing === 0 ? [] : [`${file.missing} paid bodies are not in the file`]),
    ...(file.repeated === 0 ? [] : [`${file.repeated} lines of the file are there twice`]),
    ...(file.strange === 0 ? [] : [`${file.strange} lines of the file were never served`]),
    ...(mqtt.missing === 0 ? [] : [`${mqtt.missing} paid bodies were not published`]),
    ...(claimed === BigInt(served.length) * price
      ? []
      : [`${served.length} served at ${price}, but ${claimed} paid`]),
    ...(runs.dropped === 0 ? [] : [`${runs.dropped} entries dropped`]),
    ...(!judged || isFlat(heap) ? [] : [`the heap grows: ${heap.join(', ')} MB`]),
    ...(!judged || isFlat(rss) ? [] : [`the memory grows: ${rss.join(', ')} MB`]),
  ]
  const { seconds, jobs, kills, restarts, seed } = options
  const perRun = (figure: number | undefined): number | undefined =>
    figure === undefined ? undefined : Math.round((figure * 100) / Math.max(1, runs.done)) / 100
  return {
    ...{ node: process.version, seconds, jobs, kills, restarts, seed, expected },
    took: Math.round(took),
    perSecond: Math.round(served.length / took),
    claimed: Number(claimed),
    ...{ file, mqtt, lastLife: runs },
    bytesWrittenPerRun: perRun(bytesWritten),
    cpuMsPerRun: perRun(runs.cpu),
    memory: { samples: memory.length, judged, heapMB: heap, rssMB: rss },
    troubles,
  }
}

function describe(result: Awaited<ReturnType<typeof judge>>): string {
  const { file, mqtt, memory, took } = result
  return [
    `${result.seconds} simulated seconds with ${result.jobs} jobs in ${took} s, seed ${result.seed}`,
    `${result.kills} kills of the agent, ${result.restarts} restarts of receiver and broker each`,
    `served ${file.served} (${result.perSecond}/s), paid ${result.claimed}`,
    `file: ${file.delivered} lines, ${file.missing} missing, ${file.repeated} repeated`,
    `mqtt: ${mqtt.delivered} messages, ${mqtt.missing} missing, ${mqtt.repeated} repeated`,
    `last life: ${result.lastLife.done} runs, ${result.cpuMsPerRun} ms CPU and ${result.bytesWrittenPerRun} bytes written for each`,
    `memory by quarter, MB: heap ${memory.heapMB.join(', ')}; resident ${memory.rssMB.join(', ')}`,
    '',
  ].join('\n')
}
