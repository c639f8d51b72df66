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
  readonly key: string
  readonly keyPasswordFile?: string
  readonly tokenName: string
  readonly tokenSymbol: string
  readonly tokenDecimals: number
  readonly supply: bigint
  readonly tokenAddress?: ReturnType<typeof parseTypedAddress>
  readonly json?: true
}

const options = new Command('deploy-contracts')
  .description('deploys the channels contract, and a token unless --token-address names one')
  .requiredOption('--rpc <url>', 'JSON-RPC endpoint')
  .requiredOption('--key <file>', 'the deployer’s key: a geth keystore, or 64 hex digits')
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
  .option(
    '--supply <tokens>',
    'of a new token, in whole tokens',
    argument(parseUint192),
    10_000_000n,
  )
  .option('--token-address <address>', 'use this token', argument(parseTypedAddress))
  .option('--confirmations <blocks>', 'to wait for', integer(1, 1000), 1)
  .option('--record <folder>', 'where to write the record <chain id>.json', deploymentsFolder)
  .option('--json', 'print one JSON object at the end')
  .parse()
  .opts<Options>()

const say = (line: string) => process.stderr.write(`${line}\n`)

async function run({ rpc, key, keyPasswordFile, json, ...rest }: Options): Promise<void> {
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
  await run(options)
} catch (error) {
  if (!isUraidenError(error)) throw error
  const { message, hint, code }: UraidenError = error
  process.stderr.write(`deploy-contracts: ${message}\n${hint}   (${code})\n`)
  process.exitCode = 1
}
