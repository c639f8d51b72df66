// The blocks of the chain as the contract counts them. On Arbitrum and its kind contracts see the number of the chain
// below, which blocks carry beside their own.
import {
  type ChainBlock,
  type ContractBlock,
  type ContractClock,
  contractClock,
  isHex,
  returnNumber,
} from '../protocol/index.ts'
import { browserError } from './error-codes.ts'
import { ask, type Eip1193Provider, quantity } from './wallet.ts'

/** A block as logs and receipts have it. */
export interface MinedBlock {
  readonly block: ChainBlock
  readonly hash: unknown
  /** Of Arbitrum and its kind, where the node says it: the block of the chain below. */
  readonly l1BlockNumber: unknown
}

export interface ContractBlocks {
  /** Which number of a block contracts see; looked up once. @throws UraidenError `chain_unsupported` */
  readonly clock: () => Promise<ContractClock>
  readonly head: () => Promise<ContractBlock>
  readonly of: (mined: MinedBlock) => Promise<ContractBlock>
}

interface Header {
  readonly number?: unknown
  readonly l1BlockNumber?: unknown
}

export function contractBlocks(wallet: Eip1193Provider): ContractBlocks {
  let asking: Promise<ContractClock> | undefined
  const clock = () => {
    asking ??= askClock(wallet).catch((error) => {
      asking = undefined
      throw error
    })
    return asking
  }
  const seenIn = async ({ number, l1BlockNumber }: Header, method: string) =>
    Number(quantity((await clock()) === 'own' ? number : l1BlockNumber, method))
  return {
    clock,
    head: async () => seenIn(await headOf(wallet), newest),
    of: async ({ block, hash, l1BlockNumber = null }) => {
      if ((await clock()) === 'own') return Number(block)
      const method = 'eth_getBlockByHash'
      const header =
        l1BlockNumber === null ? await ask(wallet, method, [hash, false]) : { l1BlockNumber }
      return seenIn((header ?? {}) as Header, method)
    },
  }
}

const newest = 'eth_getBlockByNumber'

async function headOf(wallet: Eip1193Provider): Promise<Header> {
  return ((await ask(wallet, newest, ['latest', false])) ?? {}) as Header
}

async function askClock(wallet: Eip1193Provider): Promise<ContractClock> {
  const { number: at, l1BlockNumber: below } = await headOf(wallet)
  const number = quantity(at, newest)
  const seen = await ask(wallet, 'eth_call', [{ data: returnNumber }, at]).then(
    (answer) => (isHex(answer) && answer.length === 66 ? BigInt(answer) : undefined),
    () => undefined,
  )
  const l1BlockNumber = below == null ? undefined : quantity(below, newest)
  const clock = contractClock({ number, seen, l1BlockNumber })
  if (clock !== undefined) return clock
  throw browserError({
    code: 'chain_unsupported',
    message: `Contracts on this chain see other block numbers (${seen}) than its blocks carry (${number}).`,
  })
}
