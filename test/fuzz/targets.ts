// The parsers that take bytes from outside, each with what must hold for any bytes. A parser may refuse
// with an error of ours that says what to do; anything else that it throws is a defect.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { agentConfig } from '../../agent/program/configuration/config.ts'
import { connectChain } from '../../platform/chain/index.ts'
import { parseConfig } from '../../platform/config/index.ts'
import { decryptKeystore } from '../../platform/keys/keystore.ts'
import {
  formatAmount,
  formatPayment,
  formatTransfer,
  headerName,
  maxTokenAmount,
  parseAddress,
  parseAmount,
  parsePayment,
  parseSignature,
  parseTerms,
  parseTransfer,
  parseUint192,
} from '../../protocol/index.ts'
import {
  exactTerms,
  formatPaymentRequired,
  parseExactPayload,
  parsePaymentRequired,
  parsePaymentResponse,
  parsePaymentSignature,
  parseVersion1,
} from '../../protocol/x402/index.ts'
import { parseCookies } from '../../receiver/paywall/dialect.ts'
import { receiverConfig } from '../../receiver/program/config.ts'
import { field } from '../../receiver/server/api/relay.ts'

export interface Target {
  readonly name: string
  /** Words that stand in honest inputs. */
  readonly words: readonly string[]
  readonly run: (input: Buffer) => unknown
}

const account = parseAddress('0x0017A0079D2CDA7B83a67B0e5acDbCb8d8dF7A8d'.toLowerCase())
const names = Object.values(headerName)

export const targets: readonly Target[] = [
  { name: 'payment-headers', words: names, run: (input) => paymentOf(linesOf(input)) },
  { name: 'terms-headers', words: names, run: (input) => parseTerms(sourceOf(linesOf(input))) },
  {
    name: 'cookies',
    words: names,
    run: (input) => {
      const cookies = parseCookies(input.toString('latin1'))
      return parsePayment(
        () => undefined,
        (name) => cookies.get(name),
      )
    },
  },
  {
    name: 'api-body',
    words: ['balance', 'sender_address', 'deposit', 'signature', '{"', '":', '"}'],
    run: (input) => {
      const body = json(input)
      for (const name of ['balance', 'deposit']) optional(() => field(body, name, parseUint192))
      optional(() => field(body, 'sender_address', parseAddress))
      optional(() => field(body, 'signature', parseSignature))
    },
  },
  {
    name: 'x402',
    words: [
      'x402Version',
      'accepts',
      'accepted',
      'payload',
      'authorization',
      'eip155:',
      '{"',
      '":',
    ],
    run: (input) => x402Of(input),
  },
  {
    name: 'transfer',
    words: ['chainId', 'openBlock', 'balance', 'amount', 'signature', '{"', '":"', '"}'],
    run: (input) => {
      const transfer = parseTransfer(json(input))
      assert.deepEqual(parseTransfer(formatTransfer(transfer)), transfer)
    },
  },
  {
    name: 'amount',
    words: [
      'TKN',
      'units',
      '.',
      '000000000000000000',
      '6277101735386680763835789423207666416102355444464034512895',
    ],
    run: (input) => {
      const token = { symbol: 'TKN', decimals: 18 }
      const amount = parseAmount(input.toString(), token)
      must(amount >= 0n && amount <= maxTokenAmount, 'an amount out of its range')
      must(
        parseAmount(formatAmount(amount, token), token) === amount,
        'not the same when read again',
      )
    },
  },
  {
    name: 'agent-config',
    words: [
      'rpc:',
      'contract:',
      'budget:',
      'receivers:',
      'deposit:',
      '  url: ',
      '\n',
      '&a',
      '*a',
      '<<:',
    ],
    run: (input) => parseConfig(input.toString(), { file: 'agent.yaml', schema: agentConfig }),
  },
  {
    name: 'receiver-config',
    words: [
      'rpc:',
      'contract:',
      'resources:',
      '  /a: ',
      'price:',
      'listen:',
      '\n',
      '&a',
      '*a',
      '<<:',
    ],
    run: (input) =>
      parseConfig(input.toString(), { file: 'receiver.yaml', schema: receiverConfig }),
  },
  {
    name: 'keystore',
    words: ['"crypto"', '"kdfparams"', '"scrypt"', '"pbkdf2"', '"mac"', '"version":3', '{}'],
    run: (input) => {
      const text = input.toString()
      // Costly, and rightly so.
      if (/[0-9]{4}/.test(text.replace(/"[^"]*"/g, ''))) return
      return decryptKeystore(text, 'password', 'key.json')
    },
  },
  {
    name: 'rpc-answer',
    words: ['"number"', '"hash"', '"logs"', '"topics"', '"result"', '"0x1"', '"data"', '[{', '}]'],
    run: askNode,
  },
]

/** All that is read of a chain, from a node that answers everything with these bytes. */
async function askNode(input: Buffer): Promise<void> {
  const node = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { id, method } = JSON.parse(Buffer.concat(chunks).toString())
    const start = `{"jsonrpc":"2.0","id":${id},"result":`
    response.setHeader('content-type', 'application/json')
    response.end(
      method === 'eth_chainId'
        ? `${start}"0x1"}`
        : Buffer.concat([Buffer.from(start), input, Buffer.from('}')]),
    )
  })
  await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve))
  const rpcUrl = `http://127.0.0.1:${(node.address() as AddressInfo).port}`
  const chain = await connectChain({ rpcUrl, contract: account, timeout: 2000 })
  const channel = { sender: account, receiver: account, openBlock: 1 }
  const questions: readonly (() => Promise<unknown>)[] = [
    chain.head,
    () => chain.block(1),
    () => chain.events({ from: 1, to: 2 }),
    () => chain.channelInfo(channel),
    chain.contractFacts,
    () => chain.etherBalance(account),
  ]
  try {
    for (const ask of questions) await ask().catch(onlyOurs)
  } finally {
    chain.close()
    node.closeAllConnections()
    await new Promise((resolve) => node.close(resolve))
  }
}

