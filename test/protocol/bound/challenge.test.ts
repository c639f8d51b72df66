import test from 'ava'
import fc from 'fast-check'
import { isInnerList, parseDictionary } from 'structured-headers'
import {
  createChallenge,
  createNonce,
  formatAcceptSignature,
  parseAcceptSignature,
  parseBoundRequest,
  signRequest,
  verifyChallenge,
} from '../../../protocol/bound/index.ts'
import { isUraidenError } from '../../../protocol/index.ts'
import { keys, requestOf, requestVector, unsigned } from './vectors.ts'

const secret = new Uint8Array(32).fill(7)
const { keyid } = keys
const given = 5_000
const nonce = createChallenge(secret, { keyid, now: given })
const validity = 30_000

test('a nonce is 16 random bytes in base64url', (t) => {
  t.regex(createNonce(), /^[A-Za-z0-9_-]{22}$/)
  t.not(createNonce(), createNonce())
})

test('a challenge is good for its keys, for a while', (t) => {
  const state = (now: number) => verifyChallenge(nonce, secret, { keyid, now, validity })
  t.is(state(given), 'fresh')
  t.is(state(given + validity), 'fresh')
  t.is(state(given + validity + 1), 'stale')
  t.is(state(given - 1), 'stale')
})

test('nobody else’s nonce is one of ours', (t) => {
  const now = given
  const foreign = (text: string, key = secret, name = keyid) =>
    verifyChallenge(text, key, { keyid: name, now, validity })
  t.is(foreign(createNonce()), 'foreign')
  t.is(foreign(nonce, new Uint8Array(32)), 'foreign')
  t.is(foreign(nonce, secret, '0000000000000000'), 'foreign')
  fc.assert(
    fc.property(
      fc.nat({ max: nonce.length - 1 }),
      fc.constantFrom('0', 'f', 'A', '_'),
      (at, by) => {
        const other = nonce.slice(0, at) + by + nonce.slice(at + 1)
        if (other !== nonce) t.is(foreign(other), 'foreign')
      },
    ),
  )
  fc.assert(fc.property(fc.string(), (text) => t.is(foreign(text), 'foreign')))
})

test('the field asks for a signature with the nonce, and a request takes it', (t) => {
  const field = formatAcceptSignature(keyid, nonce)
  t.is(parseAcceptSignature(`gw=("@method"), ${field}`), nonce)
  const member = parseDictionary(field).get('rdn')
  t.true(member !== undefined && isInnerList(member) && member[1].get('nonce') === nonce)

  const put = requestOf(requestVector('put request key'))
  const request = { ...put, method: 'DELETE', fields: unsigned(put.fields) }
  const signed = signRequest(request, keys, { nonce })
  const fields = [...request.fields, ...Object.entries(signed.fields)]
  const claimed = parseBoundRequest({ ...request, fields })
  t.is(claimed?.ok && claimed.value.nonce, nonce)
})

for (const text of [
  '',
  'rdn',
  'rdn=()',
  'rdn=();nonce="x"',
  'rdn=();nonce=1;tag="rdn-request-1"',
]) {
  test(`no challenge: ${text}`, (t) => {
    t.throws(() => parseAcceptSignature(text), { code: 'malformed_challenge' })
  })
}

test('a challenge that comes twice is none', (t) => {
  const field = formatAcceptSignature(keyid, nonce)
  t.throws(() => parseAcceptSignature(`${field}, ${field}`), { code: 'malformed_challenge' })
  fc.assert(
    fc.property(fc.string(), (text) => {
      const error = t.throws(() => parseAcceptSignature(text))
      t.true(isUraidenError(error))
    }),
  )
})
