// What the programs of the playground are told: the texts of their files.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Address } from '../../../protocol/index.ts'
import { examplesFolder } from '../examples/start.ts'

/** Public, as the keys of the test chain are. */
export const login = { user: 'owner', password: 'playground', token: 'playground-token' }

interface ChainPlace {
  readonly rpcUrl: string
  readonly contract: Address
}

interface Shop {
  readonly chain: ChainPlace
  /** For its key and state. */
  readonly folder: string
  readonly port: number
  /** Of its dashboard. */
  readonly adminPort: number
  /** Of the dashboard's password. */
  readonly hash: string
  /** The part `resources`. */
  readonly goods: string
}

export const sensorPaths = ['/sensors/temperature', '/sensors/load'] as const
export const wikiPath = '/wiki/Payment_channel'

export function sensorGoods(): string {
  const thermometer = fileURLToPath(new URL('thermometer.ts', import.meta.url))
  const read = join(examplesFolder, 'sensor/read.js')
  return `
  ${sensorPaths[0]}: { price: 0.005 TKN, module: ${JSON.stringify(thermometer)} }
  ${sensorPaths[1]}:
    price: 0.001 TKN
    command: ${JSON.stringify([process.execPath, read, 'load'])}
    type: application/json`
}

export function wikiGoods(upstream: string): string {
  return `
  /wiki/*: { price: 0.0001 TKN, upstream: '${upstream}', teaser: { show: [h1, .summary] } }
  /static/*: { price: 0, upstream: '${upstream}' }`
}

export function receiverYaml({ chain, folder, port, adminPort, hash, goods }: Shop): string {
  return `rpc: ${chain.rpcUrl}
contract: '${chain.contract}'
key: ${JSON.stringify(join(folder, 'key'))}
state: ${JSON.stringify(join(folder, 'state'))}
listen: 127.0.0.1:${port}
# The chain makes a block for each transaction, and none after it.
confirmations: 1
pollInterval: 0.2
log: { level: error, format: text }
admin:
  listen: 127.0.0.1:${adminPort}
  users: { ${login.user}: '${hash}' }
resources:${goods}
`
}

interface Buyer {
  readonly chain: ChainPlace
  readonly folder: string
  readonly pagePort: number
  readonly proxyPort: number
  readonly sensor: Seller
  readonly wiki: Seller
}

interface Seller {
  readonly url: string
  readonly address: Address
}

export function agentYaml({ chain, folder, pagePort, proxyPort, sensor, wiki }: Buyer): string {
  const at = (name: string) => JSON.stringify(join(folder, name))
  return `rpc: ${chain.rpcUrl}
contract: '${chain.contract}'
key: ${at('key')}
state: ${at('state')}
control: { socket: ${at('control.sock')} }
log: { level: error, format: text }
budget:
  request: 0.01 TKN
  day: 5 TKN
  jobs: { article: { hour: 0.002 TKN } }
receivers:
  sensors: { url: '${sensor.url}', address: '${sensor.address}' }
  wiki: { url: '${wiki.url}', address: '${wiki.address}' }
jobs:
  temperature:
    get: sensors${sensorPaths[0]}
    every: 10s
    sinks: [{ csv: ${at('temperature.csv')}, select: $.celsius }]
  load:
    get: sensors${sensorPaths[1]}
    every: 30s
    sinks: [{ file: ${at('load.jsonl')} }]
  # Its budget is spent after twenty.
  article:
    get: wiki${wikiPath}
    every: 1m
    sinks: [{ file: ${at('articles.jsonl')} }]
page: { listen: '127.0.0.1:${pagePort}', token: ${at('page-token')} }
proxy: { listen: 127.0.0.1:${proxyPort} }
`
}
