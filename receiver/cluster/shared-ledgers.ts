// The ledgers of receivers that share a PostgreSQL: the row of a channel decides, whatever is known here. What is
// known only saves asking for what would be refused anyway; what it refuses is asked for first.
import { setTimeout } from 'node:timers/promises'
import type { NumberedKey } from '../../protocol/bound/index.ts'
import {
  type ContractBlock,
  fromHex,
  isUraidenError,
  type RefusalCode,
  refusal,
  type SignatureForm,
} from '../../protocol/index.ts'
import { createSending } from '../channels/answers.ts'
import type { ChannelId } from '../channels/book.ts'
import { decideClaim } from '../channels/book-ledgers.ts'
import { claim } from '../channels/claims.ts'
import { closeable } from '../channels/closing.ts'
import type {
  ClaimedInterval,
  ClaimOutcome,
  Ledgers,
  NamedRequest,
  PaidBefore,
  ProvenPayment,
  Standing,
  WantedClose,
} from '../channels/ledgers.ts'
import {
  type Channel,
  type ChannelName,
  channelName,
  isTicked,
  type TickedProof,
} from '../channels/records.ts'
import type { Fence } from '../channels/store.ts'
import { isSameCommitment } from '../channels/ticks.ts'
import { receiverError } from '../errors/index.ts'
import type { Database, Sql } from '../postgres/connection.ts'
import type { Acknowledged } from './acknowledged.ts'
import { decideApart } from './claim-apart.ts'
import type { ClaimQueue } from './claim-queue.ts'
import { type Known, proofColumns, readChannels } from './ledger-row.ts'
import { createLookups, type Lookups } from './lookups.ts'
import { bury, longestSilence, type Seat } from './membership.ts'
import type { OutageShare } from './outage-share.ts'
import { restoring, whileServing } from './promotion.ts'
import { createRelease, findRequest } from './shared-requests.ts'

export interface SharedLedgersOptions {
  readonly database: Database
  readonly queue: ClaimQueue
  readonly seat: () => Seat
  /** Is told what this process promises. */
  readonly acknowledged: Acknowledged
  /** See `LoadedState`. */
  readonly fence?: () => Fence | undefined
  readonly share?: Pick<OutageShare, 'take'>
  /** How long a repetition waits for an answer that is on its way, in milliseconds. Default 30 000. */
  readonly longestWait?: number
  /** Milliseconds between two looks at what another process is doing. Default 50. */
  readonly interval?: number
}

interface SharedState extends Required<Omit<SharedLedgersOptions, 'fence'>> {
  readonly fence: () => Fence | undefined
  readonly sending: ReturnType<typeof createSending>
  /** As channels stood when they were seen last, the one that was looked at longest ago first. */
  readonly known: Map<ChannelName, Known>
  readonly lookups: Lookups<ChannelName, Known>
  /** Whose commitment takes no more ticks here: one that was wrong costs a signature. */
  readonly forgotten: Map<ChannelName, number>
  readonly release: ReturnType<typeof createRelease>
  /** That were asked until now, one after the other. */
  servers: number
}

const noFence = () => undefined
const noShare: Pick<OutageShare, 'take'> = { take: () => () => undefined }

export interface SharedLedgers extends Ledgers {
  /** Of a channel, as it was looked at last. */
  readonly seenKey: (channel: ChannelId) => NumberedKey | undefined
  /** What is known here was read from a server that is not the one any more: numbers may be of other channels now. */
  readonly startOver: () => void
}

