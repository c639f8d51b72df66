// The ledgers of receivers that share a PostgreSQL: the row of a channel decides, whatever is known here. What is
// known only saves asking for what would be refused anyway; what it refuses is asked for first.
import { setTimeout } from 'node:timers/promises'
import {
  type ContractBlock,
  fromHex,
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
import { type Channel, type ChannelName, channelName, isTicked } from '../channels/records.ts'
import type { Fence } from '../channels/store.ts'
import type { Database } from '../postgres/connection.ts'
import { decideApart } from './claim-apart.ts'
import type { ClaimQueue, Seat } from './claim-queue.ts'
import { type Known, proofColumns, readChannels } from './ledger-row.ts'
import { findRequest } from './shared-requests.ts'

export interface SharedLedgersOptions {
  readonly database: Database
  readonly queue: ClaimQueue
  readonly seat: () => Seat
  /** See `LoadedState`. */
  readonly fence?: () => Fence | undefined
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
  readonly lookups: Map<ChannelName, Promise<Known | undefined>>
  /** Whose commitment takes no more ticks here: one that was wrong costs a signature. */
  readonly forgotten: Map<ChannelName, number>
}

const noFence = () => undefined

export function sharedLedgers(options: SharedLedgersOptions): Ledgers {
  const state: SharedState = {
    ...{ fence: noFence, longestWait: 30_000, interval: 50, ...options },
    ...{ sending: createSending(), known: new Map(), lookups: new Map(), forgotten: new Map() },
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
    agree: (wanted) => agree(state, wanted),
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

/** Who asks in the same turn, or while nobody has been sent to ask, shares a round trip. */
function fresh(state: SharedState, name: ChannelName): Promise<Known | undefined> {
  const asked = state.lookups.get(name)
  if (asked !== undefined) return asked
  if (state.lookups.size === 0) queueMicrotask(() => askAll(state))
  let settle: (found: Promise<Known | undefined>) => void = () => undefined
  const found = new Promise<Known | undefined>((resolve) => (settle = resolve))
  state.lookups.set(name, found)
  asking.set(found, settle)
  return found
}

const asking = new WeakMap<
  Promise<Known | undefined>,
  (found: Promise<Known | undefined>) => void
>()

function askAll(state: SharedState): void {
  const asked = [...state.lookups]
  state.lookups.clear()
  const reading = readChannels(
    state.database,
    asked.map(([name]) => name),
  )
  for (const [name, promise] of asked) {
    const found = reading.then((all) => {
      const known = all.get(name)
      if (known) note(state, name, known)
      else state.known.delete(name)
      return known
    })
    asking.get(promise)?.(found)
  }
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
  const { sender, openBlock, balance, price, request, mac, proof } = payment
  const paid = { from: balance - price, to: balance }
  const known = state.known.get(name) ?? (await fresh(state, name))
  const { channel } = known?.standing ?? nothing
  if (known === undefined || channel === undefined)
    return refused(state, name, 'nonexisting_channel')
  const claimed: ClaimedInterval = { sender, openBlock, paid, request, mac, number: undefined }
  if (mac !== undefined) state.sending.begin(name, mac)
  const free = () => mac !== undefined && state.sending.end(name, mac)
  try {
    const isNewCommitment =
      proof && isTicked(proof) && proof.commitment !== channel.ticks?.commitment
    const asked = {
      ...{ channel: known.id, paid, request, mac, bound: payment.bound },
      mayLeaveGap: payment.mayLeaveGap,
      proof: proof && proofColumns(proof, known.commitment),
    }
    const code = isNewCommitment ? 'apart' : await state.queue.claim(asked)
    const outcome =
      code === 'apart' || code === 'stale' ? await apart(state, known.id, payment) : { code }
    if (outcome.code === undefined) {
      return { kind: 'claimed', channel: noteClaimed(state, name, payment), claimed }
    }
    free()
    if (outcome.code === 'known' && request) {
      const before = await paidElsewhere(state, payment, request)
      // What it had paid was given back meanwhile.
      if (before === 'given back') return claimIn(state, payment)
      return before ?? refused(state, name, 'balance_spent')
    }
    return refused(state, name, outcome.code as RefusalCode)
  } catch (error) {
    free()
    throw error
  }
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
function noteClaimed(state: SharedState, name: ChannelName, payment: ProvenPayment): Channel {
  const known = state.known.get(name)
  const before = known?.standing.channel
  if (known === undefined || before === undefined) throw new Error('a claim on an unknown channel')
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
): Promise<{ readonly code: string | undefined }> {
  const code = await state.queue.alone((sql, batch) =>
    decideApart(sql, { id, payment, batch, seat: state.seat(), decide: decideClaim }),
  )
  // Its commitment may be another now, with a number that is not known here.
  if (code === undefined) await fresh(state, nameOf(payment))
  return { code }
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
  const known = state.known.get(name) ?? (await fresh(state, name))
  if (known === undefined) return
  await state.queue.giveBack({ channel: known.id, kept: kept.to, to: paid.to, request, mac })
  // Others may have used it by now.
  state.known.delete(name)
}

async function again(state: SharedState, named: NamedRequest): Promise<PaidBefore | undefined> {
  const { mac, request } = named
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
      return { kind: 'claimed', channel, claimed: { sender, openBlock, paid: found, ...named } }
    }
    await Promise.race([sending.find(name, mac) ?? setTimeout(interval), setTimeout(interval)])
  }
  return undefined
}

/** Milliseconds of silence after which a process counts as dead. */
const longestSilence = 3000

/** Ends what may be run once more, for whoever runs it; `sending` while another process answers it. */
async function takeUse(
  { query }: Database,
  { id, mac, own }: { readonly id: bigint; readonly mac: string; readonly own: bigint },
): Promise<ClaimedInterval['paid'] | 'sending' | undefined> {
  const values = [id, Buffer.from(mac, 'hex'), own, longestSilence]
  const alive = `EXISTS (SELECT FROM process p WHERE p.id = b.owner AND p.id <> $3 AND p.left_at IS NULL
    AND p.seen_at > clock_timestamp() - $4::int * interval '1 ms')`
  const [taken] = await query<{ from_: bigint; to_: bigint }>(
    `DELETE FROM bound_use b USING ledger l
     WHERE l.id = b.channel AND b.channel = $1 AND b.mac = $2 AND b.from_ < b.to_
       AND b.to_ <= l.highest AND NOT l.gaps && numrange(b.from_, b.to_) AND NOT ${alive}
     RETURNING b.from_, b.to_`,
    values,
  )
  if (taken) return { from: taken.from_, to: taken.to_ }
  const [left] = await query(
    `SELECT 1 FROM bound_use b WHERE b.channel = $1 AND b.mac = $2 AND ${alive}`,
    values,
  )
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
  await state.database.transaction(async ({ query }) => {
    await query('UPDATE ledger SET bound = true WHERE id = $1', [known.id])
    await query(
      `UPDATE channel SET request_key = $2, request_key_number = $3
       WHERE id = $1 AND (request_key_number IS NULL OR request_key_number < $3)`,
      [known.id, Buffer.from(fromHex(key)), `${number}`],
    )
  }, durable)
  await fresh(state, nameOf(channel))
}

const durable = 'SET LOCAL synchronous_commit = on'

async function agree(
  state: SharedState,
  { sender, openBlock, balance }: WantedClose,
): Promise<Channel> {
  const name = channelName(sender, openBlock)
  for (;;) {
    const known = await fresh(state, name)
    const channel = closeable(known?.standing.channel, balance)
    if (known === undefined) throw new Error(refusal('nonexisting_channel').title)
    const agreed = await state.database.transaction(async ({ query }) => {
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
    }, durable)
    // A payment may have come just before.
    if (agreed) {
      const now = await fresh(state, name)
      return now?.standing.channel ?? channel
    }
  }
}
