// Which of those that announce a name is the right one: the configured receiver, or the one that was found
// under this name first.

import type { Milliseconds } from '../../platform/time/clock.ts'
import type { Address, UraidenError } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import type { Browse, FoundReceiver } from './browse.ts'
import { type Pin, type Pins, pinOf } from './pins.ts'

export interface Wanted {
  /** As announced. */
  readonly name: string
  /** As configured; without one the first that is found is believed, and remembered. */
  readonly address: Address | undefined
  /** Any of these. */
  readonly contracts: readonly Address[]
}

export interface SearchParts {
  readonly browse: Browse
  readonly pins: Pins
  /** Unix time in milliseconds. */
  readonly now?: () => number
}

/** For an answer from the network. */
const patience: Milliseconds = 5000

/**
 * @throws UraidenError `receiver_not_found`, `receiver_changed`, `receiver_ambiguous`,
 * `state_unreadable`, `state_unwritable`
 */
export async function search(wanted: Wanted, parts: SearchParts): Promise<FoundReceiver> {
  const { name, address } = wanted
  if (address !== undefined) return findRight({ ...wanted, receiver: address }, parts)
  const pin = pinOf(parts.pins, name)
  if (pin === undefined) return accept(wanted, parts)
  const found = await findRight({ ...wanted, receiver: pin.receiver }, parts, pin)
  const { origin } = found.url
  if (origin !== pin.origin) await parts.pins.put(name, { ...pin, origin })
  return found
}

/**
 * Believes the only one that announces this name, and remembers it.
 * @throws UraidenError as `search`
 */
export async function accept(
  wanted: Wanted,
  { browse, pins, now = Date.now }: SearchParts,
): Promise<FoundReceiver> {
  const { name, contracts } = wanted
  // The whole time: the first to answer is not the only one.
  const named = (await browse(patience)).filter(bears(name))
  const fitting = named.filter(({ announcement }) => contracts.includes(announcement.contract))
  const [found] = fitting
  if (found === undefined) throw notFound(name, named)
  const { receiver } = found.announcement
  if (fitting.some(({ announcement }) => announcement.receiver !== receiver)) {
    throw ambiguous(name, fitting)
  }
  const since = new Date(now()).toISOString()
  await pins.put(name, { receiver, origin: found.url.origin, since })
  return found
}

/** Only what claims to be the receiver on the contract: it has to prove it when it is paid. */
async function findRight(
  { name, contracts, receiver }: Wanted & { readonly receiver: Address },
  { browse }: SearchParts,
  pin?: Pin,
): Promise<FoundReceiver> {
  const isRight = (each: FoundReceiver): boolean =>
    bears(name)(each) &&
    each.announcement.receiver === receiver &&
    contracts.includes(each.announcement.contract)
  const named = (await browse(patience, isRight)).filter(bears(name))
  const found = named.find(isRight)
  if (found !== undefined) return found
  const [other] = named
  if (pin !== undefined && other !== undefined && other.announcement.receiver !== receiver) {
    throw changed(name, pin, other)
  }
  throw notFound(name, named)
}

function bears(name: string): (found: FoundReceiver) => boolean {
  return (found) => found.name.toLowerCase() === name.toLowerCase()
}

function notFound(name: string, [other]: readonly FoundReceiver[]): UraidenError {
  return agentError({
    code: 'receiver_not_found',
    message:
      other === undefined
        ? `No receiver announces itself as ${name} in the local network.`
        : `What announces itself as ${name} is ${other.announcement.receiver} with the contract ${other.announcement.contract}: not the receiver of the configuration.`,
  })
}

function changed(name: string, { receiver, since }: Pin, other: FoundReceiver): UraidenError {
  return agentError({
    code: 'receiver_changed',
    message: `What announces itself as ${name} is ${other.announcement.receiver} now; since ${since.slice(0, 10)} it was ${receiver}.`,
    hint: `Nothing was paid. If you have exchanged the receiver: uraiden-agent accept ${JSON.stringify(name)}`,
  })
}

function ambiguous(name: string, found: readonly FoundReceiver[]): UraidenError {
  const addresses = [...new Set(found.map(({ announcement }) => announcement.receiver))]
  return agentError({
    code: 'receiver_ambiguous',
    message: `Several receivers announce themselves as ${name}: ${addresses.join(', ')}.`,
  })
}
