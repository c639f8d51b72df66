// Makes new inputs out of known ones.

/** What parsers stumble over, beside the words of a target's own. */
const troublesome = [
  '',
  '0',
  '-1',
  '1e999',
  '0x',
  'null',
  '[]',
  '{}',
  '""',
  '__proto__',
  'constructor',
  '\0',
  '\r\n',
  '\ufeff',
  '\u00e9',
  '\ud83d\ude00',
  '=',
  ';',
  ':',
  ',',
  '9007199254740993',
  '115792089237316195423570985008687907853269984665640564039457584007913129639936',
  'a'.repeat(300),
].map((text) => Buffer.from(text))

/** As large as no honest input is. */
const mostBytes = 4096

export interface Mutation {
  readonly corpus: readonly Buffer[]
  readonly words: readonly string[]
  /** From 0 up to 1. */
  readonly random: () => number
}

export function mutate({ corpus, words, random }: Mutation): Buffer {
  const upTo = (most: number) => Math.floor(random() * most)
  const pick = <Item>(items: readonly Item[], otherwise: Item): Item =>
    items[upTo(items.length)] ?? otherwise
  const empty = Buffer.alloc(0)
  const piece = () => (random() < 0.5 ? pick(troublesome, empty) : Buffer.from(pick(words, '')))
  let input = pick(corpus, empty)
  for (let steps = 1 + upTo(4); steps > 0; steps--) {
    const at = upTo(input.length + 1)
    const until = Math.min(input.length, at + upTo(8))
    const [before, after] = [input.subarray(0, at), input.subarray(at)]
    switch (upTo(6)) {
      case 0:
        input = Buffer.concat([before, Buffer.from([upTo(256)]), input.subarray(at + 1)])
        break
      case 1:
        input = Buffer.concat([before, input.subarray(until)])
        break
      case 2:
        input = Buffer.concat([before, piece(), after])
        break
      case 3:
        input = Buffer.concat([before, piece(), input.subarray(until)])
        break
      case 4:
        input = Buffer.concat([before, input.subarray(at, until), after])
        break
      default: {
        const other = pick(corpus, empty)
        input = Buffer.concat([before, other.subarray(upTo(other.length + 1))])
      }
    }
  }
  return input.subarray(0, mostBytes)
}
