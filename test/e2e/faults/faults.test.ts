// The fault lab, shortly: some runs of a fixed seed, and the runs that once broke a promise.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import { type LabChain, startLabEmbedded } from '../../lab/faults/lab-chain.ts'
import { play } from '../../lab/faults/play.ts'
import { onDatabase, planOf } from '../../lab/faults/schedule.ts'
import { needing, tools } from '../../support/tools.ts'

const run = promisify(execFile)

interface Summary {
  readonly runs: number
  readonly served: string
  readonly claimed: string
  readonly deposit: string
  readonly byTick: number
  readonly bySignature: number
  readonly broken: readonly { readonly seed: number; readonly troubles: readonly string[] }[]
}

async function faults(seed: number, runs: number): Promise<Summary> {
  const args = ['--seed', `${seed}`, '--runs', `${runs}`, '--json']
  // With a broken promise it ends with 1, and says all the same what it found.
  const { stdout } = await run('./scripts/faults', args).catch((error) => error)
  return JSON.parse(stdout)
}

test.serial('five random runs break no promise', async (t) => {
  const { runs, served, claimed, deposit, broken, ...proofs } = await faults(20261121, 5)
  t.deepEqual(broken, [])
  t.is(runs, 5)
  t.true(BigInt(served) > 0n && BigInt(served) <= BigInt(claimed))
  t.true(BigInt(claimed) <= BigInt(deposit))
  t.true(proofs.byTick > 0 && proofs.bySignature > 0)
})

for (const [seed, found] of [
  [14, 'the agent’s disk was full for a while, and forgot all that was signed later'],
  [15, 'the receiver’s disk was full for a while, and forgot all proofs that came later'],
  [1012, 'killed while it closed, the agent paid on where the receiver had agreed to the close'],
  [1181, 'the receiver’s disk was full: it refused payments after an agreement that it never gave'],
  [20261123, 'the agreement to a close was lost, and the agent paid on where nobody took it'],
] as const) {
  // Where no disk can be filled the seed stands for other faults.
  needing(test.serial, tools.mounts)(`seed ${seed}: ${found}`, async (t) => {
    chain ??= startLabEmbedded()
    const means = { fullDisk: true, killChain: false }
    const { troubles } = await play({ chain: await chain }, planOf(seed, means), means)
    t.deepEqual(troubles, [])
  })
}

/** One for all seeds: a run deploys contracts of its own. */
let chain: Promise<LabChain> | undefined
test.after.always(async () => (await chain)?.close())

test.serial('what would go wrong is printed from the seed alone, always the same', async (t) => {
  const { stdout } = await run('./scripts/faults', ['--seed', '7', '--plan'])
  const plans = stdout.trim().split('\n')
  t.is(plans.length, 5)
  const means = { fullDisk: tools.mounts.isThere(), killChain: false }
  for (const [index, plan] of plans.entries()) {
    t.is(plan, JSON.stringify(planOf(7 + index, means)))
  }
})

test.serial(
  'on a database nothing befalls the receiver’s disk, but the database and the way to it',
  (t) => {
    const means = { fullDisk: true, killChain: false }
    const kinds = new Set<string>()
    for (let seed = 1; seed <= 100; seed++) {
      const plan = planOf(seed, means)
      const { steps } = onDatabase(plan)
      t.deepEqual(onDatabase(plan).steps, steps)
      t.true(steps.length > plan.steps.length)
      for (const { fault } of steps) {
        const ofDisk = fault.kind === 'slowDisk' || fault.kind === 'fullDisk'
        t.false(ofDisk && fault.program === 'receiver')
        if ('link' in fault && fault.link === 'receiver-database') kinds.add(fault.kind)
        if (fault.kind === 'killDatabase') kinds.add(fault.kind)
      }
    }
    t.deepEqual([...kinds].sort(), ['delay', 'killDatabase', 'loss', 'partition', 'refuse'])
  },
)