export function sharedLedgers(options: SharedLedgersOptions): SharedLedgers {
  const state: SharedState = {
    ...{ fence: noFence, share: noShare, longestWait: 30_000, interval: 50, ...options },
    ...{ sending: createSending(), known: new Map(), forgotten: new Map() },
    release: createRelease(options.database, options.seat),
    lookups: createLookups((names) => readChannels(options.database, names)),
    servers: 0,
  }
  return {
    look: (channel, good) => look(state, nameOf(channel), good),
    claim: (payment) => claimIn(state, payment),
    giveBack: (claimed, kept) => giveBack(state, claimed, kept),
    again: (named) => again(state, named),
    answerEnded: (channel, mac, end) => {
      const name = nameOf(channel)
      state.sending.end(name, mac)
      const known = state.known.get(name)
      if (known) state.queue.ended({ channel: known.id, mac, isWhole: end === 'whole' })
    },
    // Whoever asks for it again takes it over with its claim.
    resume: () => undefined,
    forgetTicks: (channel) => {
      const known = state.known.get(nameOf(channel))
      if (known) state.forgotten.set(nameOf(channel), known.commitment)
    },
    isBoundOnly: (channel, form) => isBoundOnly(state, channel, form),
    bind: (channel, key) => bind(state, channel, key),
    seenKey: (channel) => state.known.get(nameOf(channel))?.standing.channel?.requestKey,
    agree: (wanted) => agree(state, wanted),
    startOver: () => {
      state.servers++
      state.known.clear()
      state.forgotten.clear()
    },
  }
}

function nameOf({ sender, openBlock }: ChannelId): ChannelName {
  return channelName(sender, openBlock)
}

const nothing: Standing = {
  channel: undefined,
  seenUnconfirmed: false,
  mostBalance: 0n,
  earlierDeposits: [],
}

async function look(
  state: SharedState,
  name: ChannelName,
  good: (standing: Standing) => boolean,
): Promise<Standing> {
  const before = state.known.get(name)
  if (before && good(shown(state, name, before))) return shown(state, name, before)
  const found = await fresh(state, name)
  return found ? shown(state, name, found) : nothing
}

/** Without ticks of a commitment that was forgotten here. */
function shown({ forgotten }: SharedState, name: ChannelName, known: Known): Standing {
  const { standing, commitment } = known
  if (standing.channel === undefined || forgotten.get(name) !== commitment) return standing
  return { ...standing, channel: { ...standing.channel, ticks: undefined } }
}

async function fresh(state: SharedState, name: ChannelName): Promise<Known | undefined> {
  const { servers } = state
  const found = await state.lookups.ask(name)
  if (state.servers !== servers) throw restoring()
  if (found) note(state, name, found)
  else state.known.delete(name)
  return found
}

/** Channels of which something is known here; of a larger number those that pay are looked up now and then. */
const mostKnown = 100_000

function note({ known }: SharedState, name: ChannelName, found: Known): void {
  known.delete(name)
  known.set(name, found)
  if (known.size <= mostKnown) return
  const [oldest] = known.keys()
  if (oldest !== undefined) known.delete(oldest)
}

async function claimIn(state: SharedState, payment: ProvenPayment): Promise<ClaimOutcome> {
  const name = nameOf(payment)
  const { sender, openBlock, balance, price, request, mac } = payment
  const paid = { from: balance - price, to: balance }
  const known = state.known.get(name) ?? (await fresh(state, name))
  const { channel } = known?.standing ?? nothing
  if (known === undefined || channel === undefined)
    return refused(state, name, 'nonexisting_channel')
  const claimed: ClaimedInterval = { sender, openBlock, paid, request, mac, number: undefined }
  const settle = state.share.take({ name, balance, highest: channel.claims.highest })
  if (settle === undefined) return refused(state, name, 'chain_unavailable')
  if (mac !== undefined) state.sending.begin(name, mac)
  const free = () => {
    settle(false)
    if (mac !== undefined) state.sending.end(name, mac)
  }
  const code = await asked(state, known, payment).catch((error: unknown) => {
    free()
    throw error
  })
  if (code === undefined) {
    settle(true)
    return taken(state, { known, payment, claimed })
  }
  free()
  if (code === 'key_changed') {
    // Its door lets nobody else in by the key of before.
    await fresh(state, name)
    throw keyChanged()
  }
  if (code === 'known' && request) {
    const before = await paidElsewhere(state, payment, request)
    // What it had paid was given back meanwhile.
    if (before === 'given back') return claimIn(state, payment)
    return before ?? refused(state, name, 'balance_spent')
  }
  return refused(state, name, code as RefusalCode)
}

