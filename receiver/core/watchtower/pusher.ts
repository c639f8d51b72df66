// Sends copies of the best balance proofs to a watchtower as they come: coalesced by channel, sent again
// until the watchtower has them, and always able to say how far it is behind.

import { Agent, request } from 'undici'
import type { Address, ContractBlock, UraidenError } from '../../../protocol/index.ts'
import type { ChannelBook } from '../../channels/book.ts'
import { proofsOf as provenIn } from '../../channels/proofs.ts'
import { type ChannelName, channelName } from '../../channels/records.ts'
import { receiverError } from '../../errors/index.ts'
import type { SettlementLog } from '../../settlement/answers.ts'
import {
  formatPush,
  formatRecords,
  mostProofs,
  type ProofOwner,
  type PushedProof,
  type PushedRecord,
  type Verdict,
  verdictsSchema,
} from './messages.ts'

export interface WatchtowerAddress {
  /** Of the watchtower's server, such as https://tower.example:5001. */
  readonly url: string
  readonly token: string
  /** PEM of the authority to trust, in place of the usual ones. */
  readonly ca?: string | undefined
  /** Between two messages, in milliseconds: so long is a copy behind when all is well. Default 1000. */
  readonly interval?: number
}

export interface PusherOptions extends WatchtowerAddress {
  readonly book: Pick<ChannelBook, 'all' | 'ledger' | 'listen'>
  readonly owner: ProofOwner
  /** Longest pause after failures, in milliseconds. Default 30 000. */
  readonly longestPause?: number
  /** For one answer, in milliseconds. Default 10 000. */
  readonly timeout?: number
  readonly log?: SettlementLog | undefined
  /** Milliseconds that only grow. */
  readonly now?: () => number
}

export interface PusherStatus {
  /** Without user and path. */
  readonly watchtower: string
  /** Channels whose best proof the watchtower has not confirmed. */
  readonly behind: number
  /** For how long the oldest of them waits, in milliseconds; 0 when none does. */
  readonly behindFor: number
  /** Why the last message failed; undefined when it did not. */
  readonly trouble: string | undefined
}

/** Told of new proofs by the book. */
export interface Pusher {
  readonly status: () => PusherStatus
  readonly stop: () => Promise<void>
}

interface Waiting {
  readonly sender: Address
  readonly openBlock: ContractBlock
  /** Since when its newest proof waits. */
  readonly since: number
}

interface Pushing extends PusherOptions {
  readonly interval: number
  readonly longestPause: number
  readonly now: () => number
  readonly watchtower: string
  readonly dispatcher: Agent
  readonly stopping: AbortController
  /** The oldest first. */
  readonly waiting: Map<ChannelName, Waiting>
  /** Keys and agreements that the watchtower has, as they were sent. */
  readonly recorded: Map<ChannelName, string>
  /** False once it is one of before that takes proofs only. */
  takesRecords: boolean
  trouble: string | undefined
  pause: number
  timer: NodeJS.Timeout | undefined
  running: Promise<void> | undefined
}

export function startPusher(options: PusherOptions): Pusher {
  const { book, url, ca, interval = 1000, longestPause = 30_000, timeout = 10_000 } = options
  const { now = () => performance.now() } = options
  const connect = { ca, timeout }
  const pushing: Pushing = {
    ...{ ...options, interval, longestPause, now },
    watchtower: origin(url),
    dispatcher: new Agent({ connect, headersTimeout: timeout, bodyTimeout: timeout }),
    stopping: new AbortController(),
    waiting: new Map(),
    recorded: new Map(),
    takesRecords: true,
    trouble: undefined,
    pause: interval,
    timer: undefined,
    running: undefined,
  }
  book.listen((sender, openBlock) => changed(pushing, sender, openBlock))
  for (const { sender, openBlock, proof, requestKey, state } of book.all()) {
    const isKept = proof !== undefined || requestKey !== undefined
    if (isKept && state !== 'settled') changed(pushing, sender, openBlock)
  }
  return {
    status: () => statusOf(pushing),
    stop: () => stop(pushing, Math.min(timeout, 2000)),
  }
}

