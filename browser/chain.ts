// The chain as the wallet shows it: the facts that a sender needs of contract, token and channel.
import {
  type Address,
  addressFromBytes,
  type ChainBlock,
  type ChannelId,
  type ContractBlock,
  fromHex,
  type Hex,
  isHex,
  isUraidenError,
  type TokenAmount,
  type TokenUnit,
  tokenSymbol,
  toQuantity,
} from '../protocol/index.ts'
import { type AbiValue, decodeText, decodeWord, decodeWords, encodeCall, topicOf } from './abi.ts'
import { type ContractBlocks, contractBlocks, type MinedBlock } from './contract-blocks.ts'
import { ask, type Eip1193Provider, quantity, wrongAnswer } from './wallet.ts'

export interface ContractFacts {
  /** Of the contract's code, such as `0.3.0`. */
  readonly version: string
  readonly token: Address
  /** Blocks between a close request and the earliest settlement. */
  readonly challengePeriod: number
}

export interface TokenInfo extends TokenUnit {
  readonly address: Address
  readonly name: string
}

/** What a token says about the domain of its permits (EIP-2612, EIP-712). */
export interface PermitFacts {
  readonly name: string
  /** Not every token has it. */
  readonly version: string | undefined
  readonly separator: Hex
}

/** What the contract says about a channel that exists. */
export interface ChannelFacts {
  readonly deposit: TokenAmount
  /** Last block of the challenge period; 0 while no close is requested. */
  readonly settleBlock: ContractBlock
  readonly closingBalance: TokenAmount
  readonly withdrawn: TokenAmount
}

export interface Chain {
  readonly wallet: Eip1193Provider
  readonly blockNumber: () => Promise<ChainBlock>
  readonly clock: ContractBlocks['clock']
  /** The newest block as the contract counts. */
  readonly contractHead: () => Promise<ContractBlock>
  /** The block of a transaction as the contract saw it. */
  readonly contractBlock: (mined: MinedBlock) => Promise<ContractBlock>
  readonly contractFacts: () => Promise<ContractFacts>
  readonly tokenInfo: (token: Address) => Promise<TokenInfo>
  readonly tokenBalance: (token: Address, account: Address) => Promise<TokenAmount>
  readonly allowance: (token: Address, owner: Address) => Promise<TokenAmount>
  /** In wei. */
  readonly etherBalance: (account: Address) => Promise<bigint>
  /** In wei, for a unit of gas, as the node would take it now. */
  readonly gasPrice: () => Promise<bigint>
  /** Of the newest block, in Unix seconds. */
  readonly timestamp: () => Promise<bigint>
  /** How many permits, or messages for others, of the account were used. */
  readonly nonce: (of: Address, account: Address) => Promise<bigint>
  /** @throws UraidenError `not_a_contract`, `would_revert` when the token knows no permits */
  readonly permitFacts: (token: Address) => Promise<PermitFacts>
  /** Undefined when the contract has no such channel (never opened, or settled). */
  readonly channel: (channel: ChannelId) => Promise<ChannelFacts | undefined>
  /** The open blocks of the channels of `sender` to `receiver`, oldest first; read from a block of the chain on. */
  readonly openings: (
    sender: Address,
    receiver: Address,
    from: ChainBlock,
  ) => Promise<readonly ContractBlock[]>
}

/** Nodes limit how many blocks one query of logs may span. */
const blocksPerQuery = 10_000

/** A call of a contract that changes nothing. */
type Read = (to: Address, signature: string, values?: readonly AbiValue[]) => Promise<Hex>

/** Each method throws the errors of `ask`, and `not_a_contract` on a chain without the contract. */
export function chainOf(wallet: Eip1193Provider, contract: Address): Chain {
  const read: Read = async (to, signature, values = []) => {
    const data = encodeCall(signature, values)
    const answer = await ask(wallet, 'eth_call', [{ to, data }, 'latest'])
    if (!isHex(answer)) throw wrongAnswer('eth_call')
    return answer
  }
  const node = nodeReads(wallet)
  const blocks = contractBlocks(wallet)
  return {
    wallet,
    ...node,
    clock: blocks.clock,
    contractHead: blocks.head,
    contractBlock: blocks.of,
    ...tokenReads(read),
    ...channelReads(read, contract, blocks),
    allowance: async (token, owner) =>
      decodeWord(await read(token, 'allowance(address,address)', [owner, contract])),
    openings: async (sender, receiver, from) => {
      const head = await node.blockNumber()
      const found: ContractBlock[] = []
      for (let start = from; start <= head; start += blocksPerQuery) {
        const to = Math.min(head, start + blocksPerQuery - 1)
        const query = { sender, receiver, from: start, to }
        for (const each of await openingsIn(wallet, contract, query)) {
          found.push(await blocks.of(each))
        }
      }
      return found
    },
  }
}