/** Undefined when it is claimed, or why it is not. */
async function asked(
  state: SharedState,
  known: Known,
  payment: ProvenPayment,
): Promise<string | undefined> {
  const { balance, price, request, mac, proof, keyNumber, mayLeaveGap } = payment
  const { ticks } = known.standing.channel ?? {}
  if (proof && isTicked(proof) && !isOf(ticks, proof)) return apart(state, known.id, payment)
  const code = await state.queue.claim({
    ...{ channel: known.id, paid: { from: balance - price, to: balance }, request, mac },
    ...{ keyNumber, mayLeaveGap },
    proof: proof && proofColumns(proof, known.commitment),
  })
  return code === 'apart' || code === 'stale' ? apart(state, known.id, payment) : code
}

/** Whoever cannot be told is answered when he asks again. */
async function taken(
  state: SharedState,
  {
    known,
    payment,
    claimed,
  }: { readonly known: Known; readonly payment: ProvenPayment; readonly claimed: ClaimedInterval },
): Promise<ClaimOutcome> {
  const name = nameOf(payment)
  try {
    const channel = await noteClaimed(state, name, payment)
    state.acknowledged.paid(name, claimed.paid, channel)
    return { kind: 'claimed', channel, claimed }
  } catch (error) {
    const { mac, request } = payment
    if (mac !== undefined) {
      state.sending.end(name, mac)
      state.queue.ended({ channel: known.id, mac, isWhole: false })
    }
    if (request !== undefined) state.release([request.id])
    throw error
  }
}

function keyChanged() {
  return receiverError({
    code: 'request_key_changed',
    message: 'The channel has a newer request key than the one that this request is signed with.',
  })
}

function isOf(known: TickedProof | undefined, { commitment }: TickedProof): boolean {
  return known !== undefined && isSameCommitment(known.commitment, commitment)
}

/** As it stands now. */
async function refused(
  state: SharedState,
  name: ChannelName,
  code: RefusalCode,
): Promise<ClaimOutcome> {
  const found = await fresh(state, name)
  return { kind: 'refused', code, channel: found?.standing.channel }
}

/** What is known of the channel with a payment that was taken: others may have paid meanwhile, so it is a guess. */
async function noteClaimed(
  state: SharedState,
  name: ChannelName,
  payment: ProvenPayment,
): Promise<Channel> {
  const known = state.known.get(name)
  const before = known?.standing.channel
  if (known === undefined || before === undefined) {
    // Forgotten: something else was given back meanwhile, or it has brought another commitment.
    const channel = (await fresh(state, name))?.standing.channel
    if (channel === undefined) throw new Error('a claim on an unknown channel')
    return channel
  }
  const { balance, proof } = payment
  const decision = claim(before.claims, payment)
  const highest = before.claims.highest > balance ? before.claims.highest : balance
  const claims =
    decision.kind === 'claimed' ? decision.claims : { highest, unclaimed: before.claims.unclaimed }
  const isBest = proof !== undefined && balance === highest
  const channel: Channel = {
    ...{ ...before, claims },
    ...(isBest && { proof, ...(isTicked(proof) && { ticks: proof }) }),
  }
  const standing = { ...known.standing, channel }
  note(state, name, { ...known, standing })
  return channel
}

/** What neither the row alone decides nor a statement: fallbacks, another commitment. With the row locked. */
async function apart(
  state: SharedState,
  id: bigint,
  payment: ProvenPayment,
): Promise<string | undefined> {
  const code = await state.queue.alone((sql, batch) =>
    decideApart(sql, { id, payment, batch, seat: state.seat(), decide: decideClaim }),
  )
  // Its commitment may be another now, with a number that is not known here.
  if (code === undefined) state.known.delete(nameOf(payment))
  return code
}