/** The JSON of any of the three messages: what is read is the same when it is written and read again. */
function x402Of(input: Buffer): void {
  const field = input.toString('base64')
  optional(() => parsePaymentResponse(field))
  optional(() => parseVersion1(input.toString('utf8')))
  optional(() => {
    const required = parsePaymentRequired(field)
    const again = parsePaymentRequired(formatPaymentRequired(required))
    must(JSON.stringify(again) === JSON.stringify(required), 'not the same when read again')
    for (const each of required.accepts) optional(() => exactTerms(each, 'accepts'))
  })
  optional(() => parseExactPayload(parsePaymentSignature(field).payload, 'payload'))
}

function paymentOf(lines: ReadonlyMap<string, string>): void {
  const payment = parsePayment(sourceOf(lines))
  if (payment === undefined) return
  const fields = Object.entries(formatPayment(payment)).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  )
  const again = parsePayment(sourceOf(new Map(fields)))
  must(again?.balance === payment.balance, 'not the same when read again')
}

/** `Name: value`, a line each, as HTTP has them. */
function linesOf(input: Buffer): ReadonlyMap<string, string> {
  const lines = input.toString('latin1').split('\n')
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
    }),
  )
}

function sourceOf(lines: ReadonlyMap<string, string>) {
  return (name: string) => lines.get(name.toLowerCase())
}

function json(input: Buffer): unknown {
  try {
    return JSON.parse(input.toString())
  } catch {
    return undefined
  }
}

function optional(parse: () => unknown): void {
  try {
    parse()
  } catch (error) {
    onlyOurs(error)
  }
}

export function onlyOurs(error: unknown): void {
  if (!isClear(error)) throw error
}

/** An error of ours with a code and with what to do. */
function isClear(error: unknown): boolean {
  const { name, code, hint } = error as { name?: unknown; code?: unknown; hint?: unknown }
  return (
    name === 'UraidenError' && typeof code === 'string' && typeof hint === 'string' && hint !== ''
  )
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
