// ./scripts/chain: an embedded chain that stays, for hands-on work.
import { Command } from 'commander'
import { deployTestContracts, startEmbeddedChain } from '../../test/lab/chains/embedded-chain.ts'
import { integer } from './shared/arguments.ts'

interface Options {
  readonly port: number
  readonly blockInterval?: number
  readonly challengePeriod: number
  readonly chainId: number
  readonly json?: true
}

const options = new Command('chain')
  .description('a local test chain with token and channels contract, until you press Ctrl-C')
  .option('--port <number>', 'TCP port on 127.0.0.1', integer(0, 65535), 8545)
  .option(
    '--block-interval <milliseconds>',
    'a block every so often; without it each transaction gets its own at once',
    integer(1, 3_600_000),
  )
  .option(
    '--chain-id <number>',
    'up to 110 where a client of the original packs it into a byte',
    integer(1, 2 ** 32),
    31337,
  )
  .option('--challenge-period <blocks>', 'of the channels contract', integer(500, 2 ** 31), 500)
  .option('--json', 'print one JSON object when the chain is ready')
  .parse()
  .opts<Options>()

const { port, blockInterval, challengePeriod, chainId, json } = options
const chain = await startEmbeddedChain({ port, blockInterval, chainId }).catch(
  (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    process.stderr.write(`chain: port ${port} is in use. Choose another one with --port.\n`)
    process.exit(2)
  },
)
const { tokenAddress, channelsAddress, token } = await deployTestContracts(chain.wallet(0), {
  challengePeriod,
})
const [, ...others] = chain.accounts.slice(0, 5)
for (const { address } of others) {
  const transfer = token.getFunction('transfer(address,uint256)')
  await (await transfer(address, 1000n * 10n ** 18n)).wait()
}

if (json) {
  const facts = {
    rpcUrl: chain.rpcUrl,
    chainId: Number(chain.chainId),
    token: tokenAddress,
    contract: channelsAddress,
    accounts: chain.accounts.slice(0, 5),
  }
  process.stdout.write(`${JSON.stringify(facts)}\n`)
} else {
  const keys = chain.accounts
    .slice(0, 5)
    .map(({ address, privateKey }, index) => `  ${index}  ${address}  ${privateKey}`)
  process.stdout.write(`A local test chain is running. Ctrl-C ends it; nothing is kept.

  rpc        ${chain.rpcUrl}
  chain id   ${chain.chainId}
  contract   ${channelsAddress}   version 0.4.0, challenge period ${challengePeriod} blocks
  token      ${tokenAddress}   TKN, 18 decimals

Accounts with 10000 ETH and 1000 TKN each (the first has the rest of the tokens).
The keys are public: never use them on a real network.

${keys.join('\n')}
`)
}

process.once('SIGINT', stop)
process.once('SIGTERM', stop)

async function stop(): Promise<void> {
  await chain.close()
  process.exit(0)
}