/** What a request under this key has paid: with its answer, or to be answered when nobody does any more. */
async function paidElsewhere(
  state: SharedState,
  { sender, openBlock }: ChannelId,
  request: NonNullable<ProvenPayment['request']>,
): Promise<PaidBefore | 'given back' | undefined> {
  const { database, seat, interval, longestWait } = state
  for (let left = longestWait; left > 0; left -= interval) {
    const found = await findRequest(database, { request, seat: seat() })
    if (found.kind === 'gone') return 'given back'
    if (found.kind === 'answered') return found
    if (found.kind === 'lost') return undefined
    if (found.kind === 'taken') {
      const known = await fresh(state, channelName(sender, openBlock))
      const channel = known?.standing.channel
      const named = { request, mac: undefined, number: undefined }
      const claimed = { sender, openBlock, paid: found.paid, ...named }
      if (channel) state.acknowledged.paid(channelName(sender, openBlock), found.paid, channel)
      return channel && { kind: 'claimed', channel, claimed }
    }
    await setTimeout(interval)
  }
  return undefined
}

async function giveBack(
  state: SharedState,
  { sender, openBlock, paid, request, mac }: ClaimedInterval,
  kept: ClaimedInterval['paid'],
): Promise<void> {
  const name = channelName(sender, openBlock)
  for (;;) {
    try {
      const known = state.known.get(name) ?? (await fresh(state, name))
      if (known === undefined) return
      await state.queue.giveBack({ channel: known.id, kept: kept.to, to: paid.to, request, mac })
      break
    } catch (error) {
      if (!isUraidenError(error, 'state_restoring')) throw error
      await setTimeout(state.interval)
    }
  }
  state.acknowledged.givenBack(name, { from: kept.to, to: paid.to })
  // Others may have used it by now.
  state.known.delete(name)
}

async function again(state: SharedState, named: NamedRequest): Promise<PaidBefore | undefined> {
  const { mac, request, keyNumber } = named
  if (keyNumber !== undefined) {
    const known = await fresh(state, nameOf(named))
    const { number = keyNumber } = known?.standing.channel?.requestKey ?? {}
    if (number !== keyNumber) throw keyChanged()
  }
  if (request !== undefined) {
    const before = await paidElsewhere(state, named, request)
    if (before !== undefined && before !== 'given back') return before
  }
  return mac === undefined ? undefined : runAgain(state, named, mac)
}

async function runAgain(
  state: SharedState,
  { sender, openBlock }: ChannelId,
  mac: string,
): Promise<PaidBefore | undefined> {
  const { database, sending, seat, longestWait, interval } = state
  const name = channelName(sender, openBlock)
  for (let left = longestWait; left > 0; left -= interval) {
    const known = await fresh(state, name)
    const channel = known?.standing.channel
    if (known === undefined || channel === undefined) return undefined
    const isHere = sending.find(name, mac) !== undefined
    const found = isHere
      ? 'sending'
      : await takeUse(database, { id: known.id, mac, own: seat().id })
    if (found === undefined) return undefined
    if (found !== 'sending') {
      const named = { request: undefined, mac: undefined, number: undefined }
      state.acknowledged.paid(name, found, channel)
      return { kind: 'claimed', channel, claimed: { sender, openBlock, paid: found, ...named } }
    }
    await Promise.race([sending.find(name, mac) ?? setTimeout(interval), setTimeout(interval)])
  }
  return undefined
}

