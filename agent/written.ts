// The options of an agent as programs write them, and what becomes of them.
import { connectChain } from '../platform/chain/index.ts'
import {
  type Amount,
  addressOption,
  amountOption,
  type KeyChoice,
  signerOption,
} from '../platform/written/written.ts'
import { defined, etherUnit, type TokenAmount, type TokenUnit } from '../protocol/index.ts'
import { type Budget, type BudgetWindow, type WindowCaps, windows } from './budget/caps.ts'
import type { DepositPolicy } from './channels/choose.ts'
import type { AgentOptions } from './options.ts'

/** Most that may be spent in each window; not given is not limited. */
export type WrittenCaps = { readonly [Window in BudgetWindow]?: Amount }

/** A `Budget` with amounts as programs write them; `ether` may be in `ETH`. */
export interface WrittenBudget
  extends WrittenCaps,
    Pick<Budget, 'assets' | 'openings' | 'openingsPerReceiver'> {
  /** Most for a single request. */
  readonly request?: Amount
  readonly receivers?: { readonly [receiver: string]: WrittenCaps }
  readonly jobs?: { readonly [job: string]: WrittenCaps }
  /** Fees of transactions. */
  readonly ether?: WrittenCaps
}

/** A `DepositPolicy` whose sizes may be amounts. */
export type WrittenDeposit = Omit<
  Partial<DepositPolicy>,
  'open' | 'topUp' | 'most' | 'mostInAll'
> & {
  readonly [Size in 'open' | 'topUp']?: Amount | DepositPolicy[Size]
} & { readonly [Most in 'most' | 'mostInAll']?: Amount }

interface WrittenOptions
  extends Omit<
    AgentOptions,
    'signer' | 'chainId' | 'contract' | 'formerContracts' | 'receivers' | 'budget' | 'deposit'
  > {
  readonly chainId: bigint | number
  readonly contract: string
  readonly formerContracts?: readonly string[]
  readonly receivers?: readonly string[]
  readonly budget?: WrittenBudget
  readonly deposit?: WrittenDeposit
}

/** What `createAgent` takes: `AgentOptions`, with addresses and amounts as texts and the key by its file. */
export type CreateAgentOptions = WrittenOptions & KeyChoice

/** All but what the token has to be known for. */
export type CheckedOptions = Omit<AgentOptions, 'budget' | 'deposit'> &
  Pick<WrittenOptions, 'budget' | 'deposit'>

/**
 * @throws UraidenError `not_an_address` and `wrong_checksum` with the option's name, `key_not_given`, those of
 * `loadSigner`
 */
export async function checkedOptions(given: CreateAgentOptions): Promise<CheckedOptions> {
  const { signer, key, chainId, formerContracts, receivers, ...rest } = given
  const addresses = (option: string, texts: readonly string[] | undefined) =>
    texts?.map((text, at) => addressOption(`${option}[${at}]`, text))
  const budget = rest.budget && withAddresses(rest.budget)
  return {
    ...rest,
    ...defined({ budget }),
    contract: addressOption('contract', rest.contract),
    ...defined({
      formerContracts: addresses('formerContracts', formerContracts),
      receivers: addresses('receivers', receivers),
    }),
    chainId: BigInt(chainId),
    signer: await signerOption({ signer, key }),
  }
}

function withAddresses(budget: WrittenBudget): WrittenBudget {
  const { receivers } = budget
  if (receivers === undefined) return budget
  const named = Object.entries(receivers).map(
    ([text, caps]) => [addressOption('budget.receivers', text), caps] as const,
  )
  return { ...budget, receivers: Object.fromEntries(named) }
}

/**
 * With amounts in the token's smallest unit. `known` is the token, where it was asked for before; nobody asks it where
 * no amount is a text.
 * @throws UraidenError those of `parseAmount`, with the option's name; those of `connectChain`
 */
export async function readAmounts(
  options: CheckedOptions,
  known: () => Promise<TokenUnit | undefined>,
): Promise<AgentOptions> {
  const { budget, deposit, ...rest } = options
  const token = hasTexts(options) ? ((await known()) ?? (await askToken(options))) : smallestUnits
  return {
    ...rest,
    ...defined({
      budget: budget && readBudget(budget, token),
      deposit: deposit && readDeposit(deposit, token),
    }),
  }
}

/** Where no amount is a text it does not matter what the token is. */
const smallestUnits: TokenUnit = { symbol: 'units', decimals: 0 }

/** Fees are in ether, whatever the token. */
function hasTexts({ budget = {}, deposit = {} }: CheckedOptions): boolean {
  const { request, receivers = {}, jobs = {} } = budget
  const caps = [budget, ...Object.values(receivers), ...Object.values(jobs)]
  const { open, topUp, most, mostInAll } = deposit
  const amounts = [request, ...caps.flatMap((each) => windows.map((window) => each[window]))]
  return [...amounts, open, topUp, most, mostInAll].some((each) => typeof each === 'string')
}

async function askToken(options: CheckedOptions): Promise<TokenUnit> {
  const { rpcUrl, contract, chainId, quorum } = options
  const chain = await connectChain({ rpcUrl, contract, chainId, quorum })
  try {
    return await chain.tokenFacts()
  } finally {
    chain.close()
  }
}

function readBudget(budget: WrittenBudget, token: TokenUnit): Budget {
  const { request, receivers = {}, jobs = {}, ether, ...others } = budget
  const { assets, openings, openingsPerReceiver } = others
  const each = (option: string, caps: { readonly [name: string]: WrittenCaps }) =>
    Object.fromEntries(
      Object.entries(caps).map(([name, of]) => [name, readCaps(`${option}.${name}`, of, token)]),
    )
  return {
    ...readCaps('budget', budget, token),
    ...defined({
      request: request === undefined ? undefined : amountOption('budget.request', request, token),
      ether: ether && readCaps('budget.ether', ether, etherUnit),
      ...{ assets, openings, openingsPerReceiver },
    }),
    receivers: each('budget.receivers', receivers),
    jobs: each('budget.jobs', jobs),
  }
}

function readCaps(option: string, caps: WrittenCaps, unit: TokenUnit): WindowCaps {
  const read = windows.map((window) => {
    const cap = caps[window]
    return [window, cap === undefined ? undefined : amountOption(`${option}.${window}`, cap, unit)]
  })
  return defined(Object.fromEntries(read))
}

function readDeposit(deposit: WrittenDeposit, token: TokenUnit): Partial<DepositPolicy> {
  const { open, topUp, most, mostInAll, ...rest } = deposit
  const amount = (option: string, given: Amount | undefined) =>
    given === undefined ? undefined : amountOption(`deposit.${option}`, given, token)
  const size = (option: string, given: Amount | DepositPolicy['open'] | undefined) => {
    if (typeof given === 'function') return given
    const fixed = amount(option, given)
    return fixed === undefined ? undefined : (): TokenAmount => fixed
  }
  return defined({
    ...rest,
    open: size('open', open),
    topUp: size('topUp', topUp),
    most: amount('most', most),
    mostInAll: amount('mostInAll', mostInAll),
  })
}