function changed(pushing: Pushing, sender: Address, openBlock: ContractBlock): void {
  const { waiting, now, running } = pushing
  const name = channelName(sender, openBlock)
  // The oldest proof that is not confirmed decides how far it is behind.
  if (!waiting.has(name)) waiting.set(name, { sender, openBlock, since: now() })
  if (running === undefined) schedule(pushing)
}

function schedule(pushing: Pushing): void {
  const { stopping, waiting, trouble, pause } = pushing
  if (stopping.signal.aborted || waiting.size === 0) return
  const more = trouble === undefined && waiting.size >= mostProofs
  pushing.timer ??= setTimeout(() => round(pushing), more ? 0 : pause)
}

function round(pushing: Pushing): void {
  pushing.timer = undefined
  pushing.running = push(pushing).finally(() => {
    pushing.running = undefined
    schedule(pushing)
  })
}

async function push(pushing: Pushing): Promise<void> {
  const { waiting, watchtower, url, log, stopping } = pushing
  const batch = [...waiting].slice(0, mostProofs)
  try {
    const channels = asManyAsFit(batch.map(([, each]) => proofsOf(pushing, each)))
    const best = new Set(channels.map((proofs) => proofs.at(-1)))
    const proofs = channels.flat()
    const verdicts = await send(pushing, proofs)
    await pushRecords(pushing, batch)
    for (const [index, proof] of proofs.entries()) {
      if (best.has(proof)) settle(pushing, proof, verdicts[index])
    }
    if (verdicts.includes('full')) throw full(url)
    if (pushing.trouble !== undefined) {
      log?.info({ watchtower }, 'the watchtower takes proofs again')
    }
    pushing.trouble = undefined
    pushing.pause = pushing.interval
  } catch (error) {
    if (stopping.signal.aborted) return
    const why = error instanceof Error ? error.message : String(error)
    const behind = waiting.size
    if (pushing.trouble !== why) log?.warn({ why, behind }, 'the watchtower takes no proofs')
    pushing.trouble = why
    pushing.pause = Math.min(pushing.pause * 2, pushing.longestPause)
  }
}

/** Those of one channel stay together. */
function asManyAsFit(
  channels: readonly (readonly PushedProof[])[],
): readonly (readonly PushedProof[])[] {
  let count = 0
  const firstOver = channels.findIndex(({ length }) => {
    count += length
    return count > mostProofs
  })
  return firstOver < 0 ? channels : channels.slice(0, firstOver)
}

function proofsOf({ book }: Pushing, { sender, openBlock }: Waiting): readonly PushedProof[] {
  const ledger = book.ledger(sender, openBlock)
  if (ledger.proof === undefined) return []
  // Those that an earlier deposit would bring back come first: none is kept below a better one.
  return provenIn(ledger).map(({ balance, signature }) => ({
    ...{ sender, openBlock, balance, signature },
  }))
}

/** Keys and agreements of these channels, where the watchtower does not have them. */
async function pushRecords(
  pushing: Pushing,
  batch: readonly (readonly [ChannelName, Waiting])[],
): Promise<void> {
  const { recorded, waiting, book } = pushing
  const fresh = batch.flatMap(([name, each]) => {
    const record = recordOf(pushing, each)
    const text = record && formatRecords(pushing.owner, [record])
    return text === undefined || recorded.get(name) === text ? [] : [{ name, record, text }]
  })
  if (fresh.length > 0 && pushing.takesRecords) {
    await sendRecords(
      pushing,
      fresh.flatMap(({ record }) => record ?? []),
    )
    for (const { name, text } of fresh) recorded.set(name, text)
  }
  // Of the others a proof was sent, whose verdict says what becomes of them.
  for (const [name, { sender, openBlock }] of batch) {
    if (book.ledger(sender, openBlock).proof === undefined) waiting.delete(name)
  }
}

function recordOf(
  { book }: Pushing,
  { sender, openBlock }: Pick<Waiting, 'sender' | 'openBlock'>,
): PushedRecord | undefined {
  const { requestKey, agreedBalance } = book.ledger(sender, openBlock)
  if (requestKey === undefined && agreedBalance === undefined) return undefined
  return { sender, openBlock, requestKey, agreedBalance }
}

