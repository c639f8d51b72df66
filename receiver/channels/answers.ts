// Bound requests whose answers may be lost. The MAC names such a request (design/trust.md, "Its own
// idempotency key"): repeated identically it is run once more, when its first answer never left whole and
// its interval is still claimed by it.
//
// The last 64 of a channel are kept, each in a small record of its own (slot = number mod 64); which of them
// are open is in the channel's ledger, and both are written in the batch that claims. What leaves whole is
// taken off the list in memory, and on disk with the channel's next write: a crash opens no more than what
// was on its way.
import type { AnswerNumbers, AnswerRecord, ChannelName } from './records.ts'

/** How many of a channel are kept. */
export const ringSize = 64

export interface OpenAnswer extends AnswerRecord {
  /** Resolves when its answer is over, whole or not; undefined when it is. */
  readonly sending: Promise<void> | undefined
}

/** How an answer ended: its last byte was handed to the system, or the connection closed before. */
export type AnswerEnd = 'whole' | 'broken'

/** Of all channels, those that are open; in memory. */
export interface OpenAnswers {
  readonly find: (channel: ChannelName, mac: string) => OpenAnswer | undefined
  /** It has paid, and its answer is on its way. */
  readonly begin: (channel: ChannelName, record: AnswerRecord) => void
  /** Some or all of what it had paid was given back. */
  readonly change: (channel: ChannelName, record: AnswerRecord) => void
  /** Whoever waits for it goes on. */
  readonly end: (channel: ChannelName, mac: string) => void
  /** It can be run no more. */
  readonly remove: (channel: ChannelName, mac: string) => void
  /** The channel is over. */
  readonly forget: (channel: ChannelName) => void
}

type Sending = OpenAnswer & { readonly done: () => void }

/** `left` are those of processes before this one. */
export function createOpenAnswers(
  left: Iterable<readonly [ChannelName, readonly AnswerRecord[]]>,
): OpenAnswers {
  const over = { sending: undefined, done: () => undefined }
  const open = new Map<ChannelName, Map<string, Sending>>()
  const put = (channel: ChannelName, answer: Sending) => {
    const own = open.get(channel) ?? new Map<string, Sending>()
    open.set(channel, own)
    own.set(answer.mac, answer)
    for (const [mac, { number }] of own) if (number <= answer.number - ringSize) own.delete(mac)
  }
  for (const [channel, records] of left) {
    for (const record of records) put(channel, { ...record, ...over })
  }
  const end = (channel: ChannelName, mac: string) => {
    const answer = open.get(channel)?.get(mac)
    if (answer === undefined) return
    open.get(channel)?.set(mac, { ...answer, ...over })
    answer.done()
  }
  return {
    find: (channel, mac) => open.get(channel)?.get(mac),
    begin: (channel, record) => {
      let done: () => void = () => undefined
      const sending = new Promise<void>((resolve) => (done = resolve))
      put(channel, { ...record, sending, done })
    },
    change: (channel, { mac, paid }) => {
      const answer = open.get(channel)?.get(mac)
      if (answer !== undefined) open.get(channel)?.set(mac, { ...answer, paid })
    },
    end,
    remove: (channel, mac) => {
      end(channel, mac)
      const own = open.get(channel)
      own?.delete(mac)
      if (own?.size === 0) open.delete(channel)
    },
    forget: (channel) => {
      for (const mac of open.get(channel)?.keys() ?? []) end(channel, mac)
      open.delete(channel)
    },
  }
}

/** The numbers with one more, which is open. */
export function nextNumber(numbers: AnswerNumbers = { last: 0, open: [] }): AnswerNumbers {
  const last = numbers.last + 1
  return { last, open: [...numbers.open.filter((each) => each > last - ringSize), last] }
}

/** The numbers without one that is open no more. */
export function withoutNumber({ last, open }: AnswerNumbers, number: number): AnswerNumbers {
  return { last, open: open.filter((each) => each !== number) }
}
