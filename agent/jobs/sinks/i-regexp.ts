// The regular expressions of JSONPath's match() and search() (I-Regexp, RFC 9485), without going back: all
// ways to match are followed together, so that a text of a receiver's takes time by its length and no more.
// JavaScript's own take time by the power of it for some patterns.

/** @throws Error what is wrong with the pattern */
export function compileIRegexp(pattern: string): IRegexp {
  const parser: Parser = { rest: [...pattern], program: [] }
  alternatives(parser)
  if (parser.rest.length > 0)
    throw new Error(`it has a "${parser.rest[0]}" that nothing belongs to`)
  emit(parser, { kind: 'found' })
  const { program } = parser
  return {
    matches: (text) => run(program, text, 'whole'),
    isIn: (text) => run(program, text, 'anywhere'),
  }
}

export interface IRegexp {
  /** Of the whole text. */
  readonly matches: (text: string) => boolean
  /** Of any part of it. */
  readonly isIn: (text: string) => boolean
}

type Instruction =
  | { readonly kind: 'character'; readonly is: (character: string) => boolean }
  /** Goes on at both. */
  | { readonly kind: 'fork'; one: number; other: number }
  /** `^` and `$`, which RFC 9485 section 5.3 leaves to JavaScript's meaning. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'end' }
  | { readonly kind: 'found' }

interface Parser {
  readonly rest: string[]
  readonly program: Instruction[]
}

/** Repetitions are written out: `a{3}` takes three. */
const mostInstructions = 1000

function emit({ program }: Parser, instruction: Instruction): number {
  if (program.length >= mostInstructions) throw new Error('it is too large')
  return program.push(instruction) - 1
}

/** Goes on at the next instruction, and at another that is set later. */
function fork(parser: Parser): Extract<Instruction, { readonly kind: 'fork' }> {
  const next = parser.program.length + 1
  const instruction = { kind: 'fork' as const, one: next, other: next }
  emit(parser, instruction)
  return instruction
}

function alternatives(parser: Parser): void {
  const start = parser.program.length
  branch(parser)
  if (parser.rest[0] !== '|') return
  parser.rest.shift()
  // What was written moves behind the fork that leads to it.
  const first = parser.program.splice(start)
  const choice = fork(parser)
  for (const each of first) emit(parser, moved(each, 1))
  const over = fork(parser)
  choice.other = parser.program.length
  alternatives(parser)
  over.one = parser.program.length
  over.other = over.one
}

function moved(instruction: Instruction, by: number): Instruction {
  if (instruction.kind !== 'fork') return instruction
  return { ...instruction, one: instruction.one + by, other: instruction.other + by }
}

function branch(parser: Parser): void {
  while (parser.rest.length > 0 && parser.rest[0] !== '|' && parser.rest[0] !== ')') piece(parser)
}

function piece(parser: Parser): void {
  const start = parser.program.length
  atom(parser)
  const [least, most] = quantifier(parser.rest)
  const block = parser.program.splice(start)
  const write = () => {
    const by = parser.program.length - start
    for (const each of block) emit(parser, moved(each, by))
  }
  for (let times = 0; times < least; times++) write()
  if (most === Number.POSITIVE_INFINITY) {
    const again = fork(parser)
    const at = parser.program.length - 1
    write()
    const back = fork(parser)
    back.one = at
    back.other = at
    again.other = parser.program.length
    return
  }
  const exits: { other: number }[] = []
  for (let times = least; times < most; times++) {
    exits.push(fork(parser))
    write()
  }
  for (const exit of exits) exit.other = parser.program.length
}

function quantifier(rest: string[]): readonly [least: number, most: number] {
  const infinite = Number.POSITIVE_INFINITY
  const simple = { '*': [0, infinite], '+': [1, infinite], '?': [0, 1] } as const
  const [sign = ''] = rest
  if (sign === '*' || sign === '+' || sign === '?') {
    rest.shift()
    return simple[sign]
  }
  if (sign !== '{') return [1, 1]
  const [whole = '', least = '', comma, most = ''] =
    /^\{(\d{1,4})(,(\d{1,4})?)?\}/.exec(rest.slice(0, 16).join('')) ?? []
  if (whole === '') throw new Error('it has a "{" without a number of times')
  rest.splice(0, whole.length)
  const end = comma === undefined ? Number(least) : most === '' ? infinite : Number(most)
  if (end < Number(least)) throw new Error(`it has ${whole}, which is nothing`)
  return [Number(least), end]
}

