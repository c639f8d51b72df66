// A part of the channels, for the public list and the administrator's table: chosen, sorted, and continued behind the last one that was
// shown, so that a payment meanwhile neither repeats nor skips a channel. Pure.

import { z } from 'zod'
import type { Address } from '../../../protocol/index.ts'
import { type Channel, channelStates, dueOf, stateOf } from '../../channels/records.ts'
import { receiverError } from '../../errors/index.ts'

const sortKeys = {
  sender: ({ sender }: Channel) => sender.toLowerCase(),
  block: ({ openBlock }: Channel) => BigInt(openBlock),
  state: (channel: Channel) => stateOf(channel),
  deposit: ({ deposit }: Channel) => deposit,
  balance: ({ claims }: Channel) => claims.highest,
  due: (channel: Channel) => dueOf(channel, channel.claims.highest),
} as const satisfies { readonly [name: string]: (channel: Channel) => string | bigint }

type SortName = keyof typeof sortKeys
export const sortNames = Object.keys(sortKeys) as [SortName, ...SortName[]]

/** Channels of one answer. */
export const mostListed = 1000

export interface Listing {
  readonly channels: readonly Channel[]
  /** How many there are, on this page and all others. */
  readonly total: number
  /** Where the next page begins; undefined on the last one. */
  readonly next: string | undefined
}

/** Where a channel stands in an order: by what it is sorted by, then by what makes it unique. */
type Place = readonly [key: string | bigint, openBlock: number, sender: string]

const query = z.strictObject({
  state: z.enum(channelStates).optional(),
  sender: z.string().max(64).default(''),
  sort: z.enum(sortNames).default('block'),
  order: z.enum(['asc', 'desc']).default('asc'),
  limit: z.coerce.number().int().min(1).max(mostListed).optional(),
  cursor: z.string().max(400).optional(),
})

/**
 * From the query of a request. Without a limit all are listed. `nameOf` is what the owner calls a sender.
 * @throws UraidenError `status_unknown`, `query_invalid`, `cursor_invalid`
 */
export function listChannels(
  all: Iterable<Channel>,
  given: unknown,
  nameOf: (sender: Address) => string | undefined = () => undefined,
): Listing {
  const { state, sender, sort, order, limit, cursor } = parseQuery(given)
  const text = sender.trim().toLowerCase()
  const placeOf = (channel: Channel): Place => [
    sortKeys[sort](channel),
    channel.openBlock,
    channel.sender.toLowerCase(),
  ]
  const direction = order === 'asc' ? 1 : -1
  const compare = (a: Placed, b: Placed) => direction * comparePlaces(a.place, b.place)
  const chosen = [...all]
    .filter((channel) => state === undefined || stateOf(channel) === state)
    .filter(
      ({ sender }) =>
        text === '' ||
        sender.toLowerCase().includes(text) ||
        nameOf(sender)?.toLowerCase().includes(text),
    )
    .map((channel) => ({ channel, place: placeOf(channel) }))
  const after = cursor === undefined ? undefined : readCursor(cursor, sort)
  const left =
    after === undefined
      ? chosen
      : chosen.filter(({ place }) => direction * comparePlaces(place, after) > 0)
  const page = limit === undefined ? left.sort(compare) : first(left, limit, compare)
  const last = page.at(-1)
  return {
    channels: page.map(({ channel }) => channel),
    total: chosen.length,
    next: page.length < left.length && last !== undefined ? writeCursor(last.place) : undefined,
  }
}

/** Of the answer that has not all of them (RFC 8288): where the next part is. */
export function nextLink(path: string, query: unknown, cursor: string): string {
  const params = new URLSearchParams({ ...(query as Record<string, string>), cursor })
  return `<${path}?${params}>; rel="next"`
}

interface Placed {
  readonly channel: Channel
  readonly place: Place
}

/** The first `count` in order; most of many items are compared once. */
function first<Item>(
  items: readonly Item[],
  count: number,
  compare: (a: Item, b: Item) => number,
): readonly Item[] {
  const found: Item[] = []
  for (const item of items) {
    const last = found.at(-1)
    if (found.length === count && last !== undefined && compare(item, last) >= 0) continue
    found.splice(placeFor(found, item, compare), 0, item)
    if (found.length > count) found.pop()
  }
  return found
}

function placeFor<Item>(
  sorted: readonly Item[],
  item: Item,
  compare: (a: Item, b: Item) => number,
): number {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    const there = sorted[middle]
    if (there !== undefined && compare(there, item) <= 0) from = middle + 1
    else to = middle
  }
  return from
}

function comparePlaces(a: Place, b: Place): number {
  for (const at of [0, 1, 2] as const) {
    if (a[at] < b[at]) return -1
    if (a[at] > b[at]) return 1
  }
  return 0
}

function writeCursor([key, openBlock, sender]: Place): string {
  return Buffer.from(JSON.stringify([`${key}`, openBlock, sender])).toString('base64url')
}

const cursorParts = z.tuple([z.string(), z.int().min(0), z.string()])

/** @throws UraidenError `cursor_invalid` */
function readCursor(text: string, sort: SortName): Place {
  try {
    const json: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    const [key, openBlock, sender] = cursorParts.parse(json)
    return [sort === 'sender' || sort === 'state' ? key : BigInt(key), openBlock, sender]
  } catch (cause) {
    throw receiverError({
      code: 'cursor_invalid',
      message: 'cursor: it is none of this listing.',
      cause,
    })
  }
}

/** @throws UraidenError `status_unknown`, `query_invalid` */
function parseQuery(given: unknown): z.output<typeof query> {
  const { success, data, error } = query.safeParse(given)
  if (success) return data
  const [issue] = error.issues
  const name = issue?.path[0] ?? (issue?.code === 'unrecognized_keys' ? issue.keys[0] : '')
  if (name === 'state') {
    throw receiverError({
      code: 'status_unknown',
      message: `"${(given as { readonly state?: string }).state}" is no state of a channel.`,
      hint: `Use one of ${channelStates.join(', ')}, or leave it out for all.`,
    })
  }
  throw receiverError({
    code: 'query_invalid',
    message: `${String(name)}: ${issue?.message ?? 'it is wrong'}.`,
    hint: `There are state, sender, sort (${sortNames.join(', ')}), order (asc, desc), limit (1 to ${mostListed}) and cursor.`,
  })
}
