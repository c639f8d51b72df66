// What counts as lost and as paid twice after a power cut.
import test from 'ava'
import {
  compareAfterCut,
  judgeJob,
  price,
  reservationWith,
  soldTwice,
  unexcused,
} from '../../lab/pi-system/audit.ts'
import { jobRequest, reservation } from '../../lab/pi-system/install.ts'

const claimed = 1000n

// A job every 15 seconds buys 480 times in two hours.
for (const [card, payments] of [
  ['careful', reservation],
  ['gentle', 616],
] as const) {
  const most = claimed + price * BigInt(payments + 2)
  for (const { reserved, wrong } of [
    { reserved: claimed - 1n, wrong: /may sign again/ },
    { reserved: claimed, wrong: undefined },
    { reserved: most, wrong: undefined },
    { reserved: most + 1n, wrong: /more than a reservation/ },
  ]) {
    test(`${card}: ${reserved} on the card and ${claimed} claimed`, (t) => {
      const covered = reservationWith(card, '*/15 * * * * *')
      const troubles = compareAfterCut(reserved, claimed, covered)
      if (wrong === undefined) t.deepEqual(troubles, [])
      else t.regex(troubles.join(), wrong)
    })
  }
}

const sale = (request: string, number: number) => ({
  ...{ request, number, time: 0 },
  paidBy: 'tick' as const,
})

test('the job’s file is compared with what was served to the job, and to nobody else', (t) => {
  const sales = [sale(jobRequest, 0), sale('buyer', 1), sale(jobRequest, 2), sale(jobRequest, 3)]
  const { missing, ...counts } = judgeJob(sales, [0, 2, 2, 7])
  t.deepEqual(counts, { served: 3, delivered: 4, twice: 1, invented: 1 })
  t.deepEqual(
    missing.map(({ number }) => number),
    [3],
  )
})

test('a job may buy again and again, another request only once', (t) => {
  t.is(
    soldTwice(
      new Map([
        [jobRequest, 9],
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ]),
    ),
    2,
  )
})

test('only the job’s last body before a power cut may be missing', (t) => {
  const sales = [jobRequest, 'a', jobRequest, 'b', jobRequest].map((request, number) =>
    sale(request, number),
  )
  const numbers = (soldAtCuts: readonly number[]) =>
    unexcused(sales, judgeJob(sales, []).missing, soldAtCuts).map(({ number }) => number)
  t.deepEqual(numbers([]), [0, 2, 4])
  t.deepEqual(numbers([4]), [0, 4])
  t.deepEqual(numbers([1, 5]), [2])
})
