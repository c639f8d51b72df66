// Who was paid at an origin first is the only one that is paid there.
import test from 'ava'
import { createBehaviours } from '../../../agent/purchase/behaviour.ts'
import { createPolicyCheck, type Policy } from '../../../agent/purchase/policy.ts'
import { createSellers } from '../../../agent/purchase/terms.ts'
import { receiver } from '../../support/ledger.ts'
import { contract, sender, terms, token } from '../../support/lying-receiver.ts'
import { memoryNotes } from '../../support/notes.ts'

function given(notes = memoryNotes().notes, policy: Partial<Policy> = {}) {
  const check = createPolicyCheck({
    policy: { contract, token, ...policy },
    token: { symbol: 'TKN', decimals: 0 },
    receiverAt: undefined,
    lastPrice: () => undefined,
    sellers: createSellers(notes),
    behaviours: createBehaviours(notes),
  })
  return (url: string, to = receiver, dryRun = false) =>
    check.check(
      { method: 'GET', url: new URL(url), headers: {}, read: 'body', dryRun },
      { ...terms, receiver: to },
    )
}

test('another address at the same origin is an error that names both, also after a restart', (t) => {
  const { notes } = memoryNotes()
  given(notes)('http://shop:8080/reading')
  const error = t.throws(() => given(notes)('http://shop:8080/other?x=1', sender), {
    code: 'receiver_changed',
  })
  t.true(error?.message.includes(receiver))
  t.true(error?.message.includes(sender))
  t.notThrows(() => given(notes)('http://shop:8080/reading'))
})

test('scheme, host and port are one origin each', (t) => {
  const check = given()
  check('http://shop:8080/')
  for (const url of ['https://shop:8080/', 'http://shop/', 'http://other:8080/']) {
    t.notThrows(() => check(url, sender))
  }
})

test('who is listed by address may take another one’s place', (t) => {
  const { notes } = memoryNotes()
  given(notes)('http://shop/')
  given(notes, { receivers: [sender] })('http://shop/', sender)
  t.throws(() => given(notes)('http://shop/'), { code: 'receiver_changed' })
})

test('a dry run remembers nobody', (t) => {
  const check = given()
  t.throws(() => check('http://shop/', receiver, true), { code: 'dry_run' })
  t.notThrows(() => check('http://shop/', sender))
})

test('a thousand origins are remembered, and not one more', (t) => {
  const { notes, count } = memoryNotes()
  const check = given(notes)
  for (let number = 0; number <= 1000; number++) check(`http://shop-${number}/`)
  t.is(count(), 1000)
  t.throws(() => check('http://shop-1000/', sender), { code: 'receiver_changed' })
})
