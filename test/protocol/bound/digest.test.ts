import { createHash } from 'node:crypto'
import test from 'ava'
import {
  digestOfContent,
  formatContentDigest,
  parseContentDigest,
} from '../../../protocol/bound/index.ts'

// RFC 9530 appendix B.1
const content = new TextEncoder().encode('{"hello": "world"}\n')
const field = 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:'

test('the example of RFC 9530', (t) => {
  const digest = digestOfContent(content)
  t.is(formatContentDigest(digest), field)
  t.deepEqual(parseContentDigest(field), digest)
  t.deepEqual(digest, new Uint8Array(createHash('sha256').update(content).digest()))
})

test('digests by other algorithms stand beside it and count for nothing', (t) => {
  const digest = digestOfContent(content)
  t.deepEqual(parseContentDigest(`md5=:YQ==:, ${field}, sha-512=:YQ==:`), digest)
})

const malformed = [
  '',
  'md5=:Sd/dVLAcvNLSq16eXua5uQ==:',
  'sha=:B6r3aRJ5pJ1HKhxmx9uoJSXWsP4=:',
  'sha-512=:YQ==:',
  'sha-256',
  'sha-256="RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg="',
  'sha-256=:YQ==:',
  `${field}, ${field}`,
]

for (const text of malformed) {
  test(`no digest: ${text.slice(0, 40)}`, (t) => {
    t.throws(() => parseContentDigest(text), { code: 'malformed_content_digest' })
  })
}

test('bytes are taken in their one canonical text only', (t) => {
  t.throws(() => parseContentDigest(field.replace('bDg=', 'bDh=')), { code: 'not_base64' })
  t.throws(() => parseContentDigest(field.replace('bDg=', 'bDg')), { code: 'not_base64' })
})
