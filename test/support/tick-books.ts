// A receiver's books without chain and network: events by hand, signatures and ticks checked as they are in earnest.
import type { ExecutionContext } from 'ava'
import type { ChannelEvent } from '../../platform/chain/index.ts'
import { addressOfKey, fromHex } from '../../protocol/index.ts'
import { openBook } from '../../receiver/channels/book.ts'
import { bookLedgers } from '../../receiver/channels/book-ledgers.ts'
import type { DepositLimits } from '../../receiver/channels/ceiling.ts'
import { createChannelManager, type OfferedPayment } from '../../receiver/channels/manager.ts'
import { openStore } from '../../receiver/channels/store.ts'
import { createProofChecker } from '../../receiver/signatures/checker.ts'
import { createCommitmentCheck } from '../../receiver/signatures/commitments.ts'
import { chooseRecovery } from '../../receiver/signatures/recovery.ts'
import { balanceProof } from '../../scripts/lib/sign.ts'
import { temporaryFolder } from './folder.ts'
import { commitTicks } from './ticks.ts'

export const senderKey = `0x${'11'.repeat(32)}`
const receiverKey = `0x${'22'.repeat(32)}`
export const sender = addressOfKey(fromHex(senderKey))
export const receiver = addressOfKey(fromHex(receiverKey))
export const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
export const domain = { contract, chainId: 31337n }
export const owner = { ...domain, account: receiver }
export const openBlock = 7
export const channel = { sender, receiver, openBlock }
export const step = 5n

const eventFacts = (block: number) => ({
  ...{ block, contractBlock: block, logIndex: 0 },
  ...{ blockHash: hashOf(block), transaction: '0x00' as const },
})

export function hashOf(block: number): `0x${string}` {
  return `0x${block.toString(16).padStart(2, '0')}`
}

export const created = (deposit: bigint, block = openBlock): ChannelEvent => ({
  ...{ kind: 'created', deposit, ...eventFacts(block) },
  channel: { ...channel, openBlock: block },
})

export const toppedUp = (added: bigint, block: number): ChannelEvent => ({
  ...{ kind: 'toppedUp', added, ...eventFacts(block) },
  channel,
})

/** The sender's signature under a balance. */
export const signed = (balance: bigint) =>
  balanceProof({ domain, receiver, openBlock, balance, key: senderKey, form: 'eip712' })

export const commit = (options?: Parameters<typeof commitTicks>[2]) =>
  commitTicks(channel, { domain, key: senderKey }, options)

export interface GivenBooks {
  readonly folder?: string
  readonly deposit?: bigint
  readonly limits?: DepositLimits
}

/** What came before is in the folder; without one the channel is opened. */
export async function givenBooks(t: ExecutionContext, given: GivenBooks = {}) {
  const { deposit = 10_000n, limits } = given
  const folder = given.folder ?? (await temporaryFolder(t))
  const store = await openStore(folder, owner)
  t.teardown(store.close)
  const book = await openBook(store, { limits })
  if (given.folder === undefined) {
    await book.confirm([created(deposit)], { block: openBlock, hash: hashOf(openBlock) })
  }
  const { recovery } = await chooseRecovery()
  const checks = { recoveries: 0, hashes: 0 }
  const real = createCommitmentCheck({ domain, receiver }, recovery)
  const manager = createChannelManager({
    ...{ ledgers: bookLedgers(book), domain },
    checker: createProofChecker({ domain, receiver, forms: ['eip712'] }, recovery),
    commitments: {
      isSigned: (...asked) => {
        checks.recoveries++
        return real.isSigned(...asked)
      },
      keccak: (bytes) => {
        checks.hashes++
        return real.keccak(bytes)
      },
    },
    signer: { address: receiver, sign: async () => signed(0n) },
  })
  /** A bound request for `amount`; resolves with `paid`, or the code of the refusal. */
  const pay = async (
    balance: bigint,
    proof: Pick<OfferedPayment, 'signature' | 'tick' | 'commitment'> = {},
    amount = step,
  ): Promise<string> => {
    const payment = { sender, openBlock, balance, amount, bound: true as const, ...proof }
    const outcome = await manager.registerPayment(payment, amount)
    return outcome.kind === 'refused' ? outcome.code : outcome.kind
  }
  const ledger = () => book.ledger(sender, openBlock)
  return { folder, store, book, manager, checks, pay, ledger }
}
