// A whole Ethereum chain inside this process, for the demo, for hands-on work and for tests.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Contract, ContractFactory, JsonRpcProvider, Wallet } from 'ethers'
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import { markTestWorkerDone } from 'hardhat/internal/coverage'
import { channelsAbi } from '../../../contracts/abi/channels.ts'
import { tokenAbi } from '../../../contracts/abi/token.ts'
import { channelsBytecode } from '../../../contracts/bytecode/channels.ts'
import { tokenBytecode } from '../../../contracts/bytecode/token.ts'
import { type Address, parseAddress } from '../../../protocol/index.ts'
import { keepIdleConnections } from '../processes/idle-connections.ts'
import { LabProvider } from './lab-provider.ts'
import { testAccount, testMnemonic } from './test-accounts.ts'
import type { TestChain } from './test-chain.ts'

export interface EmbeddedChain extends TestChain {
  /** Remembers the state; the returned function goes back to it, once. */
  readonly snapshot: () => Promise<() => Promise<void>>
}

export interface EmbeddedChainOptions {
  /** TCP port on 127.0.0.1; 0, the default, takes a free one. A taken one fails with EADDRINUSE. */
  readonly port?: number
  /** A block every so many milliseconds; by default each transaction gets its own at once. */
  readonly blockInterval?: number | undefined
  readonly accounts?: number
  /** Default 31337. */
  readonly chainId?: number | undefined
}

/** hardhat wants the folder of a package, and would look for one from the working directory upwards. */
const checkout = fileURLToPath(new URL('../../../', import.meta.url))

export async function startEmbeddedChain(
  options: EmbeddedChainOptions = {},
): Promise<EmbeddedChain> {
  const { port = 0, blockInterval, accounts: count = 20, chainId = 31337 } = options
  const hre = coverage
    ? await globalHardhat()
    : await createHardhatRuntimeEnvironment({}, {}, checkout)
  const server = await hre.network.createServer(
    {
      network: 'default',
      chainType: 'l1',
      override: {
        chainId,
        accounts: { mnemonic: testMnemonic, count, accountsBalance: 10_000n * 10n ** 18n },
        allowBlocksWithSameTimestamp: true,
        // Code that counts its own coverage is larger than a chain allows.
        allowUnlimitedContractSize: coverage,
        ...(blockInterval === undefined
          ? {}
          : { mining: { auto: false, interval: blockInterval } }),
      },
    },
    '127.0.0.1',
    port,
  )
  await checkFree(port)
  const { port: own } = await server.listen()
  const rpcUrl = `http://127.0.0.1:${own}`
  await keepConnections(own, rpcUrl)
  const provider = new LabProvider({ rpcUrl, chainId, pollingInterval: 20 })
  const accounts = Array.from({ length: count }, (_, index) => testAccount(index))
  const wallets = new Map<number, Wallet>()
  // Its public key takes longer than all that a test does with it.
  function wallet(index: number): Wallet {
    const known = wallets.get(index) ?? new Wallet(testAccount(index).privateKey, provider)
    wallets.set(index, known)
    return known
  }
  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    provider.destroy()
    await server.close()
    if (coverage) await markTestWorkerDone(coverageRun)
  }
  return {
    rpcUrl,
    chainId: BigInt(chainId),
    accounts,
    provider,
    wallet,
    mine: async (blocks) => {
      await provider.send('hardhat_mine', [`0x${blocks.toString(16)}`])
    },
    snapshot: async () => {
      const id = await provider.send('evm_snapshot', [])
      return async () => {
        await provider.send('evm_revert', [id])
      }
    },
    // A test may close it before its teardown does.
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

/** hardhat's server has a second listener that nobody hears: a taken port would end the process. */
async function checkFree(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  server.close()
  await once(server, 'close')
}

/** Of the server that listens there. */
async function keepConnections(port: number, url: string): Promise<void> {
  const began = 'http.server.request.start'
  const keep = (message: unknown): void => {
    const { server } = message as { readonly server: Server }
    const address = server.address()
    if (typeof address !== 'object' || address?.port !== port) return
    // Tests have it so already.
    if (server.keepAliveTimeout > 0) keepIdleConnections(server)
  }
  subscribe(began, keep)
  await fetch(url, { method: 'OPTIONS', headers: { connection: 'close' } })
  unsubscribe(began, keep)
}

/** Set by `npm run contracts:coverage`: the contracts count which of their lines run. */
const coverage = process.env.HARDHAT_COVERAGE === 'true'

export const coverageRun = 'contracts'

async function globalHardhat() {
  return (await import('hardhat')).default
}

async function bytecodeOf(contract: string, published: string): Promise<string> {
  if (!coverage) return published
  return (await (await globalHardhat()).artifacts.readArtifact(contract)).bytecode
}

/** The channels contract's code for a deployment. */
export function channelsCode(): Promise<string> {
  return bytecodeOf('RaidenMicroTransferChannels', channelsBytecode)
}

export interface DeployedContracts {
  readonly token: Contract
  readonly channels: Contract
  readonly tokenAddress: Address
  readonly channelsAddress: Address
}

export interface TestDeployment {
  readonly challengePeriod?: number
  readonly decimals?: number
  readonly symbol?: string
  /** In whole tokens, for the deploying account. */
  readonly supply?: bigint
  readonly trusted?: readonly string[]
}

/** Token and channels contract, deployed by `deployer`, which gets the whole supply. */
export async function deployTestContracts(
  deployer: Wallet,
  options: TestDeployment = {},
): Promise<DeployedContracts> {
  const { challengePeriod = 500, decimals = 18, symbol = 'TKN', trusted = [] } = options
  const supply = (options.supply ?? 10_000_000n) * 10n ** BigInt(decimals)
  const token = await deploy(deployer, tokenAbi, await bytecodeOf('CustomToken', tokenBytecode), [
    supply,
    'CustomToken',
    symbol,
    decimals,
  ])
  const tokenAddress = parseAddress(await token.getAddress())
  const code = await channelsCode()
  const channels = await deploy(deployer, channelsAbi, code, [
    tokenAddress,
    challengePeriod,
    trusted,
  ])
  const channelsAddress = parseAddress(await channels.getAddress())
  return { token, channels, tokenAddress, channelsAddress }
}

async function deploy(
  deployer: Wallet,
  abi: readonly object[],
  bytecode: string,
  args: readonly unknown[],
): Promise<Contract> {
  const factory = new ContractFactory([...abi], bytecode)
  const { data } = await factory.getDeployTransaction(...args)
  const address = await sendCode(deployer, data)
  return new Contract(address, [...abi], deployer)
}

/** Of either contract, also when it counts its coverage; below what a transaction may take (EIP-7825). */
const deployGas = 15_000_000

/** Resolves with the contract's address. */
async function sendCode(deployer: Wallet, data: string): Promise<string> {
  const provider = deployer.provider
  if (!(provider instanceof JsonRpcProvider)) throw new Error('the deployer has no node')
  const { address } = deployer
  const own: readonly string[] = await provider.send('eth_accounts', [])
  // The embedded chain has the keys, and signs in a fraction of the time that ethers takes for so much code.
  const hash = own.some((each) => each.toLowerCase() === address.toLowerCase())
    ? await provider.send('eth_sendTransaction', [
        { from: address, data, gas: `0x${deployGas.toString(16)}` },
      ])
    : (await deployer.sendTransaction({ data })).hash
  const receipt = await provider.waitForTransaction(hash)
  if (receipt?.contractAddress == null) throw new Error('the contract was not deployed')
  return receipt.contractAddress
}