function settle(
  pushing: Pushing,
  { sender, openBlock, balance }: PushedProof,
  verdict: Verdict | undefined,
): void {
  const { waiting, book, log } = pushing
  const name = channelName(sender, openBlock)
  const each = waiting.get(name)
  waiting.delete(name)
  // To the end, so that it keeps nobody else waiting.
  if (verdict === 'full' && each !== undefined) waiting.set(name, each)
  if (verdict === 'invalid') log?.warn({ name }, 'the watchtower does not take this proof')
  // A payment or an agreement may have come while it was on its way.
  const isNewer = book.ledger(sender, openBlock).claims.highest > balance
  if (isNewer || isUnrecorded(pushing, name, { sender, openBlock }))
    changed(pushing, sender, openBlock)
}

function isUnrecorded(
  pushing: Pushing,
  name: ChannelName,
  channel: Pick<Waiting, 'sender' | 'openBlock'>,
): boolean {
  const record = recordOf(pushing, channel)
  if (record === undefined || !pushing.takesRecords) return false
  return pushing.recorded.get(name) !== formatRecords(pushing.owner, [record])
}

function statusOf({ waiting, watchtower, trouble, now }: Pushing): PusherStatus {
  const oldest = Math.min(...[...waiting.values()].map(({ since }) => since))
  const behind = waiting.size
  return { watchtower, behind, behindFor: behind === 0 ? 0 : now() - oldest, trouble }
}

async function stop(pushing: Pushing, within: number): Promise<void> {
  clearTimeout(pushing.timer)
  const { waiting, trouble, stopping, dispatcher } = pushing
  // What is waiting is sent once more if that is quick: a stopped receiver is when it counts.
  if (pushing.running === undefined && waiting.size > 0 && trouble === undefined) round(pushing)
  const deadline = setTimeout(() => stopping.abort(), within)
  await pushing.running
  clearTimeout(deadline)
  stopping.abort()
  clearTimeout(pushing.timer)
  await dispatcher.destroy()
}

/**
 * Resolves with what the watchtower did with each proof.
 * @throws UraidenError `watchtower_refused`, `watchtower_unreachable`
 */
async function send(pushing: Pushing, proofs: readonly PushedProof[]): Promise<readonly Verdict[]> {
  if (proofs.length === 0) return []
  const { url, owner } = pushing
  const { status, text } = await post(pushing, '/api/1/proofs', formatPush(owner, proofs))
  if (status !== 200) throw refused(url, status, text)
  const { verdicts } = read(text, url)
  if (verdicts.length !== proofs.length) throw refused(url, status, text)
  return verdicts
}

function read(text: string, url: string) {
  try {
    return verdictsSchema.parse(JSON.parse(text))
  } catch (error) {
    throw unreachable(url, error)
  }
}

/** @throws UraidenError `watchtower_refused`, `watchtower_unreachable` */
async function sendRecords(pushing: Pushing, records: readonly PushedRecord[]): Promise<void> {
  const { url, owner, watchtower, log } = pushing
  const { status, text } = await post(pushing, '/api/1/records', formatRecords(owner, records))
  if (status === 404) {
    pushing.takesRecords = false
    log?.warn(
      { watchtower },
      'the watchtower keeps no keys and agreements: it is of an older version',
    )
  } else if (status !== 200) throw refused(url, status, text)
}

async function post(
  { url, token, dispatcher, stopping }: Pushing,
  path: string,
  body: string,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const answer = await request(new URL(path, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body,
      dispatcher,
      signal: stopping.signal,
    })
    return { status: answer.statusCode, text: await answer.body.text() }
  } catch (error) {
    throw unreachable(url, error)
  }
}

function unreachable(url: string, cause: unknown): UraidenError {
  return receiverError({
    code: 'watchtower_unreachable',
    message: `The watchtower ${origin(url)} cannot be reached: ${cause instanceof Error ? cause.message : cause}.`,
    cause,
  })
}

function full(url: string): UraidenError {
  return receiverError({
    code: 'watchtower_refused',
    message: `The watchtower ${origin(url)} has no room for more channels.`,
    hint: 'Raise its mostChannels.',
  })
}

function refused(url: string, status: number, text: string): UraidenError {
  return receiverError({
    code: 'watchtower_refused',
    message: `The watchtower ${origin(url)} answered ${status}: ${text.slice(0, 200)}`,
    hint: status === 401 ? 'Give both sides the same token.' : 'Its log says more.',
  })
}

function origin(url: string): string {
  return new URL(url).origin
}
