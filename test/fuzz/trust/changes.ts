// What an attacker makes of messages that it sees: pure, by what the plan says and what was seen before.
import { gzipSync } from 'node:zlib'
import type { Asked, Lines, Said } from '../../support/bound-receiver.ts'
import { field, withFields } from '../../support/bound-receiver.ts'
import type { AnswerChange, RequestChange } from './schedule.ts'

/** A message of the agent and what the receiver said to it, as the attacker saw them. */
export interface Seen {
  readonly asked: Asked
  readonly said: Said | undefined
}

export function pickOf<Item>(items: readonly Item[], pick: number): Item | undefined {
  return items[Math.floor(pick * items.length)]
}

/** Values that mean something to somebody. */
const pools: Readonly<Record<string, readonly string[]>> = {
  'rdn-balance': ['0', '1', '5', '100', '999999'],
  'rdn-payment': ['0', '1', '999'],
  'rdn-sender-balance': ['0', '5', '100', '999999'],
  'rdn-price': ['0', '1', '49', '500'],
  'rdn-cost': ['0', '1', '49'],
  'rdn-open-block': ['7', '8', '0'],
  'rdn-body': ['later'],
  'rdn-origin': ['http://elsewhere:1'],
  'rdn-gateway-path': ['/evil', '/api/1'],
  'rdn-nonexisting-channel': ['1'],
  'rdn-invalid-amount': ['1'],
  'rdn-invalid-balance-proof': ['1'],
  'rdn-insufficient-confirmations': ['1'],
  'retry-after': ['0', '1'],
  'content-type': ['text/plain', 'text/html'],
  'content-encoding': ['gzip', 'identity', 'br'],
  'content-digest': ['sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:', 'md5=:AAAA:'],
  accept: ['text/html', '*/*'],
  'accept-language': ['tlh'],
  authorization: ['Basic eDp5'],
  range: ['bytes=0-1'],
  'if-none-match': ['*'],
  'x-http-method-override': ['DELETE'],
  'idempotency-key': ['abc'],
  location: ['http://evil/'],
  signature: ['rdn=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:', ''],
  'x-forwarded-prefix': ['/shop'],
}
const names = Object.keys(pools)

/** What travels with a message and is no part of it. */
const framing = /^(?:content-length|transfer-encoding|connection|host)$/i

export function changeRequest(asked: Asked, change: RequestChange, seen: readonly Seen[]): Asked {
  const { pick } = change
  switch (change.kind) {
    case 'method':
      return { ...asked, method: pickOf(['GET', 'POST', 'PUT', 'DELETE', 'HEAD'], pick) ?? 'GET' }
    case 'path':
      return { ...asked, path: otherPath(asked.path, pick, seen) }
    case 'query':
      return { ...asked, path: `${asked.path}${asked.path.includes('?') ? '&' : '?'}x=${pick}` }
    case 'body':
      return withBody(asked, pickOf(['', 'of the attacker', `${asked.body} `], pick) ?? '')
    case 'stripped':
      return withFields(asked, { Signature: undefined, 'Signature-Input': undefined })
    case 'field':
      return changeField(asked, pick, seen)
    case 'added':
      return { ...asked, fields: [...asked.fields, anyField(pick)] }
    case 'doubled': {
      const line = pickOf(asked.fields.filter(notFraming), pick)
      return line === undefined ? asked : { ...asked, fields: [...asked.fields, line] }
    }
    case 'removed': {
      const line = pickOf(asked.fields.filter(notFraming), pick)
      return line === undefined ? asked : withFields(asked, { [line[0]]: undefined })
    }
    case 'swapped':
      return swap(asked, pick, pickOf(seen, change.from)?.asked)
    case 'cookie':
      return inCookie(asked)
    case 'tick':
      return changeTick(asked, pick, pickOf(seen, change.from)?.asked)
  }
}

export function changeAnswer(said: Said, change: AnswerChange, seen: readonly Seen[]): Said {
  const { pick } = change
  const answers = seen.flatMap(({ said: each }) => each ?? [])
  switch (change.kind) {
    case 'status':
      return { ...said, status: pickOf([200, 201, 204, 304, 402, 404, 409, 500], pick) ?? 200 }
    case 'body':
      return { ...said, body: Buffer.from('of the attacker') }
    case 'cut':
      return { ...said, body: said.body.subarray(0, Math.floor(pick * said.body.length)) }
    case 'longer':
      return { ...said, body: Buffer.concat([said.body, Buffer.from('more')]) }
    case 'packed':
      return { ...withFields(said, { 'Content-Encoding': 'gzip' }), body: gzipSync(said.body) }
    case 'field':
      return changeField(said, pick, seen)
    case 'added':
      return { ...said, fields: [...said.fields, anyField(pick)] }
    case 'removed': {
      const line = pickOf(said.fields.filter(notFraming), pick)
      return line === undefined ? said : withFields(said, { [line[0]]: undefined })
    }
    case 'stripped':
      return withFields(said, { Signature: undefined, 'Signature-Input': undefined })
    case 'swapped':
      return pickOf(answers, pick) ?? said
    case 'body of':
      return { ...said, body: pickOf(answers, pick)?.body ?? said.body }
    case 'forged':
      return forged(pick)
    case 'tick':
      return saidOfTicks(said, pick)
  }
}

