// The fault lab, shortly: some runs of a fixed seed, and the runs that once broke a promise.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'

const run = promisify(execFile)

interface Summary {
  readonly runs: number
  readonly served: string
  readonly claimed: string
  readonly deposit: string
  readonly broken: readonly { readonly seed: number; readonly troubles: readonly string[] }[]
}

async function faults(seed: number, runs: number): Promise<Summary> {
  const args = ['--seed', `${seed}`, '--runs', `${runs}`, '--json']
  // With a broken promise it ends with 1, and says all the same what it found.
  const { stdout } = await run('./scripts/faults', args).catch((error) => error)
  return JSON.parse(stdout)
}

test.serial('five random runs break no promise', async (t) => {
  const { runs, served, claimed, deposit, broken } = await faults(20261121, 5)
  t.deepEqual(broken, [])
  t.is(runs, 5)
  t.true(BigInt(served) > 0n && BigInt(served) <= BigInt(claimed))
  t.true(BigInt(claimed) <= BigInt(deposit))
})

for (const [seed, found] of [
  [14, 'the agent’s disk was full for a while, and forgot all that was signed later'],
  [15, 'the receiver’s disk was full for a while, and forgot all proofs that came later'],
  [1012, 'killed while it closed, the agent paid on where the receiver had agreed to the close'],
  [1181, 'the receiver’s disk was full: it refused payments after an agreement that it never gave'],
  [20261123, 'the agreement to a close was lost, and the agent paid on where nobody took it'],
] as const) {
  test.serial(`seed ${seed}: ${found}`, async (t) => {
    t.deepEqual((await faults(seed, 1)).broken, [])
  })
}

test.serial('what would go wrong is printed from the seed alone, always the same', async (t) => {
  const print = async () => (await run('./scripts/faults', ['--seed', '7', '--plan'])).stdout
  const plan = await print()
  t.is(plan.trim().split('\n').length, 5)
  t.is(await print(), plan)
})
