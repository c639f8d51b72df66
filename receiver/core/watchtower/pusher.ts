// Sends copies of the best balance proofs to a watchtower as they come: coalesced by channel, sent again
// until the watchtower has them, and always able to say how far it is behind.
import { Agent, type Dispatcher, request } from 'undici'
import {
  type Address,
  type BlockNumber,
  isUraidenError,
  UraidenError,
} from '../../../protocol/index.ts'
import type { ChannelBook } from '../../channels/book.ts'
import { type ChannelName, channelName } from '../../channels/records.ts'
import type { SettlementLog } from '../../settlement/answers.ts'
import {
  formatPush,
  mostProofs,
  type ProofOwner,
  type PushedProof,
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
  readonly book: Pick<ChannelBook, 'all' | 'ledger'>
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

export interface Pusher {
  /** Must be called whenever a channel has a new proof. */
  readonly changed: (sender: Address, openBlock: BlockNumber) => void
  readonly status: () => PusherStatus
  readonly stop: () => Promise<void>
}

interface Waiting {
  readonly sender: Address
  readonly openBlock: BlockNumber
  /** Since when its newest proof waits. */
  readonly since: number
}

export function startPusher(options: PusherOptions): Pusher {
  const { book, url, ca, interval = 1000, longestPause = 30_000, timeout = 10_000, log } = options
  const { now = () => performance.now() } = options
  const waiting = new Map<ChannelName, Waiting>()
  const dispatcher = new Agent({
    connect: { ca, timeout },
    headersTimeout: timeout,
    bodyTimeout: timeout,
  })
  const stopping = new AbortController()
  const watchtower = origin(url)
  let trouble: string | undefined
  let pause = interval
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined

  function changed(sender: Address, openBlock: BlockNumber): void {
    const name = channelName(sender, openBlock)
    // The oldest proof that is not confirmed decides how far it is behind.
    if (!waiting.has(name)) waiting.set(name, { sender, openBlock, since: now() })
    if (running === undefined) schedule()
  }

  function schedule(): void {
    if (stopping.signal.aborted || waiting.size === 0) return
    const more = trouble === undefined && waiting.size >= mostProofs
    timer ??= setTimeout(round, more ? 0 : pause)
  }

  function round(): void {
    timer = undefined
    running = push().finally(() => {
      running = undefined
      schedule()
    })
  }

  async function push(): Promise<void> {
    const batch = [...waiting].slice(0, mostProofs)
    try {
      const proofs = batch.flatMap(([name, each]) => proofOf(name, each))
      const verdicts = await send(options, proofs, { dispatcher, signal: stopping.signal })
      for (const [index, proof] of proofs.entries()) settle(proof, verdicts[index])
      if (verdicts.includes('full')) throw full(url)
      if (trouble !== undefined) log?.info({ watchtower }, 'the watchtower takes proofs again')
      trouble = undefined
      pause = interval
    } catch (error) {
      if (stopping.signal.aborted) return
      const why = error instanceof Error ? error.message : String(error)
      const behind = waiting.size
      if (trouble !== why) log?.warn({ why, behind }, 'the watchtower takes no proofs')
      trouble = why
      pause = Math.min(pause * 2, longestPause)
    }
  }

  function proofOf(name: ChannelName, { sender, openBlock }: Waiting): readonly PushedProof[] {
    const { claims, proof } = book.ledger(sender, openBlock)
    if (proof !== undefined) {
      return [{ sender, openBlock, balance: claims.highest, signature: proof.signature }]
    }
    waiting.delete(name)
    return []
  }

  function settle({ sender, openBlock, balance }: PushedProof, verdict: Verdict | undefined): void {
    const name = channelName(sender, openBlock)
    const each = waiting.get(name)
    waiting.delete(name)
    // To the end, so that it keeps nobody else waiting.
    if (verdict === 'full' && each !== undefined) waiting.set(name, each)
    if (verdict === 'invalid') log?.warn({ name }, 'the watchtower does not take this proof')
    // A payment may have come while it was on its way.
    if (book.ledger(sender, openBlock).claims.highest > balance) changed(sender, openBlock)
  }

  for (const { sender, openBlock, proof, state } of book.all()) {
    if (proof !== undefined && state !== 'settled') changed(sender, openBlock)
  }
  return {
    changed,
    status: () => {
      const oldest = Math.min(...[...waiting.values()].map(({ since }) => since))
      return {
        watchtower,
        behind: waiting.size,
        behindFor: waiting.size === 0 ? 0 : now() - oldest,
        trouble,
      }
    },
    stop: async () => {
      clearTimeout(timer)
      // What is waiting is sent once more if that is quick: a stopped receiver is when it counts.
      if (running === undefined && waiting.size > 0 && trouble === undefined) round()
      const deadline = setTimeout(() => stopping.abort(), Math.min(timeout, 2000))
      await running
      clearTimeout(deadline)
      stopping.abort()
      clearTimeout(timer)
      await dispatcher.destroy()
    },
  }
}

/**
 * Resolves with what the watchtower did with each proof.
 * @throws UraidenError `watchtower_refused`, `watchtower_unreachable`
 */
async function send(
  { url, token, owner }: PusherOptions,
  proofs: readonly PushedProof[],
  { dispatcher, signal }: { readonly dispatcher: Dispatcher; readonly signal: AbortSignal },
): Promise<readonly Verdict[]> {
  if (proofs.length === 0) return []
  try {
    const { statusCode, body } = await request(new URL('/api/1/proofs', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: formatPush(owner, proofs),
      dispatcher,
      signal,
    })
    const text = await body.text()
    if (statusCode !== 200) throw refused(url, statusCode, text)
    const { verdicts } = verdictsSchema.parse(JSON.parse(text))
    if (verdicts.length !== proofs.length) throw refused(url, statusCode, text)
    return verdicts
  } catch (error) {
    if (isUraidenError(error)) throw error
    throw new UraidenError({
      code: 'watchtower_unreachable',
      message: `The watchtower ${origin(url)} cannot be reached: ${error instanceof Error ? error.message : error}.`,
      hint: 'Check that it runs, its address and its certificate.',
      cause: error,
    })
  }
}

function full(url: string): UraidenError {
  return new UraidenError({
    code: 'watchtower_refused',
    message: `The watchtower ${origin(url)} has no room for more channels.`,
    hint: 'Raise its mostChannels.',
  })
}

function refused(url: string, status: number, text: string): UraidenError {
  return new UraidenError({
    code: 'watchtower_refused',
    message: `The watchtower ${origin(url)} answered ${status}: ${text.slice(0, 200)}`,
    hint: status === 401 ? 'Give both sides the same token.' : 'Its log says more.',
  })
}

function origin(url: string): string {
  return new URL(url).origin
}
