// Content codings (RFC 9110 section 8.4.1): what takes them off again.
import type { Duplex } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'

/** What the reader of a stream sees in place of an error, once this resolves. */
export type ErrorInPlace = (error: Error) => Promise<Error>

const mostCodings = 3

/**
 * The last coding that was applied is taken off first; what is not known stays on. They end with `broken` where
 * zlib has an error of its own.
 */
export function decoders(
  codings: string | string[] | undefined,
  broken: ErrorInPlace,
): readonly Duplex[] {
  const names = String(codings ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity')
  // Each takes memory, and nobody codes anything so often.
  if (names.length > mostCodings) return []
  const made = names.reverse().map(decoderOf)
  const known = made.filter((each) => each !== undefined)
  return known.length === made.length ? known.map((each) => endingWith(each, broken)) : []
}

export function endingWith(part: Duplex, inPlace: ErrorInPlace): Duplex {
  const destroy = part._destroy
  part._destroy = (error, done) =>
    destroy.call(part, error, () => {
      if (error === null) done(null)
      else inPlace(error).then(done, done)
    })
  return part
}

function decoderOf(coding: string): Duplex | undefined {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip()
    case 'deflate':
      return createInflate()
    case 'br':
      return createBrotliDecompress()
    default:
      return undefined
  }
}
