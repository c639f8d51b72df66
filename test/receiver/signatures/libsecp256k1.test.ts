// Our build of libsecp256k1 says what noble says, of good signatures, of bent ones and of Wycheproof's, and is
// what its sources give.
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { getPublicKey, Point, recoverPublicKey } from '@noble/secp256k1'
import test from 'ava'
import fc from 'fast-check'
import { fromHex, type Hex, signDigest } from '../../../protocol/index.ts'
import { instantiate } from '../../../receiver/signatures/libsecp256k1/index.ts'
import { needing, tools } from '../../support/tools.ts'

const order = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n
const prime = 2n ** 256n - 2n ** 32n - 977n
const { recoverKey, verifyKey } = await instantiate()
const ids = [0, 1] as const

const word = (value: bigint): Uint8Array => fromHex(`0x${value.toString(16).padStart(64, '0')}`)
const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const text = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? 'none' : Buffer.from(bytes).toString('hex')

function noblesKey(digest: Uint8Array, rAndS: Uint8Array, id: 0 | 1): Uint8Array | undefined {
  try {
    const recovered = join(Uint8Array.of(id), rAndS)
    return Point.fromBytes(recoverPublicKey(recovered, digest, { prehash: false })).toBytes(false)
  } catch {
    return undefined
  }
}

/** Both libraries, both ids; returns for which ids the signature is that key's. */
function compare(
  t: { readonly is: (a: unknown, b: unknown, message?: string) => unknown },
  of: { readonly digest: Uint8Array; readonly rAndS: Uint8Array; readonly key: Uint8Array },
): readonly number[] {
  const { digest, rAndS, key } = of
  return ids.filter((id) => {
    const expected = noblesKey(digest, rAndS, id)
    t.is(text(recoverKey(digest, rAndS, id)), text(expected))
    const isKeys = text(expected) === text(key)
    t.is(verifyKey(digest, rAndS, id, key), isKeys)
    // And with the key that does belong to it, which is rarely the one above.
    if (expected !== undefined) t.is(verifyKey(digest, rAndS, id, expected), true)
    return isKeys
  })
}

interface Vector {
  readonly id: number
  readonly comment: string
  readonly digest: Hex
  readonly key: Hex
  readonly r: string
  readonly s: string
  readonly valid: boolean
}

/**
 * `ecdsa_secp256k1_sha256_bitcoin_test.json` of project Wycheproof (Apache 2.0), commit 7ae4532f, as the crate has it:
 * those of its signatures whose DER can be written as r ‖ s, the message hashed.
 */
const vectors: readonly Vector[] = JSON.parse(
  await readFile(new URL('./wycheproof.json', import.meta.url), 'utf8'),
)

test('Wycheproof: what is valid is its key’s with one v, what is not with none', (t) => {
  for (const { id, comment, digest, key, r, s, valid } of vectors) {
    const rAndS = fromHex(`0x${r}${s}`)
    const found = compare(t, { digest: fromHex(digest), rAndS, key: fromHex(key) })
    // The other of two equal signatures: parseSignature refuses it before.
    const isHigh = BigInt(`0x${s}`) > order / 2n && BigInt(`0x${s}`) < order
    // R.x is r plus the order: only v 29 and 30 say so, which Ethereum does not have.
    const isBeyond = comment === 'k*G has a large x-coordinate'
    t.is(
      found.length,
      (valid && !isBeyond) || (isHigh && found.length > 0) ? 1 : 0,
      `${id} ${comment}`,
    )
  }
  t.true(vectors.some(({ valid }) => !valid))
})

const scalar = fc.bigInt({ min: 1n, max: order - 1n })
const anyWord = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  fc.constantFrom(0n, 1n, 2n, order - 1n, order, order + 1n, prime - 1n, prime, 2n ** 256n - 1n),
)

test('a signature that noble made is its key’s with its own v alone', (t) => {
  fc.assert(
    fc.property(scalar, anyWord, (secret, digest) => {
      const signature = fromHex(signDigest(word(digest), word(secret)))
      const key = getPublicKey(word(secret), false)
      const rAndS = signature.subarray(0, 64)
      const found = compare(t, { digest: word(digest), rAndS, key })
      t.deepEqual(found, [(signature[64] ?? 0) - 27])
      // With the high s, v turns round.
      const high = order - BigInt(text(signature.subarray(32, 64)).replace(/^/, '0x'))
      const turned = join(signature.subarray(0, 32), word(high))
      t.deepEqual(compare(t, { digest: word(digest), rAndS: turned, key }), [
        28 - (signature[64] ?? 0),
      ])
    }),
    { numRuns: 60 },
  )
})

test('any digest, r, s and key are the same to both libraries', (t) => {
  fc.assert(
    fc.property(anyWord, anyWord, anyWord, scalar, (digest, r, s, secret) => {
      const key = getPublicKey(word(secret), false)
      compare(t, { digest: word(digest), rAndS: join(word(r), word(s)), key })
    }),
    { numRuns: 150 },
  )
})

test('what is no point of the curve has signed nothing', (t) => {
  const digest = word(7n)
  const signature = fromHex(signDigest(digest, word(5n)))
  const rAndS = signature.subarray(0, 64)
  const good = getPublicKey(word(5n), false)
  const id = signature[64] === 28 ? 1 : 0
  t.true(verifyKey(digest, rAndS, id, good))
  const off = Uint8Array.from(good)
  off[64] = (off[64] ?? 0) ^ 1
  const beyond = join(Uint8Array.of(4), word(prime), word(prime))
  for (const key of [off, beyond, new Uint8Array(65)]) t.false(verifyKey(digest, rAndS, id, key))
})

needing(
  test,
  tools.clang,
  tools.cargo,
)('the module is what its sources give, byte by byte', (t) => {
  const script = new URL('../../../scripts/lib/libsecp256k1/build.ts', import.meta.url)
  const { status, stderr } = spawnSync(process.execPath, [script.pathname, '--check'])
  t.is(status, 0, String(stderr))
})
