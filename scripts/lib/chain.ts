// ./scripts/chain: an embedded chain that stays, for hands-on work.
import { Command } from 'commander'
import { type Address, isUraidenError, parseTypedAddress } from '../../protocol/index.ts'
import {
  type FundedChain,
  findPurse,
  fund,
  fundedAccounts,
  gift,
  startFundedChain,
  usualTokens,
} from './chain/test-chain.ts'
import { argument, integer, several } from './shared/arguments.ts'
import { runScript, stopRequest } from './shared/script.ts'

interface Options {
  readonly port: number
  readonly blockInterval?: number
  readonly challengePeriod: number
  readonly chainId: number
  readonly fund?: readonly Address[]
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
  .option(
    '--fund <address>',
    'give it tokens and ether; may be given again. Where such a chain runs already, it gives there and ends',
    several(argument(parseTypedAddress)),
  )
  .option('--json', 'print one JSON object when the chain is ready')
  .parse()
  .opts<Options>()

await runScript('chain', () => run(options))

async function run(given: Options): Promise<void> {
  const asked = stopRequest()
  const { fund: addresses = [], json } = given
  const chain = await startUnlessOneRuns(given)
  if (chain === undefined) return
  try {
    for (const address of addresses) await fund(chain, address)
    process.stdout.write(json ? `${JSON.stringify(facts(chain))}\n` : text(chain, given))
    await asked
  } finally {
    await chain.chain.close()
  }
}

/** Undefined where one runs: then that one gives. @throws UraidenError `port_in_use` */
async function startUnlessOneRuns(given: Options): Promise<FundedChain | undefined> {
  try {
    return await startFundedChain(given)
  } catch (error) {
    const { fund: addresses = [], json } = given
    const purse =
      isUraidenError(error, 'port_in_use') && addresses.length > 0
        ? await findPurse(given)
        : undefined
    if (purse === undefined) throw error
    for (const address of addresses) await fund(purse, address)
    purse.owner.provider?.destroy()
    process.stdout.write(
      json ? `${JSON.stringify({ funded: addresses })}\n` : fundedText(addresses),
    )
    return undefined
  }
}

function facts({ chain, tokenAddress, channelsAddress }: FundedChain) {
  return {
    rpcUrl: chain.rpcUrl,
    chainId: Number(chain.chainId),
    token: tokenAddress,
    contract: channelsAddress,
    accounts: chain.accounts.slice(0, fundedAccounts),
  }
}

function fundedText(addresses: readonly Address[]): string {
  const lines = addresses.map(
    (address) => `${address} has got ${gift.tokens} TKN and ${gift.ether} ETH.\n`,
  )
  return lines.join('')
}

function text(
  { chain, tokenAddress, channelsAddress }: FundedChain,
  { challengePeriod, fund: addresses = [] }: Options,
): string {
  const keys = chain.accounts
    .slice(0, fundedAccounts)
    .map(({ address, privateKey }, index) => `  ${index}  ${address}  ${privateKey}`)
  return `A local test chain is running. Ctrl-C ends it; nothing is kept.

  rpc        ${chain.rpcUrl}
  chain id   ${chain.chainId}
  contract   ${channelsAddress}   version 0.4.0, challenge period ${challengePeriod} blocks
  token      ${tokenAddress}   TKN, 18 decimals

Accounts with 10000 ETH and ${usualTokens} TKN each (the first has the rest of the tokens).
The keys are public: never use them on a real network.

${keys.join('\n')}

${addresses.length === 0 ? 'Tokens and ether for another account:  ./scripts/chain --fund ADDRESS\n' : fundedText(addresses)}`
}
