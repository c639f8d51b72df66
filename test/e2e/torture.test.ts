// The real thing, shorter: processes that are killed, a real receiver, a real chain.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'

const run = promisify(execFile)

for (const card of ['careful', 'gentle']) {
  test(`an agent that is killed again and again pays for what it got, once, and counts at least that (card: ${card})`, async (t) => {
    const { stdout } = await run('./scripts/torture', [
      'agent',
      ...['--kills', '8'],
      ...['--seed', '20261121'],
      ...['--card', card],
      '--json',
    ])
    const result = JSON.parse(stdout)
    const { kills, powerCuts, served, claimed, signed, reserved, lost, paidTwice } = result
    t.is(kills, 8)
    t.is(powerCuts > 0, card === 'gentle')
    t.true(served > 0)
    t.is(claimed, served)
    t.is(paidTwice, 0)
    t.is(lost, signed - claimed)
    t.true(lost >= 0 && reserved >= signed)
    t.true(reserved - claimed <= 16 * 5)
    t.true(result.byTick > result.bySignature && result.bySignature > 0)
  })
}

test('a receiver that is killed again and again has the proof of all it served, serves no balance twice, and loses no answer of a bound request', async (t) => {
  const { stdout } = await run('./scripts/torture', [
    'receiver',
    ...['--kills', '5'],
    ...['--seed', '20261121'],
    '--json',
  ])
  const result = JSON.parse(stdout)
  const { kills, served, claimed, lost, lostWithName, unproven, paidTwice } = result
  t.is(kills, 5)
  t.true(served > 0)
  t.is(claimed, served + lost)
  t.is(lostWithName, 0)
  t.is(unproven, 0)
  t.is(paidTwice, 0)
  t.true(result.byTick > 0 && result.bySignature > 0)
})

test('a number of kills that is none is refused with what to write', async (t) => {
  await t.throwsAsync(run('./scripts/torture', ['agent', '--kills', 'many']), {
    message: /argument 'many' is invalid. Write an integer from 0/,
  })
  await t.throwsAsync(run('./scripts/torture', ['agent', '--card', 'mean']), {
    message: /argument 'mean' is invalid. Allowed choices are careful, gentle/,
  })
})

test('an agent that is killed again and again while it buys by x402 pays no request twice, counts at least what was paid, and keeps its budget', async (t) => {
  const { stdout } = await run('./scripts/torture', [
    'x402',
    ...['--kills', '4'],
    ...['--seed', '20261128'],
    '--json',
  ])
  const { kills, paid, paidBefore, counted, budget, paidTwice } = JSON.parse(stdout)
  t.is(kills, 4)
  t.is(paidTwice, 0)
  t.true(paid > paidBefore)
  t.true(paid <= counted && counted <= budget)
})
