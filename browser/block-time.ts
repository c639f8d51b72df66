// How long a block takes as the contract counts: for pages that name a challenge period as a time.
import { blockTimeWindow, secondsPerBlock, toQuantity } from '../protocol/index.ts'
import type { ContractBlocks } from './contract-blocks.ts'
import { ask, type Eip1193Provider, quantity, wrongAnswer } from './wallet.ts'

const method = 'eth_getBlockByNumber'

interface Header {
  readonly number?: unknown
  readonly timestamp?: unknown
  readonly l1BlockNumber?: unknown
}

/** In seconds; undefined on a chain that is too young to say. @throws UraidenError those of `ask` and `clock` */
export async function blockTime(
  wallet: Eip1193Provider,
  chain: Pick<ContractBlocks, 'clock'>,
): Promise<number | undefined> {
  const clock = await chain.clock()
  const blockAt = async (at: string) => {
    const header = (await ask(wallet, method, [at, false])) as Header | null
    if (header === null) throw wrongAnswer(method)
    return header
  }
  const timed = ({ number, timestamp, l1BlockNumber }: Header) => ({
    contractBlock: Number(quantity(clock === 'own' ? number : l1BlockNumber, method)),
    timestamp: Number(quantity(timestamp, method)),
  })
  const head = await blockAt('latest')
  const from = quantity(head.number, method) - BigInt(blockTimeWindow)
  return secondsPerBlock(timed(await blockAt(toQuantity(from > 0n ? from : 0n))), timed(head))
}
