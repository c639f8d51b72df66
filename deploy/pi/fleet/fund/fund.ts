// Tops up the accounts of a fleet: what an earlier run has begun first, then what is still missing.

import {
  type Call,
  type ChainClient,
  createTransactionSender,
  type TransactionSender,
} from '../../../../platform/chain/index.ts'
import {
  type Address,
  formatAmount,
  isUraidenError,
  largest,
  parseAmount,
  type Signer,
  type TokenUnit,
  type UraidenError,
} from '../../../../protocol/index.ts'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import type { Account } from '../hosts/accounts.ts'
import type { FundingSettings } from '../hosts/inventory.ts'
import { type Caps, type FundingPlan, planFunding, type Transfer } from './plan.ts'
import { type Kind, operationOf, type Sent, type TransferRecords } from './records.ts'

export const etherUnit: TokenUnit = { symbol: 'ETH', decimals: 18 }

export interface FundOptions {
  readonly chain: ChainClient
  readonly signer: Signer
  readonly records: TransferRecords
  readonly accounts: readonly (Account & Targets)[]
  readonly settings: Pick<FundingSettings, 'most' | 'confirmations'>
  /** In wei. */
  readonly mostFeePerGas: bigint | undefined
  readonly say: (line: string) => void
  /** Between two looks for a transaction, in milliseconds. */
  readonly pollInterval?: number
}

/** As a person writes them. */
export interface Targets {
  readonly tokens?: string | undefined
  readonly ether?: string | undefined
}

export interface FundingPlans {
  readonly tokens: FundingPlan
  readonly ether: FundingPlan
}

export interface Funded {
  readonly plans: FundingPlans
  /** What is on the chain now, what an earlier run had begun included. */
  readonly sent: readonly (Sent & { readonly kind: Kind })[]
  readonly failed: readonly { readonly host: string; readonly error: UraidenError }[]
}

/**
 * What is missing now, under the caps. Nothing is sent.
 * @throws UraidenError `funds_short`, and those of amounts and of the chain
 */
export async function planTransfers(options: FundOptions): Promise<FundingPlans> {
  const { chain, signer, settings } = options
  const token = await chain.tokenFacts()
  const { most } = settings
  const tokens = await planOf('tokens', options, {
    unit: token,
    caps: { each: parseAmount(most.each, token), all: parseAmount(most.all, token) },
    balance: chain.tokenBalance,
  })
  const ether = await planOf('ether', options, {
    unit: etherUnit,
    caps: {
      each: parseAmount(most.etherEach ?? '0', etherUnit),
      all: parseAmount(most.etherAll ?? '0', etherUnit),
    },
    balance: chain.etherBalance,
  })
  demand(tokens, token, await chain.tokenBalance(signer.address), signer.address)
  demand(ether, etherUnit, await chain.etherBalance(signer.address), signer.address)
  return { tokens, ether }
}

interface Money {
  readonly unit: TokenUnit
  readonly caps: Caps
  readonly balance: (account: Address) => Promise<bigint>
}

async function planOf(
  kind: Kind,
  { accounts, records }: FundOptions,
  { unit, caps, balance }: Money,
): Promise<FundingPlan> {
  const before = (await records.sent()).filter((each) => each.kind === kind)
  const sum = (sent: readonly Sent[]) => sent.reduce((all, { amount }) => all + amount, 0n)
  // Two hosts with one key have one account.
  const single = accounts.filter(
    ({ address }, index) => accounts.findIndex((each) => each.address === address) === index,
  )
  const recipients = await Promise.all(
    single.flatMap((account) => {
      const { host, address, [kind]: target } = account
      if (target === undefined) return []
      // The account is what the host says it is: with a new one nothing begins anew.
      const sent = largest(
        sum(before.filter((each) => each.address === address)),
        sum(before.filter((each) => each.host === host)),
      )
      const wanted = parseAmount(target, unit)
      return balance(address).then((owned) => ({ host, address, owned, target: wanted, sent }))
    }),
  )
  return planFunding(recipients, caps, sum(before))
}

function demand({ transfers }: FundingPlan, unit: TokenUnit, owned: bigint, payer: Address): void {
  const needed = transfers.reduce((sum, { amount }) => sum + amount, 0n)
  if (needed <= owned) return
  throw toolError({
    code: 'funds_short',
    message: `The account ${payer} has ${formatAmount(owned, unit)}; ${formatAmount(needed, unit)} are to be sent.`,
  })
}

/**
 * Sends what `planTransfers` says, all at once, and waits until it is confirmed. What fails for one
 * account does not stop the others.
 * @throws UraidenError those of `planTransfers`; `transaction_unconfirmed` for what an earlier run sent
 */
export async function fundAccounts(options: FundOptions): Promise<Funded> {
  const { chain, signer, records, say, settings, mostFeePerGas, pollInterval } = options
  const sender = createTransactionSender({
    chain,
    signer,
    journal: records.journal,
    mostFeePerGas,
    pollInterval,
  })
  const resumed = await takeUp(sender, records, settings.confirmations, say)
  const plans = await planTransfers(options)
  const { address: token } = await chain.tokenFacts()
  const wanted: readonly (readonly [Kind, Transfer, Call])[] = [
    ...plans.tokens.transfers.map(
      (each) => ['tokens', each, chain.calls.transfer(token, each.address, each.amount)] as const,
    ),
    ...plans.ether.transfers.map(
      (each) =>
        [
          'ether',
          each,
          { purpose: 'send ether', to: each.address, data: '0x', value: each.amount } as const,
        ] as const,
    ),
  ]
  const failed: Funded['failed'][number][] = []
  const waiting: Promise<Sent | undefined>[] = []
  for (const [kind, transfer, call] of wanted) {
    const operation = operationOf(kind, transfer)
    const give = async (work: Promise<Sent>) =>
      work.catch((error): undefined => {
        if (!isUraidenError(error)) throw error
        failed.push({ host: transfer.host, error })
      })
    // One after the other until the node has it; then all wait for their blocks together.
    const started = await sender.start(call, operation).catch((error: unknown) => ({ error }))
    if ('error' in started) waiting.push(give(Promise.reject(started.error)))
    else {
      say(`${transfer.host}: sent, transaction ${started.transaction}`)
      const mined = started.mined(settings.confirmations)
      waiting.push(give(mined.then((receipt) => records.happened(operation, receipt))))
    }
  }
  const sent = (await Promise.all(waiting)).filter((each) => each !== undefined)
  return { plans, sent: [...resumed, ...sent], failed }
}

/** What a run that was killed has signed: it may be on the chain, or get there yet. */
async function takeUp(
  sender: TransactionSender,
  records: TransferRecords,
  confirmations: number,
  say: (line: string) => void,
): Promise<readonly Sent[]> {
  const done: Sent[] = []
  for (const operation of await records.pending()) {
    say(`an earlier run was interrupted: looking for ${operation}`)
    const receipt = await sender.resume(operation, confirmations)
    if (receipt !== undefined) done.push(await records.happened(operation, receipt))
  }
  return done
}
