// What the chain says about an authorization: unused, used for us, or used for something else. Whoever sent it,
// and whatever he said about it.

import { readLogs, readReceiptOf } from '../../platform/chain/answers.ts'
import type { ChainClient, RawLog } from '../../platform/chain/index.ts'
import { readInPieces } from '../../platform/chain/ranges.ts'
import { isDeepEnough } from '../../platform/chain/receipt.ts'
import { type ChainBlock, type Hex, toQuantity } from '../../protocol/index.ts'
import type { TransferAuthorization } from '../../protocol/x402/index.ts'
import { type Asset, isUsed, word } from './token.ts'

export type Fate =
  | { readonly kind: 'unused' }
  /** By a transaction that moved its value to where it was to go. */
  | { readonly kind: 'paid'; readonly transaction: Hex }
  /** The same, in a block that is not deep enough yet. */
  | { readonly kind: 'waiting' }
  /** Used or cancelled, without such a transfer. */
  | { readonly kind: 'elsewhere' }

type Chain = Pick<ChainClient, 'request' | 'head'>

/** keccak256 of `AuthorizationUsed(address,bytes32)` and `Transfer(address,address,uint256)` (EIP-3009, ERC-20). */
const usedTopic = '0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5'
const transferTopic = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'

export interface Looked {
  readonly authorization: TransferAuthorization
  /** Depth of the block, itself included. */
  readonly confirmations: number
}

/**
 * Looks from the block `since` on; of what was used before it is only said that it was.
 * @throws UraidenError those of the chain
 */
export async function fateOf(
  chain: Chain,
  asset: Asset,
  { authorization, confirmations, since }: Looked & { readonly since: ChainBlock },
): Promise<Fate> {
  if (!(await isUsed(chain, asset.address, authorization))) return { kind: 'unused' }
  const topics = [usedTopic, `0x${word(authorization.from)}`, authorization.nonce]
  const { number: head } = await chain.head()
  const [used] = await readInPieces(since, head, async (first, last) => {
    const range = { fromBlock: toQuantity(first), toBlock: toQuantity(last) }
    return readLogs(
      await chain.request('eth_getLogs', [{ address: asset.address, ...range, topics }]),
    )
  })
  if (used === undefined) return { kind: 'elsewhere' }
  const transaction = used.transactionHash as Hex
  return fateBy(chain, asset, { authorization, confirmations, transaction })
}

/**
 * What this transaction did with the authorization; unused as well where the node does not show it.
 * @throws UraidenError those of the chain
 */
export async function fateBy(
  chain: Chain,
  asset: Asset,
  { authorization, confirmations, transaction }: Looked & { readonly transaction: Hex },
): Promise<Fate> {
  const answer = await chain.request('eth_getTransactionReceipt', [transaction])
  const receipt = readReceiptOf(transaction, answer)
  if (receipt === undefined || BigInt(receipt.status) !== 1n) return { kind: 'unused' }
  const logs = receipt.logs.filter(
    ({ address }) => address.toLowerCase() === asset.address.toLowerCase(),
  )
  const at = logs.findIndex((log) => isUse(log, authorization))
  if (at < 0) return { kind: 'unused' }
  // The two stand beside each other. Further away is that of another authorization in the same transaction.
  if (!isTransfer(logs[at + 1], authorization)) return { kind: 'elsewhere' }
  const isDeep = await isDeepEnough(chain, receipt, confirmations)
  return isDeep ? { kind: 'paid', transaction } : { kind: 'waiting' }
}

function isUse({ topics }: RawLog, { from, nonce }: TransferAuthorization): boolean {
  return sameTopics(topics, [usedTopic, `0x${word(from)}`, nonce])
}

function isTransfer(log: RawLog | undefined, { from, to, value }: TransferAuthorization): boolean {
  if (log === undefined || BigInt(log.data) !== value) return false
  return sameTopics(log.topics, [transferTopic, `0x${word(from)}`, `0x${word(to)}`])
}

function sameTopics(topics: readonly string[], wanted: readonly string[]): boolean {
  return (
    topics.length === wanted.length &&
    topics.every((topic, at) => topic.toLowerCase() === wanted[at])
  )
}
