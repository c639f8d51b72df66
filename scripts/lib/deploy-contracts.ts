// ./scripts/deploy-contracts: see its --help.
import { Command, Option } from 'commander'
import { deploymentsFolder } from '../../contracts/deployments.ts'
import { parseDuration } from '../../platform/config/index.ts'
import { askPassword, loadSigner } from '../../platform/keys/index.ts'
import {
  isUraidenError,
  parseTypedAddress,
  parseUint192,
  type UraidenError,
} from '../../protocol/index.ts'
import { type DeployOptions, deployContracts } from './deploy/deploy.ts'
import { explorerRequests, explorerText } from './deploy/explorer.ts'
import { verifyDeployment } from './deploy/verify.ts'
import { argument, integer } from './shared/arguments.ts'

interface Options
  extends Omit<
    DeployOptions,
    'rpcUrl' | 'signer' | 'say' | 'token' | 'chainId' | 'challengePeriod'
  > {
  readonly rpc: string
  readonly chainId?: number
  readonly challengePeriod: number
  /** In milliseconds. */
  readonly challengeTime?: number
  readonly key?: string
  readonly verify?: string
  readonly keyPasswordFile?: string
  readonly tokenName: string
  readonly tokenSymbol: string
  readonly tokenDecimals: number
  readonly supply: bigint
  readonly tokenAddress?: ReturnType<typeof parseTypedAddress>
  readonly json?: true
}

const command: Command = new Command('deploy-contracts')
  .description('deploys the channels contract, and a token unless --token-address names one')
  .requiredOption('--rpc <url>', 'JSON-RPC endpoint')
  .option('--key <file>', 'the deployer’s key: a geth keystore, or 64 hex digits')
  .option('--key-password-file <file>', 'password of the keystore; asked for when not given')
  .option(
    '--chain-id <number>',
    'the chain that is meant; a node of another one is refused',
    integer(1, Number.MAX_SAFE_INTEGER),
  )
  .option('--challenge-period <blocks>', 'at least 500', integer(500, 2 ** 32 - 1), 500)
  .addOption(
    new Option(
      '--challenge-time <duration>',
      'the period as a time, such as 1d: blocks are measured',
    )
      .argParser(argument(parseDuration))
      .conflicts('challengePeriod'),
  )
  .option('--token-name <name>', 'of a new token', 'CustomToken')
  .option('--token-symbol <symbol>', 'of a new token', 'TKN')
  .option('--token-decimals <number>', 'of a new token', integer(0, 36), 18)
  .addOption(
    new Option('--supply <tokens>', 'of a new token, in whole tokens')
      .argParser(argument(parseUint192))
      // A default in words: the help of commander cannot write a bigint.
      .default(10_000_000n, '10000000'),
  )
  .option('--token-address <address>', 'use this token', argument(parseTypedAddress))
  .option('--confirmations <blocks>', 'to wait for', integer(1, 1000), 1)
  .option('--record <folder>', 'where to write the record <chain id>.json', deploymentsFolder)
  .addOption(
    new Option(
      '--verify <record>',
      'deploys nothing: is the code on the chain that of the source? Prints what explorers take',
    ).conflicts([
      ...['key', 'keyPasswordFile', 'chainId', 'challengePeriod', 'challengeTime'],
      ...['tokenName', 'tokenSymbol', 'tokenDecimals', 'supply', 'tokenAddress'],
      ...['confirmations', 'record'],
    ]),
  )
  .option('--json', 'print one JSON object at the end')
  .parse()

const say = (line: string) => process.stderr.write(`${line}\n`)

async function verify(rpcUrl: string, record: string, json = false): Promise<void> {
  const verified = await verifyDeployment({ rpcUrl, record, say })
  const { contract, chainId, trusted } = verified
  say(`verified  ${contract} on chain ${chainId} is what the source compiles to`)
  if (trusted.length > 0) say(`trusted   ${trusted.join(', ')} may open channels of others`)
  process.stdout.write(
    json ? `${JSON.stringify(explorerRequests(verified))}\n` : explorerText(verified),
  )
}

async function deploy({ rpc, key, keyPasswordFile, json, ...rest }: Options): Promise<void> {
  if (key === undefined) command.error("error: required option '--key <file>' not specified")
  const signer = await loadSigner({
    file: key,
    password: {
      file: keyPasswordFile,
      variable: 'URAIDEN_KEY_PASSWORD',
      prompt: process.stdin.isTTY ? () => askPassword('Password of the key: ') : undefined,
    },
    warn: say,
  })
  const token = rest.tokenAddress ?? {
    name: rest.tokenName,
    symbol: rest.tokenSymbol,
    decimals: rest.tokenDecimals,
    supply: rest.supply,
  }
  const { chainId, challengePeriod: blocks, challengeTime, confirmations, record } = rest
  const deployed = await deployContracts({
    rpcUrl: rpc,
    chainId: chainId === undefined ? undefined : BigInt(chainId),
    signer,
    token,
    challengePeriod: challengeTime === undefined ? { blocks } : { seconds: challengeTime / 1000 },
    confirmations,
    record,
    say,
  })
  process.stdout.write(
    json
      ? `${JSON.stringify(deployed)}\n`
      : `contract  ${deployed.contract}\ntoken     ${deployed.token}\n`,
  )
}

try {
  const options = command.opts<Options>()
  await (options.verify === undefined
    ? deploy(options)
    : verify(options.rpc, options.verify, options.json))
} catch (error) {
  if (!isUraidenError(error)) throw error
  const { message, hint, code }: UraidenError = error
  process.stderr.write(`deploy-contracts: ${message}\n${hint}   (${code})\n`)
  process.exitCode = 1
}
