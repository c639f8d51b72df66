import test from 'ava'
import {
  boundRefusal,
  fieldLines,
  formatAudience,
  formatBoundPayment,
  originOf,
  parseAudience,
  parseBoundPayment,
  parseBoundRequest,
  parseOrigin,
} from '../../../protocol/bound/index.ts'
import { type HeaderFields, type HeaderSource, problemDetails } from '../../../protocol/index.ts'
import { binding, requestOf, requestVector } from './vectors.ts'

function source(fields: HeaderFields): HeaderSource {
  const lower = new Map(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]))
  return (name) => lower.get(name.toLowerCase())
}

const { channel, contract } = binding
const audience = { origin: 'http://192.168.1.20:5000', contract, ...channel }

test('the vectors say who pays whom, where and how much', (t) => {
  const claimed = parseBoundRequest(requestOf(requestVector('payment')))
  if (!claimed?.ok) return t.fail()
  t.deepEqual(parseAudience(claimed.value.covered), audience)
  const payment = parseBoundPayment(claimed.value.covered)
  t.like(payment, { balance: 13000n, amount: 1000n })
  t.is(payment?.signature?.length, 132)

  const tab = parseBoundRequest(requestOf(requestVector('payment on a tab')))
  t.deepEqual(tab?.ok && parseBoundPayment(tab.value.covered), { balance: 14000n, amount: 1000n })
  const put = parseBoundRequest(requestOf(requestVector('put request key')))
  t.is(put?.ok && parseBoundPayment(put.value.covered), undefined)
})

test('they are written as the vectors have them', (t) => {
  const { headers } = requestVector('payment')
  const claimed = parseBoundRequest(requestOf(requestVector('payment')))
  const payment = claimed?.ok ? parseBoundPayment(claimed.value.covered) : undefined
  if (payment === undefined) return t.fail()
  const written = { ...formatAudience(audience), ...formatBoundPayment(payment) }
  t.deepEqual(
    Object.entries(written),
    Object.entries(headers).filter(([name]) => name.startsWith('RDN-')),
  )
})

test('what is missing or malformed is named', (t) => {
  const fields = { ...formatAudience(audience), ...formatBoundPayment({ balance: 2n, amount: 1n }) }
  const change = (name: string, value: string | undefined) => {
    const entries = Object.entries(fields).filter(([other]) => other !== name)
    return source(Object.fromEntries(value === undefined ? entries : [...entries, [name, value]]))
  }
  for (const name of Object.keys(formatAudience(audience))) {
    const message = new RegExp(name)
    t.throws(() => parseAudience(change(name, undefined)), { code: 'missing_header', message })
    t.throws(() => parseAudience(change(name, 'x')), { code: 'malformed_header', message })
  }
  t.throws(() => parseBoundPayment(change('RDN-Payment', undefined)), { code: 'missing_header' })
  t.throws(() => parseBoundPayment(change('RDN-Balance', '-1')), { code: 'malformed_header' })
  t.throws(() => parseBoundPayment(change('RDN-Balance-Signature', '0x')), {
    code: 'malformed_header',
  })
})

test('an origin is scheme, host and port in one form', (t) => {
  t.is(originOf('http://192.168.1.20:5000/weather?unit=c#x'), 'http://192.168.1.20:5000')
  t.is(originOf('HTTPS://Sensor.Local:443/'), 'https://sensor.local')
  t.is(originOf('http://[::1]:80'), 'http://[::1]')
  t.is(parseOrigin('https://sensor.local'), 'https://sensor.local')
  const none = ['', 'x', '/a', 'ftp://x', 'http://', 'null', 'data:,x']
  for (const text of none) t.throws(() => originOf(text), { code: 'not_an_origin' })
  for (const text of [...none, 'http://x/', 'http://X', 'http://x:80', 'http://a@x']) {
    t.throws(() => parseOrigin(text), { code: 'not_an_origin' })
  }
})

test('raw headers become lines, in their order', (t) => {
  t.deepEqual(fieldLines(['A', '1', 'a', '2']), [
    ['A', '1'],
    ['a', '2'],
  ])
  t.deepEqual(fieldLines([]), [])
})

test('a refusal is told as a problem, with its own status', (t) => {
  t.deepEqual(problemDetails(boundRefusal('request_altered', 'Why.')), {
    type: 'urn:uraiden:problem:request_altered',
    title: 'The request is not what its signature says',
    status: 401,
    detail: 'Why.',
    code: 'request_altered',
  })
  t.is(boundRefusal('request_key_replaced').status, 409)
})
