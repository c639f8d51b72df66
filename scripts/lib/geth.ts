// ./scripts/geth: see its --help.
import { Command } from 'commander'
import { isUraidenError } from '../../protocol/index.ts'
import { installGeth } from '../../test/lab/geth/binary.ts'
import { startGethChain } from '../../test/lab/geth/chain.ts'
import { gethVersion } from '../../test/lab/geth/process.ts'
import { integer } from './shared/arguments.ts'

interface Options {
  readonly port: number
  readonly period: number
  readonly install?: true
  readonly json?: true
}

const options = new Command('geth')
  .description('a real geth in development mode on 127.0.0.1, until you press Ctrl-C')
  .option('--port <number>', 'TCP port; 0 takes a free one', integer(0, 65535), 8545)
  .option(
    '--period <seconds>',
    'from block to block; 0: a block as soon as there is a transaction',
    integer(0, 3600),
    1,
  )
  .option('--install', 'only get a geth: build the pinned release with Go, or find one')
  .option('--json', 'print one JSON object when it is ready')
  .parse()
  .opts<Options>()

try {
  await run(options)
} catch (error) {
  if (!isUraidenError(error)) throw error
  process.stderr.write(`geth: ${error.message}\n${error.hint}   (${error.code})\n`)
  process.exitCode = 1
}

async function run({ port, period, install, json }: Options): Promise<void> {
  const geth = await installGeth((line) => process.stderr.write(`${line}\n`))
  const version = await gethVersion(geth)
  if (install) {
    process.stdout.write(`geth ${version}   ${geth}\n`)
    return
  }
  const chain = await startGethChain({ geth, port, period, accounts: 5 })
  const { rpcUrl, chainId, accounts, close } = chain
  if (json) {
    const facts = { version, rpcUrl, chainId: Number(chainId), accounts }
    process.stdout.write(`${JSON.stringify(facts)}\n`)
  } else {
    const keys = accounts.map(
      ({ address, privateKey }, index) => `  ${index}  ${address}  ${privateKey}`,
    )
    process.stdout.write(`geth ${version} is running. Ctrl-C ends it; nothing is kept.

  rpc        ${rpcUrl}
  chain id   ${chainId}, ${period === 0 ? 'a block for each transaction' : `a block every ${period} s`}

Accounts with 10000 ETH each. The keys are public: never use them on a real network.

${keys.join('\n')}

Token and channels contract:  ./scripts/deploy-contracts --rpc ${rpcUrl} --key FILE
`)
  }
  const stop = async () => {
    await close()
    process.exit(0)
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}