function nodeReads(
  wallet: Eip1193Provider,
): Pick<Chain, 'blockNumber' | 'etherBalance' | 'gasPrice' | 'timestamp'> {
  return {
    blockNumber: async () =>
      Number(quantity(await ask(wallet, 'eth_blockNumber'), 'eth_blockNumber')),
    etherBalance: async (account) =>
      quantity(await ask(wallet, 'eth_getBalance', [account, 'latest']), 'eth_getBalance'),
    gasPrice: async () => quantity(await ask(wallet, 'eth_gasPrice'), 'eth_gasPrice'),
    timestamp: async () => {
      const method = 'eth_getBlockByNumber'
      const block = await ask(wallet, method, ['latest', false])
      return quantity((block as { readonly timestamp?: unknown } | null)?.timestamp, method)
    },
  }
}

function tokenReads(
  read: Read,
): Pick<Chain, 'tokenInfo' | 'tokenBalance' | 'nonce' | 'permitFacts'> {
  return {
    tokenInfo: async (address) => {
      // Not every token says all of it.
      const say = async <Value>(signature: string, decode: (answer: Hex) => Value) => {
        try {
          const answer = await read(address, signature)
          return answer === '0x' ? undefined : decode(answer)
        } catch (error) {
          if (isUraidenError(error, 'would_revert')) return undefined
          throw error
        }
      }
      const [name = '', symbol, decimals = 0n] = await Promise.all([
        say('name()', decodeText),
        say('symbol()', decodeText),
        say('decimals()', decodeWord),
      ])
      return { address, name, symbol: tokenSymbol(symbol), decimals: Number(decimals) }
    },
    tokenBalance: async (token, account) =>
      decodeWord(await read(token, 'balanceOf(address)', [account])),
    nonce: async (of, account) => decodeWord(await read(of, 'nonces(address)', [account])),
    permitFacts: async (token) => {
      const [name, separator, version] = await Promise.all([
        read(token, 'name()'),
        read(token, 'DOMAIN_SEPARATOR()'),
        read(token, 'version()').then(decodeText, () => undefined),
      ])
      return { name: decodeText(name), version, separator }
    },
  }
}

function channelReads(
  read: Read,
  contract: Address,
  blocks: ContractBlocks,
): Pick<Chain, 'contractFacts' | 'channel'> {
  return {
    contractFacts: async () => {
      const [version, token, period] = await Promise.all([
        read(contract, 'version()'),
        read(contract, 'token()'),
        read(contract, 'challenge_period()'),
        blocks.clock(),
      ])
      return {
        version: decodeText(version),
        token: addressFrom(decodeWord(token)),
        challengePeriod: Number(decodeWord(period)),
      }
    },
    channel: async ({ sender, receiver, openBlock }) => {
      const values = [sender, receiver, BigInt(openBlock)]
      try {
        return channelFacts(await read(contract, 'getChannelInfo(address,address,uint32)', values))
      } catch (error) {
        // The contract answers so when it has no such channel; 0.2 says no more than that it reverts.
        if (isUraidenError(error, 'would_revert')) return undefined
        throw error
      }
    },
  }
}

function channelFacts(answer: Hex): ChannelFacts | undefined {
  const [, deposit = 0n, settleBlock = 0n, closingBalance = 0n, withdrawn = 0n] = decodeWords(
    answer,
    5,
  )
  if (deposit === 0n) return undefined
  return { deposit, settleBlock: Number(settleBlock), closingBalance, withdrawn }
}

interface OpeningsQuery {
  readonly sender: Address
  readonly receiver: Address
  readonly from: ChainBlock
  readonly to: ChainBlock
}

async function openingsIn(
  wallet: Eip1193Provider,
  contract: Address,
  { sender, receiver, from, to }: OpeningsQuery,
): Promise<readonly MinedBlock[]> {
  const filter = {
    address: contract,
    topics: [topicOf('ChannelCreated(address,address,uint192)'), topic(sender), topic(receiver)],
    fromBlock: toQuantity(from),
    toBlock: toQuantity(to),
  }
  const logs = await ask(wallet, 'eth_getLogs', [filter])
  if (!Array.isArray(logs)) throw wrongAnswer('eth_getLogs')
  return logs.map((log: { readonly blockNumber?: unknown; readonly blockHash?: unknown }) => ({
    block: Number(quantity(log.blockNumber, 'eth_getLogs')),
    hash: log.blockHash,
    l1BlockNumber: undefined,
  }))
}

/** An address as an indexed argument of an event. */
function topic(address: Address): Hex {
  return `0x${address.slice(2).toLowerCase().padStart(64, '0')}`
}

function addressFrom(value: bigint): Address {
  return addressFromBytes(fromHex(`0x${value.toString(16).padStart(40, '0').slice(-40)}`))
}
