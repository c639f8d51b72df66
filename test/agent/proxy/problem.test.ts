// Every error has a status of its own accord: that of the catalogue, or of its kind.
import test from 'ava'
import { agentErrors } from '../../../agent/errors/index.ts'
import { problemOf } from '../../../agent/proxy/problem.ts'
import { platformErrors } from '../../../platform/errors/index.ts'
import type { ErrorCatalogue } from '../../../protocol/errors.ts'
import { protocolErrors, UraidenError } from '../../../protocol/index.ts'

function statusOf(code: string) {
  return problemOf(new UraidenError({ code, message: 'm', hint: 'h' })).status
}

const kinds = {
  usage: 400,
  refused: 402,
  receiver: 502,
  chain: 503,
  state: 503,
  key: 500,
  failed: 500,
} as const

test('the agent’s errors have the status of the catalogue, else that of their kind', (t) => {
  const catalogue: ErrorCatalogue = agentErrors
  for (const [code, { kind, status }] of Object.entries(catalogue)) {
    t.is(statusOf(code), status ?? kinds[kind], code)
  }
})

test('the status of a receiver’s API says nothing of a proxy', (t) => {
  const catalogue: ErrorCatalogue = { ...protocolErrors, ...platformErrors }
  for (const [code, { kind }] of Object.entries(catalogue)) {
    t.is(statusOf(code), code === 'wrong_token' ? 402 : kinds[kind], code)
  }
})

test('every status has words of its own, and says what RFC 9209 knows', (t) => {
  for (const code of Object.keys({ ...protocolErrors, ...platformErrors, ...agentErrors })) {
    const { status, body, fields } = problemOf(new UraidenError({ code, message: 'm', hint: 'h' }))
    const { title } = JSON.parse(body)
    t.is(title === 'Internal error', status === 500, code)
    const [, said] = fields.find(([name]) => name === 'Proxy-Status') ?? []
    t.regex(said ?? '', new RegExp(`^uraiden-agent; error=[a-z_]+; details="${code}"$`))
  }
})

for (const [code, status] of [
  ['price_over_cap', 402],
  ['budget_ether_spent', 402],
  ['binding_refused', 402],
  ['receiver_left_alone', 503],
  ['traffic_altered', 502],
  ['idempotency_key_reused', 422],
  ['toString', 500],
  ['a_code_of_a_later_version', 500],
] as const) {
  test(`${code} is ${status}`, (t) => t.is(statusOf(code), status))
}

test('what a program may try again says when', (t) => {
  const fields = (code: string) =>
    problemOf(new UraidenError({ code, message: 'm', hint: 'h' })).fields.map(([name]) => name)
  t.true(fields('chain_unavailable').includes('Retry-After'))
  t.true(fields('token_missing').includes('Proxy-Authenticate'))
  t.false(fields('price_over_cap').includes('Retry-After'))
})