function atom(parser: Parser): void {
  const { rest } = parser
  const [sign = ''] = rest
  if (sign === '(') {
    rest.shift()
    alternatives(parser)
    if (rest.shift() !== ')') throw new Error('it has a "(" that is not closed')
  } else if (sign === '^' || sign === '$') {
    rest.shift()
    emit(parser, { kind: sign === '^' ? 'begin' : 'end' })
  } else emit(parser, { kind: 'character', is: characterTest(rest) })
}

const classes = [
  /^\\[pP]\{[A-Z][a-z]?\}/,
  /^\[\^?(?:\\[pP]\{[A-Z][a-z]?\}|\\[()*+\-.?[\]^nrt{|}\\]|[^\\[\]])+\]/u,
]

/** Of one character; what it is JavaScript says, which cannot go back in it. */
function characterTest(rest: string[]): (character: string) => boolean {
  const text = rest.join('')
  const [named] = classes.flatMap((form) => form.exec(text)?.[0] ?? [])
  if (named !== undefined) {
    rest.splice(0, [...named].length)
    return tested(new RegExp(`^${named}$`, 'u'))
  }
  const sign = rest.shift() ?? ''
  if (sign === '.') return (character) => character !== '\n' && character !== '\r'
  const wanted = sign === '\\' ? escaped(rest.shift() ?? '') : sign
  if (sign !== '\\' && '()*+?[]{|}'.includes(sign)) {
    throw new Error(`it has a "${sign}" that nothing belongs to`)
  }
  return (character) => character === wanted
}

function escaped(sign: string): string {
  const controls: { readonly [sign: string]: string } = { n: '\n', r: '\r', t: '\t' }
  if (sign !== '' && '()*+-.?[\\]^{|}$'.includes(sign)) return sign
  const control = Object.hasOwn(controls, sign) ? controls[sign] : undefined
  if (control === undefined) throw new Error(`it has "\\${sign}", which RFC 9485 does not know`)
  return control
}

/** Asked once for each letter of ASCII. */
function tested(form: RegExp): (character: string) => boolean {
  const ascii = Array.from({ length: 128 }, (_, code) => form.test(String.fromCharCode(code)))
  return (character) => ascii[character.codePointAt(0) ?? 0] ?? form.test(character)
}

/** Where one can be in the program before a character, each place once. */
interface Places {
  readonly at: number[]
  /** The last position at which a place was reached. */
  readonly seen: Float64Array
  found: boolean
}

function run(program: readonly Instruction[], text: string, where: 'whole' | 'anywhere'): boolean {
  const seen = new Float64Array(program.length).fill(-1)
  let places: Places = { at: [], seen, found: false }
  reach(program, places, { place: 0, position: 0, length: text.length })
  let position = 0
  for (const character of text) {
    if (places.found && where === 'anywhere') return true
    const next: Places = { at: [], seen, found: false }
    position += character.length
    const here = { position, length: text.length }
    for (const place of places.at) {
      const instruction = program[place]
      if (instruction?.kind === 'character' && instruction.is(character)) {
        reach(program, next, { place: place + 1, ...here })
      }
    }
    if (where === 'anywhere') reach(program, next, { place: 0, ...here })
    else if (next.at.length === 0 && !next.found) return false
    places = next
  }
  return places.found
}

interface Reached {
  readonly place: number
  readonly position: number
  readonly length: number
}

/** All places that need no character. */
function reach(
  program: readonly Instruction[],
  places: Places,
  { place: first, position, length }: Reached,
): void {
  const open = [first]
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const instruction = program[place]
    if (instruction === undefined || places.seen[place] === position) continue
    places.seen[place] = position
    if (instruction.kind === 'character') places.at.push(place)
    else if (instruction.kind === 'fork') open.push(instruction.other, instruction.one)
    else if (instruction.kind === 'found') places.found = true
    else if (position === (instruction.kind === 'begin' ? 0 : length)) open.push(place + 1)
  }
}
