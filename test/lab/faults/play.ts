// One run: plays the plan, mends everything, lets both programs end, and has the books read.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Audit, audit } from './audit.ts'
import type { LabChain } from './lab-chain.ts'
import { isGoodEnd } from './orders.ts'
import type { Means, Plan, Step } from './schedule.ts'
import { type Ground, price, type Stage, setStage } from './stage.ts'

export interface Played extends Audit {
  readonly seed: number
  readonly milliseconds: number
  /** How often each kind of fault was done. */
  readonly faults: Readonly<Record<string, number>>
  /** Last words of programs that ended by themselves. */
  readonly exits: readonly string[]
  /** What the last purchase came to, after everything was mended. */
  readonly lastPurchase: string
}

type Mend = () => void | Promise<void>

export async function play(ground: Ground, plan: Plan, means: Means): Promise<Played> {
  const { chain } = ground
  const begun = performance.now()
  const stage = await setStage(ground, plan, means)
  const noMoreBlocks = letBlocksPass(chain)
  try {
    const { agent, receiver } = stage.programs
    await receiver.start()
    await agent.start()
    await playSteps(ground, stage, plan)
    const finished = agent.heard()
    agent.say('finish')
    const lastPurchase = await finished
    await noMoreBlocks()
    await agent.end(plan.end.agent)
    await receiver.end(plan.end.receiver)
    // What is still on its way to the chain must not arrive while the books are read.
    for (const link of Object.values(stage.links)) link.cut()
    const books = await audit(chain, stage, plan, unserved(plan, stage))
    const stuck = isGoodEnd(lastPurchase) ? [] : [`paying did not go on: ${lastPurchase}`]
    return {
      ...books,
      seed: plan.seed,
      milliseconds: Math.round(performance.now() - begun),
      faults: counts(plan.steps),
      exits: [...agent.exits, ...receiver.exits],
      lastPurchase,
      troubles: [...books.troubles, ...stuck],
    }
  } finally {
    await noMoreBlocks()
    await stage.clear()
  }
}

/**
 * Other people's blocks, one a second: on a chain that stands still a receiver waits for ever for a node that
 * has forgotten the newest one. The returned function ends it.
 */
function letBlocksPass(chain: LabChain): () => Promise<void> {
  let going = true
  const passing = (async () => {
    while (going) {
      // Not while its process is away.
      await chain.mine(1).catch(() => undefined)
      await sleep(1000)
    }
  })()
  return () => {
    going = false
    return passing
  }
}

async function playSteps(ground: Ground, stage: Stage, plan: Plan): Promise<void> {
  const begun = performance.now()
  const until = (at: number) => sleep(Math.max(0, begun + at - performance.now()))
  await Promise.all(
    plan.steps.map(async (step) => {
      await until(step.at)
      const mend = await strike(ground, stage, step)
      await until(step.at + step.lasts)
      await mend()
    }),
  )
  await until(plan.duration)
}

/** Does what goes wrong; the returned function mends it. */
async function strike(ground: Ground, stage: Stage, { fault }: Step): Promise<Mend> {
  const { chain, postgres } = ground
  const { links, disks, programs } = stage
  switch (fault.kind) {
    case 'kill':
      await programs[fault.program].kill()
      return programs[fault.program].start
    case 'killChain':
      await chain.kill?.()
      return () => undefined
    case 'killDatabase':
      await postgres?.kill()
      return () => undefined
    case 'freeze': {
      const victim = fault.program === 'chain' ? chain : programs[fault.program]
      victim.freeze()
      return victim.thaw
    }
    case 'slowDisk':
      programs[fault.program].say({ slowDisk: fault.most })
      return () => programs[fault.program].say({ slowDisk: 0 })
    case 'fullDisk':
      disks[fault.program].fill()
      return disks[fault.program].free
    case 'clock':
      programs[fault.program].say({ clock: fault.step })
      return () => undefined
    case 'close':
      programs.agent.say('close')
      return () => undefined
    case 'withdraw':
      programs.receiver.say('withdraw')
      return () => undefined
    default:
      return links[fault.link]?.suffer(fault) ?? (() => undefined)
  }
}

/**
 * A receiver that dies, or cannot write, between a proof on disk and the answer has taken a payment
 * for nothing; at most those that were under way. So has one that does not hear that its proof was written.
 */
function unserved({ steps, atOnce }: Plan, { programs }: Stage): bigint {
  const moments = steps.filter(
    ({ fault }) =>
      fault.kind === 'killDatabase' ||
      ('link' in fault && fault.link === 'receiver-database') ||
      ((fault.kind === 'kill' || fault.kind === 'fullDisk') && fault.program === 'receiver'),
  )
  return BigInt((moments.length + programs.receiver.exits.length) * atOnce) * price
}

function counts(steps: readonly Step[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const { fault } of steps) found[fault.kind] = (found[fault.kind] ?? 0) + 1
  return found
}
