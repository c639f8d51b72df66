import test from 'ava'
import {
  type Candidate,
  chooseDeposit,
  type DepositBounds,
  type DepositChoice,
  defaultDeposits,
} from '../../../agent/channels/choose.ts'
import { channelName } from '../../../agent/channels/records.ts'
import { receiver } from '../../support/ledger.ts'

const named = (openBlock: number, rest: bigint): Candidate => ({
  name: channelName(receiver, openBlock),
  deposit: 100n,
  balance: 100n - rest,
})

interface Case {
  readonly when: string
  readonly candidates?: readonly Candidate[]
  readonly most?: bigint
  readonly room?: bigint
  readonly lastPrice?: bigint
  readonly perDay?: bigint
  /** Of an opening; a top-up is worth its fee from two less on. */
  readonly worth?: bigint
  readonly choice: DepositChoice | undefined
}

const opened = (deposit: bigint): DepositChoice => ({ kind: 'open', deposit })
const toppedUp = (openBlock: number, added: bigint): DepositChoice => ({
  kind: 'topUp',
  channel: channelName(receiver, openBlock),
  added,
})

// For a price of 5.
const cases: readonly Case[] = [
  { when: 'there is no channel', choice: opened(50n) },
  { when: 'a channel is short', candidates: [named(1, 3n)], choice: toppedUp(1, 22n) },
  {
    when: 'several are short, the fullest',
    candidates: [named(1, 2n), named(2, 4n), named(3, 0n)],
    choice: toppedUp(2, 21n),
  },
  {
    when: 'a channel may hold little more',
    candidates: [named(1, 3n)],
    most: 103n,
    choice: toppedUp(1, 3n),
  },
  {
    when: 'a channel may hold no more, and a new one is needed',
    candidates: [named(1, 3n)],
    most: 100n,
    choice: opened(50n),
  },
  { when: 'a new channel may hold little', most: 7n, choice: opened(7n) },
  { when: 'all channels together may hold little more', room: 6n, choice: opened(6n) },
  { when: 'a channel may not hold the price', most: 4n, choice: undefined },
  { when: 'all channels together may not hold the price more', room: 4n, choice: undefined },
  {
    when: 'what is left and the room make up the price',
    candidates: [named(1, 3n)],
    room: 2n,
    choice: toppedUp(1, 2n),
  },
  { when: 'the price is what it was', lastPrice: 5n, choice: opened(50n) },
  { when: 'the price was higher', lastPrice: 500n, choice: opened(50n) },
  { when: 'the price has risen a little', lastPrice: 4n, choice: opened(40n) },
  {
    when: 'the price has risen tenfold and more: the price alone',
    lastPrice: 0n,
    choice: opened(5n),
  },
  {
    when: 'the price has risen: a top-up for the last one',
    candidates: [named(1, 3n)],
    lastPrice: 2n,
    choice: toppedUp(1, 7n),
  },
  {
    when: 'the price has risen fivefold: a top-up for one payment',
    candidates: [named(1, 3n)],
    lastPrice: 1n,
    choice: toppedUp(1, 2n),
  },
  { when: 'little is used: ten payments', perDay: 7n, choice: opened(50n) },
  { when: 'much is used: a week', perDay: 8n, choice: opened(56n) },
  { when: 'much is used and a channel may hold less', perDay: 8n, most: 55n, choice: opened(55n) },
  {
    when: 'a channel is short and much is used: a week is left then',
    candidates: [named(1, 3n)],
    perDay: 8n,
    choice: toppedUp(1, 53n),
  },
  { when: 'ten payments are just worth the fee', worth: 50n, choice: opened(50n) },
  { when: 'ten payments are not worth the fee', worth: 51n, choice: opened(51n) },
  { when: 'a week is worth more than the fee', perDay: 8n, worth: 55n, choice: opened(56n) },
  { when: 'a channel may hold less than is worth it', most: 52n, worth: 53n, choice: opened(52n) },
  { when: 'the room is less than is worth it', room: 52n, worth: 53n, choice: opened(52n) },
  {
    when: 'five payments are just worth the fee of a top-up',
    candidates: [named(1, 3n)],
    worth: 24n,
    choice: toppedUp(1, 22n),
  },
  {
    when: 'five payments are not worth the fee of a top-up: what is added counts, not what is left',
    candidates: [named(1, 3n)],
    worth: 25n,
    choice: toppedUp(1, 23n),
  },
  {
    when: 'a channel may hold no top-up that is worth it',
    candidates: [named(1, 3n)],
    most: 130n,
    worth: 33n,
    choice: toppedUp(1, 30n),
  },
]

for (const given of cases) {
  const { when, candidates = [], most, room, lastPrice, perDay = 0n, worth, choice } = given
  test(`${when}: ${choice?.kind ?? 'nothing'}`, (t) => {
    const deposits = { ...defaultDeposits, ...(most !== undefined && { most }) }
    const bounds: DepositBounds = {
      deposits,
      room,
      worth: worth === undefined ? undefined : { open: worth, topUp: worth - 2n },
    }
    t.deepEqual(chooseDeposit(candidates, { price: 5n, lastPrice, perDay }, bounds), choice)
  })
}
