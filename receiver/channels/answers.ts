// Bound requests whose answers may be lost. The MAC names such a request (design/trust.md, "Its own
// idempotency key"): repeated identically it is run once more, when its first answer never left whole and
// its interval is still claimed by it.
//
// Those of the last 64 of a channel that are open are in its ledger, and so in the write that claims. What leaves
// whole is taken off in memory, and on disk with the channel's next write: a crash opens no more than what was on
// its way.
import type { Interval } from '../../protocol/index.ts'
import type { AnswerNumbers, AnswerRecord, ChannelName } from './records.ts'

/** How many of a channel are kept. */
export const ringSize = 64

/** How an answer ended: its last byte was handed to the system, or the connection closed before. */
export type AnswerEnd = 'whole' | 'broken'

/** Answers that this process is making. */
export interface Sending {
  /** Resolves when the answer is over, whole or not; undefined when it is. */
  readonly find: (channel: ChannelName, mac: string) => Promise<void> | undefined
  /** It has paid, and its answer is on its way. */
  readonly begin: (channel: ChannelName, mac: string) => void
  /** Whoever waits for it goes on. */
  readonly end: (channel: ChannelName, mac: string) => void
}

interface OnItsWay {
  readonly over: Promise<void>
  readonly done: () => void
}

export function createSending(): Sending {
  const open = new Map<string, OnItsWay>()
  const nameOf = (channel: ChannelName, mac: string) => `${channel}/${mac}`
  return {
    find: (channel, mac) => open.get(nameOf(channel, mac))?.over,
    begin: (channel, mac) => {
      let done: () => void = () => undefined
      const over = new Promise<void>((resolve) => (done = resolve))
      open.set(nameOf(channel, mac), { over, done })
    },
    end: (channel, mac) => {
      const name = nameOf(channel, mac)
      open.get(name)?.done()
      open.delete(name)
    },
  }
}

/** The one with this MAC, if it is open. */
export function openAnswer(
  numbers: AnswerNumbers | undefined,
  mac: string,
): AnswerRecord | undefined {
  return numbers?.open.find((each) => each.mac === mac)
}

/** With one more, which is open. */
export function nextAnswer(
  { last: before, open }: AnswerNumbers = { last: 0, open: [] },
  { mac, paid }: Pick<AnswerRecord, 'mac' | 'paid'>,
): AnswerNumbers {
  const last = before + 1
  const young = open.filter((each) => each.number > last - ringSize)
  return { last, open: [...young, { number: last, mac, paid }] }
}

/** Without one that is open no more. */
export function withoutNumber({ last, open }: AnswerNumbers, number: number): AnswerNumbers {
  return { last, open: open.filter((each) => each.number !== number) }
}

/** Some of what one had paid was given back; or all, so that its request may pay once more. */
export function withPaid(answers: AnswerNumbers, number: number, paid: Interval): AnswerNumbers {
  if (paid.from === paid.to) return withoutNumber(answers, number)
  const { last, open } = answers
  return { last, open: open.map((each) => (each.number === number ? { ...each, paid } : each)) }
}