/** Refusals and answers that nobody has signed. */
export function forged(pick: number): Said {
  const problem = (status: number, code: string): Said => ({
    status,
    fields: [['Content-Type', 'application/problem+json']],
    body: Buffer.from(JSON.stringify({ code })),
  })
  const refused = (...fields: Lines): Said => ({ status: 402, fields, body: Buffer.of() })
  const all: readonly Said[] = [
    problem(401, 'request_key_unknown'),
    problem(401, 'request_altered'),
    problem(409, 'request_key_replaced'),
    problem(404, 'channel_unknown'),
    problem(500, 'resource_failed'),
    refused(['RDN-Price', '49'], ['RDN-Invalid-Amount', '1']),
    refused(['RDN-Price', '5'], ['RDN-Nonexisting-Channel', '1']),
    refused(['RDN-Price', '5'], ['RDN-Sender-Balance', '0'], ['RDN-Invalid-Amount', '1']),
    { status: 200, fields: [['Content-Type', 'text/plain']], body: Buffer.from('of the attacker') },
  ]
  return pickOf(all, pick) ?? problem(404, 'not_found')
}

function notFraming([name]: readonly [string, string]): boolean {
  return !framing.test(name)
}

function anyField(pick: number): [string, string] {
  const name = pickOf(names, pick) ?? 'x-other'
  return [name, pickOf(pools[name] ?? [], (pick * names.length) % 1) ?? '']
}

function changeField<Message extends Asked | Said>(
  message: Message,
  pick: number,
  seen: readonly Seen[],
): Message {
  const line = pickOf(message.fields.filter(notFraming), pick)
  if (line === undefined) return message
  const [name] = line
  const of = ({ fields }: { readonly fields: Lines }) =>
    fields.filter(([each]) => each.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  const values = [
    ...(pools[name.toLowerCase()] ?? []),
    ...seen.flatMap(({ asked, said }) => [...of(asked), ...(said ? of(said) : [])]),
  ]
  return withFields(message, { [name]: pickOf(values, (pick * 997) % 1) ?? '' })
}

function otherPath(path: string, pick: number, seen: readonly Seen[]): string {
  const paths = [...new Set(seen.map(({ asked }) => asked.path))]
  const variants = [`${path}/`, `/${path}`, path.replace('/r/', '/r/../r/'), path.toUpperCase()]
  return pickOf([...paths, ...variants, '/r/plain/stolen'], pick) ?? path
}

export function withBody(asked: Asked, body: string): Asked {
  const length = body === '' ? undefined : `${Buffer.byteLength(body)}`
  return { ...withFields(asked, { 'Content-Length': length }), body: Buffer.from(body) }
}

function swap(asked: Asked, pick: number, other: Asked | undefined): Asked {
  if (other === undefined) return asked
  // The whole of one message for the resource of the other, or one field of it.
  if (pick < 0.2) return { ...other, path: asked.path }
  if (pick < 0.35) return withBody({ ...other, method: asked.method }, `${asked.body}`)
  const line = pickOf(other.fields.filter(notFraming), (pick * 31) % 1)
  return line === undefined ? asked : withFields(asked, { [line[0]]: line[1] })
}

const zeroWord = `0x${'00'.repeat(32)}`

/** What proves a payment is of another message, of nobody, in part, or in another place. */
function changeTick(asked: Asked, pick: number, other: Asked | undefined): Asked {
  const [tick, commitment] = ['RDN-Tick', 'RDN-Tick-Commitment']
  const of = (name: string) => (other === undefined ? '' : field(other, name.toLowerCase()))
  const own = field(asked, 'rdn-tick-commitment').split(' ')
  const altered = own.map((part, at) => (at === Math.floor(pick * 50) % 4 ? `${part}1` : part))
  const changes: readonly Readonly<Record<string, string | undefined>>[] = [
    { [tick]: of(tick) || zeroWord },
    { [tick]: zeroWord, 'RDN-Balance-Signature': undefined },
    { [tick]: of(tick) || undefined, [commitment]: of(commitment) || undefined },
    { [commitment]: of(commitment) || undefined },
    { [commitment]: altered.join(' ') },
    { [commitment]: undefined },
    { [tick]: undefined },
    { [tick]: of(tick) || zeroWord, 'RDN-Balance': of('rdn-balance') || '5' },
    { 'RDN-Balance-Signature': of('rdn-balance-signature') || undefined },
  ]
  return withFields(asked, pickOf(changes, pick) ?? {})
}

/** As if the receiver knew no commitment, took no ticks, or took them all of a sudden. */
function saidOfTicks(said: Said, pick: number): Said {
  const answers: readonly Said[] = [
    { ...withFields(said, { 'RDN-Tick-Unknown': '1' }), status: 402 },
    {
      ...said,
      status: 402,
      fields: [
        ['RDN-Price', '5'],
        ['RDN-Tick-Unknown', '1'],
      ],
    },
    withFields(said, { 'RDN-Tick-Unknown': '1' }),
    withFields(said, { 'RDN-Features': 'ticks' }),
    withFields(said, { 'RDN-Features': undefined }),
    withFields(said, { 'RDN-Sender-Balance': '0' }),
  ]
  return pickOf(answers, pick) ?? said
}

/** The payment, as browsers bring it. */
function inCookie(asked: Asked): Asked {
  const paid = asked.fields.filter(([name]) => /^rdn-/i.test(name))
  const without = asked.fields.filter(([name]) => !/^(?:rdn-|signature)/i.test(name))
  const cookie = paid.map((pair) => pair.join('=')).join('; ')
  return { ...asked, fields: [...without, ['Cookie', cookie]] }
}
