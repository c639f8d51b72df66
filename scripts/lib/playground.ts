// ./scripts/playground: a chain, two shops and an agent that buys, until Ctrl-C ends all of it.
import { Command } from 'commander'
import { sensorPaths, wikiPath } from './playground/configuration.ts'
import { purchaseJson, purchaseLine, watchPurchases } from './playground/purchases.ts'
import {
  gone,
  type PlaygroundFacts,
  placesInARow,
  portsFrom,
  startPlayground,
} from './playground/start.ts'
import { integer } from './shared/arguments.ts'
import { listening, runScript, stopRequest } from './shared/script.ts'

interface Options {
  readonly port?: number
  readonly json?: true
}

const options = new Command('playground')
  .description(
    'a test chain, two shops and an agent that buys from them, with their pages, on this machine alone, until you press Ctrl-C',
  )
  .option(
    '--port <number>',
    `the first of ${placesInARow.length} TCP ports on 127.0.0.1, one after the other; free ones without it`,
    integer(1, 65_536 - placesInARow.length),
  )
  .option('--json', 'print one JSON object when everything runs, then a line for each purchase')
  .parse()
  .opts<Options>()

await runScript('playground', () => run(options))

async function run({ port, json }: Options): Promise<void> {
  const stopping = new AbortController()
  const asked = Promise.race([stopRequest(), outputGone()]).then(() => stopping.abort())
  const ports = await portsFrom(port)
  const start = () => startPlayground(ports, stopping.signal)
  const playground = await listening(ports.chain, start).catch((error: unknown) => {
    if (stopping.signal.aborted) return undefined
    throw error
  })
  if (playground === undefined) return
  const { facts, broken, stop } = playground
  process.stdout.write(json ? `${JSON.stringify(facts)}\n` : text(facts))
  const silence = watchPurchases(facts.agent.socket, (purchase, token) => {
    process.stdout.write(`${json ? purchaseJson(purchase) : purchaseLine(purchase, token)}\n`)
  })
  try {
    const name = await Promise.race([asked, broken])
    if (name !== undefined) throw gone(name)
  } finally {
    silence()
    await stop()
  }
}

/** Whoever read it is away, such as a closed terminal: there is nobody to play. */
function outputGone(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.on('error', () => resolve())
  })
}

function text({ chain, sensors, wiki, agent, login, wallet }: PlaygroundFacts): string {
  const [temperature, load] = sensorPaths
  return `A playground on this machine alone. Ctrl-C ends all of it, and nothing is kept.

  chain        ${chain.rpcUrl}   id ${chain.chainId}, contract ${chain.contract}
  sensor shop  ${sensors.url}   ${temperature} for 0.005 TKN, ${load} for 0.001 TKN
    dashboard  ${sensors.dashboard}   user ${login.user}, password ${login.password}
  wiki shop    ${wiki.url}${wikiPath}   0.0001 TKN a page
    dashboard  ${wiki.dashboard}   the same
    pay there  with a wallet in the browser; its key: ${wallet.privateKey}
  agent        ${agent.page}
    to act     token ${login.token}
    proxy      ${agent.proxy}   pays for any program

Try, in another terminal:
  curl -x ${agent.proxy} ${sensors.url}${load}
  ./scripts/uraiden-agent --config ${agent.config} status

What the agent buys:

`
}
