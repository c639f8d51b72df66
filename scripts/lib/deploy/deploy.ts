// Deploys token and channels contract: looks before it sends, waits, and leaves a record.

import { formatEther, getCreateAddress, Interface } from 'ethers'
import { channelsAbi } from '../../../contracts/abi/channels.ts'
import { tokenAbi } from '../../../contracts/abi/token.ts'
import { channelsBytecode } from '../../../contracts/bytecode/channels.ts'
import { tokenBytecode } from '../../../contracts/bytecode/token.ts'
import type { Deployment } from '../../../contracts/deployments.ts'
import {
  type ChainClient,
  challengeTimeText,
  connectChain,
  createTransactionSender,
  type Receipt,
  readBlockClock,
  shortPeriodWarning,
  type TransactionSender,
} from '../../../platform/chain/index.ts'
import {
  type Address,
  type Hex,
  isUraidenError,
  parseAddress,
  type Signer,
} from '../../../protocol/index.ts'
import { toolError } from '../shared/errors.ts'
import { writeDeployment } from './record.ts'
import { channelsSources, type Sources } from './sources.ts'

export interface NewToken {
  readonly name: string
  readonly symbol: string
  readonly decimals: number
  /** In whole tokens, for the deployer. */
  readonly supply: bigint
}

/** In blocks, or in seconds: then as many blocks as the chain makes in that time. */
export type WantedPeriod = { readonly blocks: number } | { readonly seconds: number }

export interface DeployOptions {
  readonly rpcUrl: string
  /** The chain that is meant; a node of another one is refused. */
  readonly chainId?: bigint | undefined
  readonly signer: Signer
  /** An existing token's address, or what a new one is to be. */
  readonly token: Address | NewToken
  readonly challengePeriod: WantedPeriod
  readonly confirmations: number
  /** Folder for the record and, beside it, what the contract was compiled from. */
  readonly record: string
  readonly say: (line: string) => void
}

/** Both deployments cost some 4.2 million gas; the rest is for a price that rises meanwhile. */
const gasNeeded = 5_000_000n

/**
 * @throws UraidenError `wrong_chain`, `ether_short`, `token_missing`, `block_time_unknown`, `source_differs`, and those of the chain: before anything is sent
 */
export async function deployContracts(options: DeployOptions): Promise<Deployment> {
  const { signer, say } = options
  const chain = await connect(options, await nextContract(options))
  try {
    say(`chain     ${chain.chainId}, block ${(await chain.head()).number}`)
    await checkEther(chain, signer.address)
    const challengePeriod = await periodOf(options, chain)
    const sources = await channelsSources()
    const sender = createTransactionSender({ chain, signer })
    const token = await provideToken(options, chain, sender)
    const receipt = await deploy(sender, options.confirmations, 'deploy the channels contract', {
      abi: channelsAbi,
      bytecode: channelsBytecode,
      args: [token, challengePeriod, []],
    })
    return await writeRecord(options, chain, { token, challengePeriod, receipt, sources })
  } finally {
    chain.close()
  }
}

function connect({ rpcUrl, chainId }: DeployOptions, contract: Address): Promise<ChainClient> {
  return connectChain({ rpcUrl, contract, chainId })
}

/** Where the channels contract will be: the deployer's next contract, or the one after a new token. */
async function nextContract(options: DeployOptions): Promise<Address> {
  const { signer, token } = options
  const chain = await connect(options, signer.address)
  const count = await chain.request('eth_getTransactionCount', [signer.address, 'latest'])
  chain.close()
  const nonce = Number(count) + (typeof token === 'string' ? 0 : 1)
  return parseAddress(getCreateAddress({ from: signer.address, nonce }))
}

async function checkEther(chain: ChainClient, account: Address): Promise<void> {
  const [balance, price] = await Promise.all([
    chain.etherBalance(account),
    chain.request('eth_gasPrice', []),
  ])
  const needed = gasNeeded * BigInt(String(price))
  if (balance >= needed) return
  throw toolError({
    code: 'ether_short',
    message: `The account ${account} has ${formatEther(balance)} ETH; deploying takes up to ${formatEther(needed)} ETH.`,
  })
}

