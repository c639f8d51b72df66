// Reads all three sides after a run, without the programs, and checks what was promised.
import { readFile } from 'node:fs/promises'
import { openStorage } from '../../../agent/channels/ledger-storage.ts'
import type { ChannelEntry } from '../../../agent/channels/records.ts'
import {
  type ChainClient,
  type ChannelEvent,
  connectChain,
  createTransactionSender,
} from '../../../platform/chain/index.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import type { StateOwner } from '../../../platform/state/state.ts'
import { fromHex } from '../../../protocol/index.ts'
import { claimedSum } from '../../../receiver/channels/claims.ts'
import { shownProof } from '../../../receiver/channels/proofs.ts'
import { channelName, emptyLedger, type PaymentLedger } from '../../../receiver/channels/records.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { isProofOf } from '../../support/best-proof.ts'
import { countProofs, type PaidBy, type ProofCounts } from '../torture/paid-by.ts'
import type { LabChain } from './lab-chain.ts'
import type { Plan } from './schedule.ts'
import { price, type Stage, senderTokens } from './stage.ts'

export interface Audit extends ProofCounts {
  /** What was handed over, at its price. */
  readonly served: string
  /** What has paid, on the receiver's disk. */
  readonly claimed: string
  /** Highest balances that the receiver can prove. */
  readonly proven: string
  /** All that the agent may have signed, on its disk. */
  readonly bound: string
  /** In all channels, on the chain. */
  readonly deposit: string
  readonly channels: number
  /** Broken promises. */
  readonly troubles: readonly string[]
}

/** A channel as the chain, the agent's disk and the receiver's disk know it. */
interface Books {
  readonly openBlock: number
  readonly deposit: bigint
  /** Paid out already. */
  readonly settledAt: bigint | undefined
  readonly bound: bigint
  readonly ledger: PaymentLedger
}

/** `unserved`: how much may have been claimed without having been served. */
export async function audit(
  chain: LabChain,
  stage: Stage,
  plan: Plan,
  unserved: bigint,
): Promise<Audit> {
  const { contract } = stage
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract, timeout: 30_000 })
  try {
    const { books, deposits } = await readBooks(chain, stage, client)
    const served = await readNotes(stage)
    const sum = (of: (each: Books) => bigint) => books.reduce((all, each) => all + of(each), 0n)
    const claimed = sum(({ ledger }) => claimedSum(ledger.claims))
    const bound = sum((each) => each.bound)
    const paidFor = BigInt(served.sold.length) * price
    const troubles = [
      ...served.troubles,
      ...(paidFor <= claimed ? [] : [`${paidFor} served, but only ${claimed} claimed`]),
      ...(claimed - paidFor <= unserved ? [] : [`${claimed} claimed, but only ${paidFor} served`]),
      ...(bound <= BigInt(plan.total) ? [] : [`${bound} signed, over the budget of ${plan.total}`]),
      ...books.flatMap((each) => checkChannel(chain, stage, each)),
      ...checkDeposits(plan, deposits),
      ...(await cashIn(chain, stage, client, books)),
    ]
    return {
      served: `${paidFor}`,
      claimed: `${claimed}`,
      proven: `${sum(({ ledger }) => ledger.claims.highest)}`,
      bound: `${bound}`,
      deposit: `${sum(({ deposit }) => deposit)}`,
      channels: books.length,
      ...countProofs(served.ways),
      troubles,
    }
  } finally {
    client.close()
  }
}

