// A receiver that is paid with bound requests and keeps simple books, built on protocol/bound alone; and
// somebody between it and the agent who changes what passes.
import { createHash } from 'node:crypto'
import {
  type Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'
import { createKeySigner } from '../../platform/keys/index.ts'
import {
  answerId,
  type BoundKeys,
  type BoundPayment,
  boundRefusal,
  createRequestKey,
  deriveBoundKeys,
  type FieldLines,
  fieldLines,
  formatContentDigest,
  parseBoundPayment,
  parseBoundRequest,
  parseRequestKey,
  type RequestKeyPair,
  receiverKeyDigest,
  serializeReceipt,
  serializeReceiverKey,
  sharedSecret,
  signAnswer,
  type VerifiedRequest,
  verifyRequest,
  verifyRequestKey,
} from '../../protocol/bound/index.ts'
import {
  formatTerms,
  fromHex,
  hashTick,
  headerName,
  isBalanceProof,
  isCommitment,
  packTickProof,
  parsePayment,
  type ShownProof,
  type TickedCommitment,
  tickIndex,
} from '../../protocol/index.ts'
import { chainId, contract, receiverKey, sender, terms } from './lying-receiver.ts'

export type Lines = [string, string][]

export interface Said {
  readonly status: number
  readonly fields: Lines
  readonly body: Buffer
}

export interface Asked {
  readonly method: string
  readonly path: string
  readonly fields: Lines
  readonly body: Buffer
}

export interface BoundReceiverOptions {
  /** What a resource says; by default its path and how many were served before. */
  readonly serve?: (asked: Asked, number: number) => Said
  /** The body comes with a receipt in place of a digest. */
  readonly later?: boolean
  /** Keeps no reply, so that a payment is refused when it comes again. */
  readonly forgets?: boolean
  /** Says of payments that their proof is invalid. */
  readonly refuses?: () => boolean
  /** What it costs in truth, where the terms say less. */
  readonly dearer?: bigint
  /** Whether it offers to be paid bound. */
  readonly offers?: () => boolean
  /** Its request key. */
  readonly key?: RequestKeyPair
  /** The balance that the channel had before. */
  readonly stand?: { readonly balance: bigint; readonly signature: ShownProof }
  /** Whether ticks are taken, and said to be. */
  readonly ticks?: () => { readonly taken: boolean; readonly offered: boolean }
  /** What a path costs, where that is not the same for all. */
  readonly priceAt?: (path: string) => bigint
  /** What an answer says that it cost, where that is not its price. */
  readonly charges?: (path: string) => bigint
}

export const openBlock = 7
const channelId = { sender, receiver: terms.receiver, openBlock }
const domain = { chainId, contract }
const { price } = terms
const features = new Set(['parallel', 'eip712'] as const)

export async function boundReceiver(t: ExecutionContext, options: BoundReceiverOptions = {}) {
  const books = new Books(options)
  const origin = await inTheMiddle(t, (asked) => {
    books.asked.push(asked)
    return books.answer(asked)
  })
  return { origin, url: `${origin}/data`, books }
}

class Books {
  readonly asked: Asked[] = []
  readonly #options: BoundReceiverOptions
  #pair: RequestKeyPair
  #number = 1n
  #keys: BoundKeys | undefined
  #best: { balance: bigint; signature: ShownProof } | undefined
  #known: TickedCommitment | undefined
  /** What each balance has paid for, by the MAC of its request. */
  readonly #replies = new Map<string, Said>()
  readonly #claims: { from: bigint; to: bigint }[] = []
  readonly #receipts = new Map<string, string>()
  /** Resources that were served, each with what it was paid by. */
  readonly served: string[] = []
  /** Payments that came without a signature on the request. */
  unbound = 0
  closedAt: bigint | undefined
  /** The highest balance of a payment, taken or not. */
  offered = 0n
  /** Of each payment what proved it. */
  readonly proofs: string[] = []

  constructor(options: BoundReceiverOptions) {
    this.#options = options
    this.#pair = options.key ?? createRequestKey()
    this.#best = options.stand
    if (options.stand !== undefined) this.#claims.push({ from: 0n, to: options.stand.balance })
  }

  get highest(): bigint {
    return this.#best?.balance ?? 0n
  }

  /** Another request key, with a higher number. */
  rotate(): void {
    this.#pair = createRequestKey()
    this.#number += 1n
    this.#keys = undefined
  }

  /** As after a restore of a backup that was made at `balance`. */
  restore(balance: bigint, signature: ShownProof | undefined): void {
    this.#best = signature === undefined ? undefined : { balance, signature }
    this.#known = undefined
    this.#replies.clear()
    this.#claims.splice(0, this.#claims.length, { from: 0n, to: balance })
  }

  get best(): ShownProof | undefined {
    return this.#best?.signature
  }

  /** The keys of the channel are forgotten, as after a restore. */
  forget(): void {
    this.#keys = undefined
  }

  async answer(asked: Asked): Promise<Said | undefined> {
    const { path, method } = asked
    const offers = this.#options.offers?.() ?? true
    if (path === '/api/1/request-key') {
      return offers ? json(200, await this.#ownKey()) : json(404, '{}')
    }
    if (method === 'PUT' && path.endsWith('/request-key')) return this.#bind(asked)
    const bound = this.#verified(asked)
    if (bound === undefined) return this.#unbound(asked)
    if ('status' in bound) return bound
    return this.#bound(asked, bound)
  }

  async #ownKey(): Promise<string> {
    const signer = createKeySigner(fromHex(receiverKey))
    const key = { key: this.#pair.publicKey, number: this.#number, until: 1_000_000n }
    const signature = await signer.sign(receiverKeyDigest(domain, key))
    return serializeReceiverKey({ ...key, signature })
  }

  #bind(asked: Asked): Said {
    const signed = parseRequestKey(asked.body.toString())
    const own = verifyRequestKey(signed, { domain, channel: channelId })
    if (!own.ok) return refusal('request_key_invalid')
    const keys = deriveBoundKeys(sharedSecret(this.#pair.privateKey, own.value.key), {
      ...domain,
      channel: channelId,
      senderKey: own.value.key,
      receiverKey: this.#pair.publicKey,
    })
    const request = this.#verified(asked, keys)
    if (request === undefined) return refusal('request_altered')
    if ('status' in request) return request
    this.#keys = keys
    const fields: Lines = [[headerName.senderBalance, `${this.highest}`]]
    if (this.#best !== undefined) fields.push([headerName.signature, this.#best.signature])
    return this.#signed(request, { status: 200, fields, body: Buffer.from('{}') })
  }

  #verified(asked: Asked, keys = this.#keys): VerifiedRequest | Said | undefined {
    const { pathname, search } = new URL(`http://x${asked.path}`)
    const claimed = parseBoundRequest({
      ...{ method: asked.method, path: pathname, query: search },
      fields: asked.fields as FieldLines,
    })
    if (claimed === undefined) return undefined
    if (!claimed.ok) return refusal('request_altered')
    const verified = verifyRequest(claimed.value, keys)
    if (!verified.ok) {
      return refusal(verified.code === 'other_origin' ? 'request_altered' : verified.code)
    }
    const digest = verified.value.contentDigest
    const fits =
      digest === undefined
        ? asked.body.length === 0
        : createHash('sha256').update(asked.body).digest().equals(Buffer.from(digest))
    return fits ? verified.value : refusal('request_altered')
  }

  #unbound({ fields, path }: Asked): Said {
    const header = (name: string) =>
      fields.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1]
    if (parsePayment(header) !== undefined) this.unbound += 1
    return {
      status: 402,
      fields: Object.entries(
        formatTerms({ ...terms, features, price: this.#options.priceAt?.(path) ?? price }),
      ),
      body: Buffer.of(),
    }
  }

  #bound(asked: Asked, request: VerifiedRequest): Said {
    const { method, path, body } = asked
    if (path.includes('/answers/')) {
      const receipt = this.#receipts.get(path.slice(-32))
      return this.#signed(request, json(receipt === undefined ? 404 : 200, receipt ?? '{}'))
    }
    if (method === 'DELETE') {
      this.closedAt = BigInt(JSON.parse(body.toString()).balance)
      return this.#signed(request, json(409, '{"detail":"not in this test"}'))
    }
    const id = answerId(request.mac)
    const kept = this.#replies.get(id)
    if (kept !== undefined) return kept
    return this.#pay(asked, request, id)
  }

  #pay(asked: Asked, request: VerifiedRequest, id: string): Said {
    const payment = parseBoundPayment(request.covered)
    if (payment === undefined) return this.#signed(request, json(200, '{}'))
    const { balance, amount } = payment
    const from = balance - amount
    const { refuses = () => false } = this.#options
    const dearer = this.#priceOf(asked)
    this.proofs.push(kindOf(payment))
    if (balance > this.offered) this.offered = balance
    if (refuses()) return this.#refused(request, [[headerName.invalidBalanceProof, '1']], asked)
    const proof = this.#proofIn(payment)
    if (proof === 'unknown') return this.#refused(request, [[headerName.tickUnknown, '1']], asked)
    if (proof === 'none') return this.#refused(request, [], asked)
    const taken = this.#claims.some((each) => each.from < balance && from < each.to)
    if (taken || amount < dearer) {
      return this.#refused(request, [[headerName.invalidAmount, '1']], asked)
    }
    // What costs nothing pays again.
    if (this.#options.charges?.(asked.path) !== 0n) this.#claims.push({ from, to: balance })
    if (proof !== 'covered' && balance > this.highest) this.#best = { balance, signature: proof }
    this.served.push(`${asked.method} ${asked.path}`)
    const said = this.#paid(asked, request, id)
    if (this.#options.forgets !== true) this.#replies.set(id, said)
    return said
  }

  #priceOf({ path }: Asked): bigint {
    return this.#options.priceAt?.(path) ?? this.#options.dearer ?? price
  }

  /** What proves the balance, and what it is known by from now on. */
  #proofIn({ balance, signature, tick, commitment }: BoundPayment) {
    const { taken = false } = this.#options.ticks?.() ?? {}
    if (taken && balance <= this.highest) return 'covered' as const
    if (signature !== undefined) {
      const proof = { domain, channel: channelId, balance, signature }
      return isBalanceProof(proof) ? signature : ('none' as const)
    }
    if (tick === undefined) return 'none' as const
    const named = commitment ?? this.#known?.commitment
    const index = named && tickIndex(named, balance)
    const isGood =
      taken &&
      named &&
      index !== undefined &&
      hashTick(tick, index) === named.root &&
      isCommitment(domain, channelId, named)
    if (!isGood) return 'unknown' as const
    this.#known = { commitment: named, index, word: tick }
    return packTickProof(this.#known)
  }

  #paid(asked: Asked, request: VerifiedRequest, id: string): Said {
    const { serve = serveNumbers, later = false } = this.#options
    const { status, fields, body } = serve(asked, this.served.length)
    const paid: Lines = [
      ...fields,
      [headerName.price, `${this.#priceOf(asked)}`],
      [headerName.senderBalance, `${this.highest}`],
    ]
    const { charges, ticks } = this.#options
    const dearer = charges?.(asked.path) ?? this.#priceOf(asked)
    if (ticks?.().offered) paid.push([headerName.features, 'ticks'])
    if (!later) {
      const cost: Lines = [[headerName.cost, `${dearer}`]]
      return this.#signed(request, { status, body, fields: [...paid, ...cost] })
    }
    const digest = createHash('sha256').update(body).digest()
    const receipt = { status, length: body.length, digest, complete: true, cost: 2n }
    this.#receipts.set(id, serializeReceipt(receipt))
    return this.#signed(request, { status, body, fields: [...paid, ['RDN-Body', 'later']] })
  }

  #refused(request: VerifiedRequest, fields: Lines, asked: Asked): Said {
    return this.#signed(request, {
      status: 402,
      fields: [
        [headerName.price, `${this.#priceOf(asked)}`],
        [headerName.senderBalance, `${this.highest}`],
        [headerName.cost, '0'],
        ...(this.#options.ticks?.().offered
          ? [[headerName.features, 'ticks'] as [string, string]]
          : []),
        ...fields,
      ],
      body: Buffer.of(),
    })
  }

  #signed(request: VerifiedRequest, said: Said): Said {
    const keys = this.#keys
    if (keys === undefined) throw new Error('no keys to sign with')
    const { status, body } = said
    const later = said.fields.some(([name]) => name === 'RDN-Body')
    const digest: Lines =
      body.length === 0 || later
        ? []
        : [['Content-Digest', formatContentDigest(createHash('sha256').update(body).digest())]]
    const fields: Lines = [...said.fields, ...digest]
    const signature = signAnswer({ status, fields }, keys, { requestMac: request.mac })
    return { status, body, fields: [...fields, ...Object.entries(signature.fields)] }
  }
}

