// A receiver that says what the test tells it to, and an agent that has a channel to it. No chain: the
// channel is in the agent's ledger, as after a restart.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'
import { openLedger } from '../../agent/channels/ledger.ts'
import type { ChannelEntry } from '../../agent/channels/records.ts'
import { type Agent, type AgentOptions, createAgent, createKeySigner } from '../../agent/index.ts'
import {
  addressOfKey,
  formatTerms,
  fromHex,
  type HeaderFields,
  type Payment,
  parsePayment,
  type Terms,
} from '../../protocol/index.ts'
import { freePort } from '../lab/processes/free-port.ts'
import { temporaryFolder } from './folder.ts'
import { channel, newChannel, noon, receiver } from './ledger.ts'

export const senderKey = `0x${'11'.repeat(32)}`
export const receiverKey = `0x${'22'.repeat(32)}`
export const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
export const token = addressOfKey(fromHex(`0x${'55'.repeat(32)}`))
export const chainId = 31337n
export const sender = addressOfKey(fromHex(senderKey))

export const terms: Terms = {
  gatewayPath: '/api/1',
  receiver,
  contract,
  token,
  price: 5n,
  features: new Set(),
}

export interface Received {
  readonly request: IncomingMessage
  readonly payment: Payment | undefined
  readonly body: string
  /** How many requests came before this one. */
  readonly before: number
}

export interface Said {
  readonly status: number
  readonly headers?: HeaderFields
  readonly body?: string
}

/** What is answered, or something that is done to the connection. */
export type Script = (received: Received, response: ServerResponse) => Said | undefined

export function asks(changes: Partial<Terms> = {}): Said {
  return { status: 402, headers: formatTerms({ ...terms, ...changes }) }
}

export function serves(changes: Partial<Terms> = {}, body = 'data'): Said {
  return { status: 200, headers: formatTerms({ ...terms, ...changes }), body }
}

export interface LyingReceiver {
  readonly url: string
  readonly received: readonly Received[]
  /** The highest balance that it holds a signature for. */
  readonly highest: () => bigint
  /** Nobody listens any more, and no connection is left. */
  readonly leave: () => void
  /** On the same port. */
  readonly comeBack: () => Promise<void>
}

export async function lyingReceiver(t: ExecutionContext, script: Script): Promise<LyingReceiver> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const header = (name: string): string | undefined => {
      const value = request.headers[name.toLowerCase()]
      return Array.isArray(value) ? value.join(', ') : value
    }
    const body = await text(request)
    const next = { request, payment: parsePayment(header), body, before: received.length }
    received.push(next)
    const said = script(next, response)
    if (said !== undefined) response.writeHead(said.status, said.headers).end(said.body)
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const leave = (): void => {
    server.close()
    server.closeAllConnections()
  }
  t.teardown(leave)
  return {
    url: `http://127.0.0.1:${port}/data`,
    received,
    leave,
    comeBack: () => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve)),
    highest: () =>
      received.reduce(
        (most, { payment }) => (payment && payment.balance > most ? payment.balance : most),
        0n,
      ),
  }
}

/** An agent with a channel of 1000 units to the receiver, and no chain to ask. */
export async function agentWithChannel(
  t: ExecutionContext,
  options: Partial<AgentOptions> = {},
  entry: Partial<ChannelEntry> = {},
  contractVersion = '0.3.0',
): Promise<Agent> {
  const { store = join(await temporaryFolder(t), 'agent') } = options
  const owner = { chainId, contract, account: sender }
  const ledger = await openLedger({
    ...{ folder: store, owner, reservation: 1, budget: {} },
    readClock: () => noon,
  })
  await ledger.add({ ...newChannel(1000n), ...entry })
  await ledger.rememberFacts({
    token: { address: token, symbol: 'TKN', decimals: 0 },
    contractVersion,
  })
  await ledger.close()
  return agentOn(t, store, options)
}

/** On a store that has its channel. */
export async function agentOn(
  t: ExecutionContext,
  store: string,
  options: Partial<AgentOptions> = {},
): Promise<Agent> {
  const agent = await createAgent({
    signer: createKeySigner(fromHex(senderKey)),
    rpcUrl: 'http://127.0.0.1:9',
    ...{ chainId, contract, store },
    reservation: 1,
    retryInterval: 5,
    timeout: 20_000,
    // Receivers of the original know nothing of it.
    bound: 'off',
    ...options,
  })
  t.teardown(() => agent.stop().catch(() => undefined))
  return agent
}

export { channel }
