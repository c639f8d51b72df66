// Makes blocks without transactions by hand, thousands a second, for geth to import and check. Only
// on the chain of `genesis`: no system contract changes its state in an empty block.
import { encodeRlp, type JsonRpcProvider, toBeHex } from 'ethers'
import { createKeccak } from 'hash-wasm'
import type { Hex } from '../../../protocol/index.ts'

interface Head {
  readonly [field: string]: string
}

const zeros = (bytes: number): Hex => `0x${'00'.repeat(bytes)}`
/** Keccak of an empty list, and root of an empty trie (yellow paper, section 4.3). */
const noUncles = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347'
const emptyTrie = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421'

/** The blocks that follow the newest one of `provider`, as RLP, for `geth import`. */
export async function emptyBlocks(
  provider: JsonRpcProvider,
  count: number,
): Promise<readonly Uint8Array[]> {
  const head: Head = await provider.send('eth_getBlockByNumber', ['latest', false])
  const keccak = await createKeccak(256)
  const blocks: Uint8Array[] = []
  let parent = head.hash ?? ''
  let fee = feeAfter(head)
  for (let index = 1n; index <= BigInt(count); index++) {
    const header = headerOf(head, index, parent, fee)
    parent = `0x${keccak
      .init()
      .update(bytes(encodeRlp(header)))
      .digest()}`
    // Without transactions, uncles and withdrawals.
    blocks.push(bytes(encodeRlp([header, [], [], []])))
    fee -= fee / 8n
  }
  return blocks
}

/** In the order of EIP-4788 and the EIPs before it. */
function headerOf(head: Head, index: bigint, parent: string, fee: bigint): string[] {
  return [
    parent,
    noUncles,
    zeros(20),
    head.stateRoot ?? '',
    emptyTrie,
    emptyTrie,
    zeros(256),
    '0x',
    quantity(BigInt(head.number ?? 0) + index),
    quantity(BigInt(head.gasLimit ?? 0)),
    '0x',
    quantity(BigInt(head.timestamp ?? 0) + index),
    '0x',
    zeros(32),
    zeros(8),
    quantity(fee),
    emptyTrie,
    '0x',
    '0x',
    zeros(32),
  ]
}

/** EIP-1559: what the block after `head` has to ask, given what `head` used. */
function feeAfter(head: Head): bigint {
  const fee = BigInt(head.baseFeePerGas ?? 0)
  const target = BigInt(head.gasLimit ?? 0) / 2n
  const used = BigInt(head.gasUsed ?? 0)
  if (used === target) return fee
  if (used < target) return fee - (fee * (target - used)) / target / 8n
  const more = (fee * (used - target)) / target / 8n
  return fee + (more > 1n ? more : 1n)
}

function quantity(value: bigint): string {
  return value === 0n ? '0x' : toBeHex(value)
}

function bytes(hex: string): Uint8Array {
  return Buffer.from(hex.slice(2), 'hex')
}