function kindOf({ signature, tick, commitment }: BoundPayment): string {
  if (signature !== undefined) return 'signature'
  if (tick === undefined) return 'nothing'
  return commitment === undefined ? 'tick' : 'commitment'
}

function serveNumbers({ path }: Asked, number: number): Said {
  return {
    status: 200,
    fields: [['Content-Type', 'text/plain']],
    body: Buffer.from(`${path} ${number}`),
  }
}

function refusal(code: Parameters<typeof boundRefusal>[0]): Said {
  const { status } = boundRefusal(code)
  return json(status, JSON.stringify({ code }))
}

function json(status: number, body: string): Said {
  return { status, fields: [['Content-Type', 'application/json']], body: Buffer.from(body) }
}

/** What somebody between does. `asked` counts from 0; a `Said` in place of the request is the answer. */
export interface Meddling {
  readonly request?: (asked: Asked, number: number) => Asked | Said
  readonly answer?: (
    said: Said,
    asked: Asked,
    number: number,
  ) => Said | undefined | Promise<Said | undefined>
}

/** What ends with a test, or with a run of a program. */
export type Endings = Pick<ExecutionContext, 'teardown'>

/** Whoever is asked, and what it says to that; with nothing the connection breaks off. */
export function inTheMiddle(
  t: Endings,
  answer: (asked: Asked) => Promise<Said | undefined>,
): Promise<string> {
  return listen(t, async (request, response) => {
    const said = await answer(await read(request))
    if (said === undefined) request.socket.destroy()
    else send(response, said)
  })
}

