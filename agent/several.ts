// The work on one contract or on several, as one: which of them a request is paid through, and whose a channel is.

import { createLocks } from '../platform/async/locks.ts'
import { createTransactionLane, type Receipt } from '../platform/chain/index.ts'
import { type Address, defined } from '../protocol/index.ts'
import { ledgerOn } from './channels/contract-ledger.ts'
import type { Ledger } from './channels/ledger-types.ts'
import type { ChannelManagement } from './channels/management.ts'
import { type ChannelName, channelName } from './channels/records.ts'
import { createTransactionBudget } from './channels/transaction-budget.ts'
import { noteTransaction } from './channels/transaction-history.ts'
import { agentError } from './errors/index.ts'
import { type Common, type OnContract, workOn } from './on-contract.ts'
import type { AgentOptions } from './options.ts'
import { createBehaviours } from './purchase/behaviour.ts'
import { chooseContract } from './purchase/contracts.ts'
import { createPurchaseHistory, mostRemembered } from './purchase/history.ts'
import type { PartsFor } from './purchase/states.ts'
import { createPrices, createSellers } from './purchase/terms.ts'
import type { PaidRequest } from './purchase/types.ts'
import { createTransport } from './transport/transport.ts'

/** What does not depend on the contract. */
type Shared = Omit<Common, 'elsewhere' | 'token'>

export interface Work {
  readonly newest: OnContract
  /** The newest first. */
  readonly all: readonly OnContract[]
  readonly common: Shared
  readonly partsFor: PartsFor
  readonly management: ChannelManagement
  readonly stop: () => Promise<void>
}

export function workOnAll(options: AgentOptions, ledger: Ledger): Work {
  const { mostFeePerGas, history = mostRemembered, formerContracts = [] } = options
  const transactions = createTransactionBudget({ ledger, mostFeePerGas })
  const common = {
    transactions,
    paid: (receipt: Receipt) => {
      transactions.paid(receipt)
      noteTransaction(ledger.notes, receipt)
    },
    behaviours: createBehaviours(ledger.notes),
    sellers: createSellers(ledger.notes),
    prices: createPrices(ledger.notes),
    history: createPurchaseHistory(ledger.notes, history, ledger.hours),
    locks: createLocks(),
    lane: createTransactionLane(),
    transport: createTransport(options),
  }
  const isAlone =
    formerContracts.length === 0 && options.contract === (ledger.contract ?? options.contract)
  if (isAlone) {
    const newest = workOn(options, ledger, common)
    const { parts, management, connection } = newest
    return { newest, all: [newest], common, partsFor: parts, management, stop: connection.stop }
  }
  return workOnSeveral(options, ledger, common)
}

function workOnSeveral(options: AgentOptions, ledger: Ledger, common: Shared): Work {
  const { contract, formerContracts = [], startBlock, ...rest } = options
  const all: OnContract[] = []
  /** Through which an origin was paid last. */
  const usual = new Map<string, OnContract>()
  const on = (each: Address, more: Pick<AgentOptions, 'startBlock'>, token?: Common['token']) => {
    const shared: Common = {
      ...{ ...common, ...defined({ token }) },
      elsewhere: ({ url }, terms) => {
        const { receiver, price } = terms
        const best = chooseContract(all, terms, {
          hasRoom: ({ ledger: own }) => own.withRoom(receiver, price) !== undefined,
          wasUsed: ({ ledger: own }) => own.channels(receiver).length > 0,
        })
        if (best === undefined) return undefined
        usual.set(url.origin, best)
        return best.contract === each ? undefined : best.parts()
      },
    }
    const work = workOn({ ...rest, ...more, contract: each }, ledgerOn(ledger, each), shared)
    all.push(work)
    return work
  }
  const newest = on(contract, defined({ startBlock }))
  const token = async () => (await newest.connection.facts()).token.address
  for (const each of formerContracts) on(each, {}, token)
  const ofChannel = (name: ChannelName) => onItsContract(all, ledger, name)
  return {
    ...{ newest, all, common },
    partsFor: (request, channel) => {
      if (channel !== undefined) return (ofChannel(channel) ?? newest).parts()
      const paid = all.find(({ lost }) => wasPaid(lost, request))
      return (paid ?? usual.get(request.url.origin) ?? newest).parts()
    },
    management: manageAll(newest, all, { ledger, ofChannel }),
    stop: async () => {
      for (const { connection } of all) await connection.stop()
    },
  }
}

/**
 * Undefined for a channel that is not in the ledger.
 * @throws UraidenError `contract_not_used`
 */
function onItsContract(
  all: readonly OnContract[],
  ledger: Ledger,
  name: ChannelName,
): OnContract | undefined {
  const found = ledger
    .channels()
    .find(({ receiver, openBlock }) => channelName(receiver, openBlock) === name)
  if (found === undefined) return undefined
  const { contract = ledger.contract } = found
  const work = all.find((each) => each.contract === contract)
  if (work !== undefined) return work
  throw agentError({
    code: 'contract_not_used',
    message: `The channel ${name} is on the contract ${contract}.`,
  })
}

/** Its answer was lost: it is asked for where it was paid. */
function wasPaid({ has }: OnContract['lost'], { idempotencyKey }: PaidRequest): boolean {
  return idempotencyKey !== undefined && has(idempotencyKey)
}

interface Channels {
  readonly ledger: Ledger
  readonly ofChannel: (name: ChannelName) => OnContract | undefined
}

/** The management of all contracts as one. */
export function manageAll(
  newest: OnContract,
  all: readonly OnContract[],
  { ledger, ofChannel }: Channels,
): ChannelManagement {
  const of = (name: ChannelName) => (ofChannel(name) ?? newest).management
  const onEach = async (work: (each: ChannelManagement) => Promise<readonly ChannelName[]>) => {
    const done: ChannelName[] = []
    let failure: unknown
    for (const { management } of all) {
      try {
        done.push(...(await work(management)))
      } catch (error) {
        failure ??= error
      }
    }
    // What fails on one contract must not keep the channels of another one from their end.
    if (failure !== undefined) throw failure
    return done
  }
  return {
    openChannel: newest.management.openChannel,
    topUp: async (name, added, api) => of(name).topUp(name, added, api),
    topUpAhead: async (name, added, least) => of(name).topUpAhead(name, added, least),
    closeChannel: async (name, how) => of(name).closeChannel(name, how),
    settle: () => onEach(({ settle }) => settle()),
    recoverChannels: (from) => onEach(({ recoverChannels }) => recoverChannels(from)),
    sweep: async (to) => {
      // A channel that is open on any of them keeps it from being done.
      const open = ledger.channels().find(({ state }) => state !== 'closed')
      const { management } =
        (open && ofChannel(channelName(open.receiver, open.openBlock))) ?? newest
      return management.sweep(to)
    },
    unfinished: () => all.flatMap(({ management }) => management.unfinished()),
  }
}