/** Of the contract; fewer than it takes are raised to that. */
const leastPeriod = 500
const mostPeriod = 2 ** 32 - 1

/** Measured on the clock of contracts, which is not on every chain its own. */
async function periodOf({ challengePeriod, say }: DeployOptions, chain: ChainClient) {
  const { secondsPerBlock: each } = await readBlockClock(chain)
  if ('seconds' in challengePeriod && each === undefined) {
    throw toolError({
      code: 'block_time_unknown',
      message: `Chain ${chain.chainId} is too young to say how long a block takes.`,
    })
  }
  const blocks =
    'blocks' in challengePeriod
      ? challengePeriod.blocks
      : blocksFor(challengePeriod.seconds, each ?? 1)
  const time = { blocks, seconds: each && blocks * each }
  say(`period    ${challengeTimeText(time)}`)
  const short = shortPeriodWarning(time)
  if (short !== undefined) say(`warning   ${short} Choose a longer one with --challenge-time.`)
  return blocks
}

function blocksFor(seconds: number, each: number): number {
  return Math.min(Math.max(Math.ceil(seconds / each), leastPeriod), mostPeriod)
}

async function provideToken(
  { token, signer, confirmations, say }: DeployOptions,
  chain: ChainClient,
  sender: TransactionSender,
): Promise<Address> {
  if (typeof token === 'string') {
    await checkToken(chain, token)
    return token
  }
  const { name, symbol, decimals, supply } = token
  const receipt = await deploy(sender, confirmations, 'deploy the token', {
    abi: tokenAbi,
    bytecode: tokenBytecode,
    args: [supply * 10n ** BigInt(decimals), name, symbol, decimals],
  })
  say(`token     ${symbol}, ${supply} for ${signer.address}`)
  return contractOf(receipt)
}

/** The channels contract would refuse it too, but not say why. */
async function checkToken(chain: ChainClient, token: Address): Promise<void> {
  const data = new Interface(tokenAbi).encodeFunctionData('totalSupply')
  const answer = await chain.request('eth_call', [{ to: token, data }, 'latest']).catch((error) => {
    if (isUraidenError(error, 'rpc_error')) return '0x'
    throw error
  })
  if (BigInt(answer === '0x' ? 0 : String(answer)) > 0n) return
  throw toolError({
    code: 'token_missing',
    message: `There is no token at ${token} on chain ${chain.chainId}, or nothing of it exists.`,
  })
}

interface ContractCode {
  readonly abi: readonly object[]
  readonly bytecode: string
  readonly args: readonly unknown[]
}

function deploy(
  sender: TransactionSender,
  confirmations: number,
  purpose: string,
  { abi, bytecode, args }: ContractCode,
): Promise<Receipt> {
  const data = (bytecode + new Interface([...abi]).encodeDeploy([...args]).slice(2)) as Hex
  return sender.send({ purpose, data }, confirmations)
}

function contractOf({ contract, transaction }: Receipt): Address {
  if (contract === undefined) throw new Error(`${transaction} deployed nothing`)
  return contract
}

interface Deployed extends Pick<Deployment, 'challengePeriod'> {
  readonly token: Address
  readonly receipt: Receipt
  readonly sources: Sources
}

async function writeRecord(
  { record, say }: DeployOptions,
  chain: ChainClient,
  { token, challengePeriod, receipt, sources }: Deployed,
): Promise<Deployment> {
  const contract = contractOf(receipt)
  const { version } = await chain.contractFacts()
  const deployment: Deployment = {
    chainId: Number(chain.chainId),
    contract,
    token,
    version,
    challengePeriod,
    startBlock: receipt.block,
    transaction: receipt.transaction,
  }
  const { files, before } = await writeDeployment(record, deployment, sources)
  say(`record    ${files.record}${before ? ` (before: ${before.contract})` : ''}`)
  say(`source    ${files.input}, ${files.metadata}`)
  return deployment
}