/** Between the agent and `target`: sees everything and does what it likes. */
export async function between(t: ExecutionContext, target: string, meddling: Meddling) {
  const seen: { readonly asked: Asked; readonly said: Said }[] = []
  let number = -1
  const origin = await inTheMiddle(t, async (asked) => {
    number += 1
    const own = number
    const passed = meddling.request?.(asked, own) ?? asked
    const said = 'status' in passed ? passed : await forward(target, passed)
    seen.push({ asked, said })
    return meddling.answer === undefined ? said : meddling.answer(said, asked, own)
  })
  return { origin, url: `${origin}/data`, seen }
}

/** Straight to a receiver, past every agent; on a connection of its own unless `connections` are given. */
export function forward(
  target: string,
  { method, path, fields, body }: Asked,
  connections: Agent | false = false,
): Promise<Said> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(target)
    const kept = fields.filter(([name]) => !/^(?:connection|transfer-encoding)$/i.test(name))
    const request = httpRequest(
      { hostname, port, method, path, headers: kept.flat(), agent: connections },
      async (response) => {
        const said = await buffer(response).catch(reject)
        if (said === undefined) return
        const lines = [...fieldLines(response.rawHeaders)].map(([a, b]): [string, string] => [a, b])
        resolve({ status: response.statusCode ?? 0, fields: lines, body: said })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** The value of a field; '' when it is not there. */
export function field({ fields }: Pick<Said, 'fields'>, name: string): string {
  return fields.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1] ?? ''
}

/** With other values of these fields; without those that are undefined. */
export function withFields<Message extends Said | Asked>(
  message: Message,
  changes: { readonly [name: string]: string | undefined },
): Message {
  const names = new Set(Object.keys(changes).map((name) => name.toLowerCase()))
  const added = Object.entries(changes).flatMap(
    ([name, value]): Lines => (value === undefined ? [] : [[name, value]]),
  )
  const kept = message.fields.filter(([name]) => !names.has(name.toLowerCase()))
  return { ...message, fields: [...kept, ...added] }
}

async function listen(
  t: Endings,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<string> {
  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function read(request: IncomingMessage): Promise<Asked> {
  const body = await buffer(request)
  const fields = fieldLines(request.rawHeaders).map(([name, value]): [string, string] => [
    name,
    value,
  ])
  return { method: request.method ?? '', path: request.url ?? '', fields, body }
}

/** Bodies are sent with a length of their own. */
function send(response: ServerResponse, { status, fields, body }: Said): void {
  const kept = fields.filter(
    ([name]) => !/^(?:content-length|transfer-encoding|connection)$/i.test(name),
  )
  const length: Lines =
    status === 204 || status === 304 ? [] : [['Content-Length', `${body.length}`]]
  response.writeHead(status, [...kept, ...length].flat())
  response.end(body)
}
