// For how many bytes of data a chain of the OP stack charges a transaction (specs.optimism.io, Fjord, "Fees"): an
// estimate from its size when compressed by FastLZ.

const leastBytes = 100
/** Of the regression, in millionths of a byte. */
const intercept = -42_585_600
const perFastLzByte = 836_500

/** @param transaction as it is signed and sent */
export function opDataBytes(transaction: Uint8Array): number {
  const estimate = (intercept + perFastLzByte * fastLzLength(transaction)) / 1e6
  return Math.max(leastBytes, Math.floor(estimate))
}

const hashBits = 13
/** Nothing is copied from further back. */
const window = 0x1fff
const shortest = 3
const longestCopy = 262
/** At the end, where no copy begins. */
const tail = 13

/** The length of what FastLZ, level 1, makes of `bytes`. */
export function fastLzLength(bytes: Uint8Array): number {
  const last = Math.max(bytes.length - tail, 0)
  const seen = new Uint32Array(1 << hashBits)
  const at = (index: number) => bytes[index] ?? 0
  const three = (index: number) => at(index) | (at(index + 1) << 8) | (at(index + 2) << 16)
  const remember = (index: number) => {
    const slot = Math.imul(2_654_435_769, three(index)) >>> (32 - hashBits)
    const before = seen[slot] ?? 0
    seen[slot] = index
    return before
  }
  let length = 0
  let copied = 0
  let index = 2
  while (index < last) {
    const from = remember(index)
    const isCopy = index - from <= window && three(index) === three(from)
    if (!isCopy) {
      index++
      continue
    }
    if (index + 1 >= last) break
    length += literals(index - copied)
    const more = alike(bytes, { from: from + shortest, to: index + shortest, end: last + 9 })
    length += copy(more)
    index += more
    remember(index++)
    remember(index++)
    copied = index
  }
  return length + literals(bytes.length - copied)
}

/** With a byte before each 32 of them. */
function literals(count: number): number {
  return count + Math.ceil(count / 32)
}

/** Of `more` bytes after the first three, in pieces. */
function copy(more: number): number {
  const rest = more - 1
  return 3 * Math.floor(rest / longestCopy) + (rest % longestCopy >= 6 ? 3 : 2)
}

/** The bytes that are the same from both places on, and the one after. */
function alike(
  bytes: Uint8Array,
  { from, to, end }: { readonly from: number; readonly to: number; readonly end: number },
): number {
  let count = 0
  const most = end - to
  while (count < most && bytes[from + count] === bytes[to + count]) count++
  return count < most ? count + 1 : count
}
