// A receiver's behaviour is a score that halves each hour; both sides of each bound.
import test from 'ava'
import { agentError } from '../../../agent/errors/index.ts'
import { createBehaviours } from '../../../agent/purchase/behaviour.ts'
import { addressOfKey } from '../../../protocol/index.ts'
import { ledgerOn, newChannel, otherReceiver, receiver, testDisk } from '../../support/ledger.ts'
import { memoryNotes } from '../../support/notes.ts'

const hour = 3_600_000
const left = { code: 'receiver_left_alone' } as const

function given(notes = memoryNotes().notes) {
  let time = Date.UTC(2026, 10, 21)
  const behaviours = createBehaviours(notes, () => time)
  return {
    behaviours,
    refuse: (times: number, to = receiver) => {
      for (let count = 0; count < times; count++) behaviours.trouble(to, 'refused', 'proof_refused')
    },
    pass: (milliseconds: number) => {
      time += milliseconds
    },
    score: (of = receiver) => behaviours.all().find((each) => each.receiver === of)?.score ?? 0,
  }
}

test('one refusal changes nothing, two end deposits, four end payments', (t) => {
  const { behaviours, refuse } = given()
  refuse(1)
  t.notThrows(() => behaviours.mayDeposit(receiver))
  refuse(1)
  t.throws(() => behaviours.mayDeposit(receiver), left)
  t.notThrows(() => behaviours.mayPay(receiver))
  refuse(1)
  t.notThrows(() => behaviours.mayPay(receiver))
  refuse(1)
  const error = t.throws(() => behaviours.mayPay(receiver), left)
  t.regex(error?.message ?? '', /again and again \(proof_refused\): it is left alone for 12 min/)
  t.notThrows(() => behaviours.mayPay(otherReceiver))
})

test('the score halves in an hour, and what was refused is allowed again', (t) => {
  const { behaviours, refuse, pass, score } = given()
  refuse(7)
  t.is(score(), 7)
  t.is(behaviours.all()[0]?.leftAloneUntil, Date.UTC(2026, 10, 21) + hour)
  pass(hour - 1000)
  t.throws(() => behaviours.mayPay(receiver), left)
  pass(1001)
  t.notThrows(() => behaviours.mayPay(receiver))
  t.throws(() => behaviours.mayDeposit(receiver), left)
  pass(2 * hour)
  t.notThrows(() => behaviours.mayDeposit(receiver))
})

test('overcharging counts twice as much as a refusal or a broken answer', (t) => {
  const { behaviours, score } = given()
  behaviours.trouble(receiver, 'overcharged', 'receiver_cheats')
  behaviours.trouble(receiver, 'broken', 'answer_malformed')
  t.is(score(), 3)
  t.like(behaviours.all(), [
    {
      refused: 0,
      overcharged: 1,
      broken: 1,
      last: { code: 'answer_malformed' },
      trust: 'noDeposit',
    },
  ])
})

test('errors that say nothing of the receiver are not counted', (t) => {
  const { behaviours } = given()
  for (const code of [
    'receiver_unreachable',
    'answer_lost',
    'answer_late',
    'price_over_cap',
  ] as const) {
    behaviours.failed(receiver, agentError({ code, message: 'm', hint: 'h' }))
  }
  behaviours.failed(receiver, new Error('a defect of ours'))
  t.is(behaviours.troubled.size, 0)
  behaviours.failed(receiver, agentError({ code: 'proof_refused', message: 'm' }))
  t.is(behaviours.troubled.size, 1)
})

test('a clock that was set back makes it no worse and frees nothing', (t) => {
  const { refuse, pass, score } = given()
  refuse(3)
  pass(-10 * hour)
  t.is(score(), 3)
  refuse(1)
  pass(hour)
  t.is(score(), 2)
})

test('it goes to disk with the next write, and with none of its own', async (t) => {
  const disk = testDisk()
  const ledger = await ledgerOn({ disk })
  const behaviours = createBehaviours(ledger.notes)
  behaviours.trouble(receiver, 'refused', 'proof_refused')
  t.is(disk.writes(), 0)
  await ledger.add(newChannel(10n))
  t.is(disk.writes(), 1)
  const later = createBehaviours((await ledgerOn({ disk })).notes)
  t.like(later.all(), [{ receiver, last: { code: 'proof_refused' } }])
})

test('two hundred receivers are remembered, and not one more', (t) => {
  const { notes, count } = memoryNotes()
  const { behaviours, refuse } = given(notes)
  const address = (number: number) =>
    addressOfKey(
      new Uint8Array(32)
        .fill(1)
        .fill(number + 1, 31)
        .fill(Math.floor(number / 200) + 1, 30, 31),
    )
  for (let number = 0; number <= 200; number++) refuse(1, address(number))
  t.is(count(), 200)
  t.is(behaviours.troubled.size, 200)
  t.false(behaviours.troubled.has(address(0)))
  t.true(behaviours.troubled.has(address(200)))
})

test('what is long ago is forgotten', (t) => {
  const { notes, count } = memoryNotes()
  const { behaviours, refuse, pass } = given(notes)
  refuse(1)
  pass(4 * hour)
  t.is(behaviours.all().length, 1)
  pass(hour)
  t.deepEqual(behaviours.all(), [])
  t.is(count(), 0)
})