/** Ends what may be run once more, for whoever runs it; `sending` while another process answers it. */
async function takeUse(
  { query }: Database,
  { id, mac, own }: { readonly id: bigint; readonly mac: string; readonly own: bigint },
): Promise<ClaimedInterval['paid'] | 'sending' | undefined> {
  const use = [id, Buffer.from(mac, 'hex')]
  const open = `l.id = b.channel AND b.channel = $1 AND b.mac = $2 AND b.from_ < b.to_
       AND b.to_ <= l.highest AND NOT l.gaps && numrange(b.from_, b.to_)`
  const [taken] = await query<{ from_: bigint; to_: bigint }>(
    `DELETE FROM bound_use b USING ledger l WHERE ${open} AND NOT EXISTS (
       SELECT FROM process p WHERE p.id = b.owner AND p.id <> $3 AND p.left_at IS NULL)
     RETURNING b.from_, b.to_`,
    [...use, own],
  )
  if (taken) return { from: taken.from_, to: taken.to_ }
  const [left] = await query<{ owner: bigint | null; is_silent: boolean }>(
    `SELECT b.owner, p.seen_at <= clock_timestamp() - $3::int * interval '1 ms' AS is_silent
     FROM ledger l, bound_use b LEFT JOIN process p ON p.id = b.owner WHERE ${open}`,
    [...use, longestSilence],
  )
  // One that is only slow must not give back what has paid for the next answer, which is taken then.
  if (left?.is_silent && left.owner !== null) await bury({ query }, left.owner)
  return left && 'sending'
}

function isBoundOnly(
  state: SharedState,
  channel: ChannelId,
  form: SignatureForm | undefined,
): boolean {
  if (state.known.get(nameOf(channel))?.standing.channel?.requestKey !== undefined) return true
  const fence: ContractBlock | 'next' | undefined = state.fence()
  if (form !== 'eip712' || fence === undefined) return false
  return fence === 'next' || channel.openBlock <= fence
}

async function bind(
  state: SharedState,
  channel: ChannelId,
  { key, number }: Parameters<Ledgers['bind']>[1],
): Promise<void> {
  const known = await fresh(state, nameOf(channel))
  if (known === undefined) return
  await durably(state, async ({ query }) => {
    // From here on the row takes no other key.
    await query('UPDATE ledger SET key_no = greatest(key_no, $2) WHERE id = $1', [
      known.id,
      `${number}`,
    ])
    await query(
      `UPDATE channel SET request_key = $2, request_key_number = $3
       WHERE id = $1 AND (request_key_number IS NULL OR request_key_number < $3)`,
      [known.id, Buffer.from(fromHex(key)), `${number}`],
    )
  })
  state.acknowledged.bound(nameOf(channel), { key, number })
  await fresh(state, nameOf(channel))
}

/** `work` and what it promises are written down, on the server that this process serves on. */
async function durably<Value>(
  { database, seat }: SharedState,
  work: (sql: Sql) => Promise<Value>,
): Promise<Value> {
  const { timeline } = seat()
  const value = await whileServing(database, { timeline }, work)
  // The server that has said so is not the one any more: what it has written was not put back.
  if (seat().timeline !== timeline) throw restoring()
  return value
}

async function agree(
  state: SharedState,
  { sender, openBlock, balance }: WantedClose,
): Promise<Channel> {
  const name = channelName(sender, openBlock)
  for (;;) {
    const known = await fresh(state, name)
    const channel = closeable(known?.standing.channel, balance)
    if (known === undefined) throw new Error(refusal('nonexisting_channel').title)
    const agreed = await durably(state, async ({ query }) => {
      const marked = await query(
        `UPDATE ledger SET agreed = true
         WHERE id = $1 AND highest = $2 AND open AND form IS NOT NULL RETURNING id`,
        [known.id, `${balance}`],
      )
      // An agreement is for ever: another one at a higher balance would not take it back.
      if (marked.length > 0) {
        await query(
          'INSERT INTO agreement (channel, balance) VALUES ($1, $2) ON CONFLICT DO NOTHING',
          [known.id, `${balance}`],
        )
      }
      return marked.length > 0
    })
    if (agreed) state.acknowledged.agreed(name, balance)
    // A payment may have come just before.
    if (agreed) {
      const now = await fresh(state, name)
      return now?.standing.channel ?? channel
    }
  }
}