async function readBooks(
  chain: LabChain,
  { contract, disks, database }: Stage,
  client: ChainClient,
): Promise<{ readonly books: readonly Books[]; readonly deposits: DepositBooks }> {
  const [receiver, sender] = [chain.account(1).address, chain.account(2).address]
  const place = { chainId: chain.chainId, contract }
  const owner = { ...place, account: sender }
  const storage = await openStorage({ folder: disks.agent.folder, owner })
  const { channels: entries, notes } = await storage.load()
  await storage.close()
  const ledgers = await (database?.ledgers() ??
    ledgersOf(disks.receiver.folder, { ...place, account: receiver }))
  const { number: to } = await client.head()
  const events = await client.events({ from: 0, to, sender })
  const books = events
    .filter(({ kind }) => kind === 'created')
    .map(({ channel: { openBlock } }) => {
      const own = events.filter(({ channel }) => channel.openBlock === openBlock)
      const end = own.find(({ kind }) => kind === 'settled')
      return {
        openBlock,
        deposit: own.reduce(
          (all, event) =>
            all +
            (event.kind === 'created' ? event.deposit : 0n) +
            (event.kind === 'toppedUp' ? event.added : 0n),
          0n,
        ),
        settledAt: end?.kind === 'settled' ? end.balance : undefined,
        bound: entries.get(`${receiver}/${openBlock}`)?.bound ?? 0n,
        ledger: ledgers.get(channelName(sender, openBlock)) ?? emptyLedger,
      }
    })
  const unbooked = [...notes.keys()].filter((key) => /^(transaction|relayed)\//.test(key))
  return { books, deposits: { events, entries: [...entries.values()], unbooked } }
}

async function ledgersOf(
  folder: string,
  owner: StateOwner,
): Promise<ReadonlyMap<string, PaymentLedger>> {
  const store = await openStore(folder, owner)
  const { ledgers } = await store.load()
  await store.close()
  return ledgers
}

/** What receiver and agent wrote down while they ran. */
async function readNotes({ servedFile, answersFile }: Stage) {
  const notes = lines(await readFile(servedFile, 'utf8')).map((line) => line.split(' '))
  const sold = notes.map(([name = '']) => name)
  const got = lines(await readFile(answersFile, 'utf8'))
    .filter((line) => /^\S+ 200$/.test(line))
    .map((line) => line.split(' ')[0] ?? '')
  const known = new Set(sold)
  const invented = got.filter((name) => !known.has(name))
  const unexpected = lines(await readFile(answersFile, 'utf8')).filter((line) =>
    /^\S+ unexpected /.test(line),
  )
  return {
    sold,
    ways: notes.map(([, way]) => way as PaidBy),
    troubles: [
      ...(known.size === sold.length ? [] : [`${sold.length - known.size} requests served twice`]),
      ...(invented.length === 0 ? [] : [`${invented.length} answers that nobody gave`]),
      ...unexpected,
    ],
  }
}

function checkChannel(chain: LabChain, { contract }: Stage, books: Books): readonly string[] {
  const { openBlock, deposit, settledAt, bound, ledger } = books
  const { claims, proof } = ledger
  const [receiver, sender] = [chain.account(1).address, chain.account(2).address]
  const name = `channel ${openBlock}:`
  const domain = { contract, chainId: chain.chainId }
  const isProven =
    proof && isProofOf(claims.highest, proof, { domain, channel: { sender, receiver, openBlock } })
  return [
    ...(claimedSum(claims) <= claims.highest ? [] : [`${name} more claimed than proven`]),
    ...(claims.highest === 0n || isProven ? [] : [`${name} the proof is not the sender’s`]),
    ...(claims.highest <= bound ? [] : [`${name} ${claims.highest} proven, but ${bound} on disk`]),
    ...(bound <= deposit ? [] : [`${name} ${bound} signed, over the deposit of ${deposit}`]),
    ...(settledAt === undefined || settledAt === claims.highest
      ? []
      : [`${name} paid out at ${settledAt}, but ${claims.highest} proven`]),
  ]
}

/** The receiver takes what it can prove; then every token must be where it belongs. */
async function cashIn(
  chain: LabChain,
  { contract, token }: Stage,
  client: ChainClient,
  books: readonly Books[],
): Promise<readonly string[]> {
  const [receiver, sender] = [chain.account(1), chain.account(2)]
  const signer = createKeySigner(fromHex(receiver.privateKey))
  const transactions = createTransactionSender({ chain: client, signer, pollInterval: 20 })
  for (const { settledAt, openBlock, ledger } of books) {
    const { claims, proof } = ledger
    if (settledAt !== undefined || proof === undefined) continue
    const id = { sender: sender.address, receiver: receiver.address, openBlock }
    await transactions.send(
      client.calls.cooperativeCloseBatch([
        { openBlock: id.openBlock, balance: claims.highest, signature: shownProof(proof) },
      ]),
    )
  }
  const tokensOf = async (address: string): Promise<bigint> =>
    token.getFunction('balanceOf')(address)
  const sum = (of: (each: Books) => bigint) => books.reduce((all, each) => all + of(each), 0n)
  const earned = sum(({ ledger }) => ledger.claims.highest)
  const locked = sum(({ deposit, settledAt, ledger }) =>
    settledAt === undefined && ledger.proof === undefined ? deposit : 0n,
  )
  const wrong = async (who: string, address: string, expected: bigint) => {
    const found = await tokensOf(address)
    return found === expected ? [] : [`${who} has ${found} tokens, not ${expected}`]
  }
  return [
    ...(await wrong('the receiver', receiver.address, earned)),
    ...(await wrong('the contract', contract, locked)),
    ...(await wrong('the sender', sender.address, senderTokens - earned - locked)),
  ]
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '')
}

