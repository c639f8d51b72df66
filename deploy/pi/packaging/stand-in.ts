// What answers commands in the daemon's place while V8's code of them is made: with a little of everything, so that
// what shows it is run. It listens on this machine, and the command is run by the Node of the package.

import { once } from 'node:events'
import { statSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { ReadByDaemon } from '../../../agent/program/configuration/known.ts'
import type { DaemonStatus } from '../../../agent/program/control/status.ts'
import { encode, encodeHeader, factsHeader } from '../../../agent/program/control/wire.ts'
import type { AgentStream } from '../../../agent/purchase/types.ts'
import { parseAddress } from '../../../protocol/index.ts'

export interface StandIn {
  readonly close: () => Promise<void>
}

/** As the daemon that has read `file`, on a socket in the folder `state`. */
export async function startStandIn(file: string, state: string): Promise<StandIn> {
  const answers = answersOf(file)
  const server = createServer((request, response) => {
    request.resume()
    const { url = '' } = request
    if (url !== '/buy') return void response.end(encode(answers[url.slice(1)]))
    response.writeHead(200, { [factsHeader]: encodeHeader(bought) })
    response.end('{"celsius":21.4}\n')
  })
  server.listen(join(state, 'control.sock'))
  await once(server, 'listening')
  return {
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const address = parseAddress('0x70997970C51812dc3A010C7d01b50e0d17dc79C8')
const token = { symbol: 'TKN', decimals: 18 }
const began = Date.UTC(2026, 0, 1)

const bought: Omit<AgentStream, 'body'> = {
  ...{ status: 200, headers: {}, roundTrips: 1 },
  payment: { price: 5n, cost: 5n, channel: `${address}/1`, balance: 10n, authentic: true },
}

function answersOf(file: string): Readonly<Record<string, unknown>> {
  return { configuration: configurationOf(file), facts: { address, token }, status: statusOf(file) }
}

function configurationOf(file: string): ReadByDaemon {
  const receivers = { shop: { url: 'http://127.0.0.1:5000', address } }
  return {
    ...{ file, loaded: statSync(file).mtimeMs },
    known: {
      chain: { rpcUrl: 'http://127.0.0.1:8545', contract: address },
      receivers: { receivers, contract: address, contracts: undefined, discovery: {}, folder: '' },
      ...{ request: undefined, deposit: {}, timeZone: undefined, jobs: ['reading'], assets: [] },
    },
  }
}

function statusOf(file: string): DaemonStatus {
  return {
    ...{ pid: 1, started: began, paused: false, address, key: 'sealed', token },
    configuration: { file, loaded: began, refused: undefined },
    jobs: [
      {
        ...{ name: 'reading', target: 'shop/reading', every: '1m', state: 'waiting', next: began },
        last: { began, ended: began, kind: 'done', price: '5', authentic: true },
        ...{ failures: 0, sinks: [] },
      },
    ],
    channels: [
      {
        ...{ receiver: address, openBlock: 1, deposit: 50n, bound: 10n, signed: 10n, exact: true },
        ...{ free: [], state: 'open', openTransaction: '0x', balance: 10n, top: 10n },
        ...{ certain: true, mayBeOld: false, inDoubt: false },
      },
    ],
    budget: {
      ...{ reserved: 10n, total: undefined, transactions: [] },
      limits: [{ scope: 'all', window: 'day', cap: 100n, used: 10n }],
    },
    ...{ waiting: undefined, clock: undefined, transactions: undefined, page: undefined },
    ...{ behaviour: [], troubles: [], proxy: { port: 8402, socket: undefined } },
    card: { mode: 'careful', flushed: undefined },
    counters: { payments: 2, refusals: 0, failures: 0 },
  }
}