interface DepositBooks {
  /** Of the one sender and the one receiver, in the order of the chain. */
  readonly events: readonly ChannelEvent[]
  /** On the agent's disk. */
  readonly entries: readonly Pick<ChannelEntry, 'openBlock' | 'deposit'>[]
  /** Transactions that the agent's disk knows to be on their way, or that were. */
  readonly unbooked: readonly string[]
}

type Caps = Pick<Plan, 'mostDeposit' | 'mostDeposits'>

/** What the chain says of deposits, against the caps and against the agent's own view. */
function checkDeposits(plan: Caps, books: DepositBooks): readonly string[] {
  return [...checkCaps(plan, books), ...checkView(books)]
}

function checkCaps({ mostDeposit, mostDeposits }: Caps, { events }: DepositBooks) {
  const locked = new Map<number, bigint>()
  const troubles: string[] = []
  for (const event of events) {
    const { openBlock } = event.channel
    if (event.kind === 'settled') locked.delete(openBlock)
    const added =
      event.kind === 'created' ? event.deposit : event.kind === 'toppedUp' ? event.added : 0n
    if (added === 0n) continue
    const one = (locked.get(openBlock) ?? 0n) + added
    locked.set(openBlock, one)
    const all = [...locked.values()].reduce((sum, each) => sum + each, 0n)
    if (one > BigInt(mostDeposit)) {
      troubles.push(`channel ${openBlock}: ${one} deposited, over the cap of ${mostDeposit}`)
    }
    if (all > BigInt(mostDeposits)) {
      troubles.push(`${all} deposited in all, over the cap of ${mostDeposits}`)
    }
  }
  return troubles
}

/** Every deposit is in the agent's books, or noted before it was sent. */
function checkView({ events, entries, unbooked }: DepositBooks): readonly string[] {
  const deposits = new Map<number, bigint>()
  for (const event of events) {
    const { openBlock } = event.channel
    const before = deposits.get(openBlock) ?? 0n
    if (event.kind === 'created') deposits.set(openBlock, event.deposit)
    if (event.kind === 'toppedUp') deposits.set(openBlock, before + event.added)
  }
  const known = new Map(entries.map(({ openBlock, deposit }) => [openBlock, deposit]))
  return [...new Set([...deposits.keys(), ...known.keys()])].flatMap((openBlock) => {
    const [there, here] = [deposits.get(openBlock) ?? 0n, known.get(openBlock) ?? 0n]
    if (here === there || (here < there && unbooked.length > 0)) return []
    return [`channel ${openBlock}: the agent knows of a deposit of ${here}, the chain of ${there}`]
  })
}
