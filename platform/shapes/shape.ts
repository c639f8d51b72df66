// What another process or a node says, looked at before it is believed, for processes that stay: zod, which reads
// configurations with good messages for a person, takes megabytes of their memory.

/** Gives back what it has found good; only what it names is in it. @throws Misshapen */
export type Shape<Value> = (value: unknown) => Value

export type Shaped<Of> = Of extends Shape<infer Value> ? Value : never

export class Misshapen extends Error {}

/** Undefined for what does not have the shape. */
export function ifFits<Value>(shape: Shape<Value>, value: unknown): Value | undefined {
  try {
    return shape(value)
  } catch (error) {
    if (error instanceof Misshapen) return undefined
    throw error
  }
}

function wanted(what: string): Misshapen {
  return new Misshapen(`it should be ${what}`)
}

export function text(pattern?: RegExp): Shape<string> {
  return (value) => {
    if (typeof value === 'string' && (pattern === undefined || pattern.test(value))) return value
    throw wanted(pattern === undefined ? 'a text' : `a text like ${pattern.source}`)
  }
}

/** A URL as it was written; `schemes` without their colons, any of them when there are none. */
export function urlText(...schemes: readonly string[]): Shape<string> {
  return (value) => {
    if (typeof value !== 'string' || !URL.canParse(value)) throw wanted('a URL')
    const { protocol } = new URL(value)
    if (schemes.length === 0 || schemes.includes(protocol.slice(0, -1))) return value
    throw wanted(`a URL of ${schemes.join(' or ')}`)
  }
}

export function integer(least = 0, most = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value) => {
    if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) {
      return value as number
    }
    throw wanted(`a whole number from ${least} to ${most}`)
  }
}

/** Above 0, and finite. */
export const positive: Shape<number> = (value) => {
  if (typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY) return value
  throw wanted('a number above 0')
}

/** Of tokens: not below 0. */
export const amount: Shape<bigint> = (value) => {
  if (typeof value === 'bigint' && value >= 0n) return value
  throw wanted('an amount')
}

export const flag: Shape<boolean> = (value) => {
  if (typeof value === 'boolean') return value
  throw wanted('true or false')
}

export function oneOf<const Word extends string>(...words: readonly Word[]): Shape<Word> {
  return (value) => {
    const found = words.find((word) => word === value)
    if (found !== undefined) return found
    throw wanted(`one of ${words.join(', ')}`)
  }
}

/** May be left out. */
export function optional<Value>(shape: Shape<Value>): Shape<Value | undefined> {
  return (value) => (value === undefined ? undefined : shape(value))
}

/** May be left out, or null. */
export function nullish<Value>(shape: Shape<Value>): Shape<Value | null | undefined> {
  return (value) => (value == null ? value : shape(value))
}

export function mapped<Value, Made>(
  shape: Shape<Value>,
  make: (value: Value) => Made,
): Shape<Made> {
  return (value) => make(shape(value))
}

export function listOf<Value>(shape: Shape<Value>): Shape<Value[]> {
  return (value) => {
    if (!Array.isArray(value)) throw wanted('a list')
    return value.map((each, index) => inside(`${index}`, shape, each))
  }
}

/** Under names that somebody else chooses. */
export function recordOf<Value>(shape: Shape<Value>): Shape<Record<string, Value>> {
  return (value) => {
    const entries = Object.entries(objectOf(value))
    return Object.fromEntries(entries.map(([name, each]) => [name, inside(name, shape, each)]))
  }
}

type Parts = Readonly<Record<string, Shape<unknown>>>

type Left<P extends Parts> = {
  [Name in keyof P]: undefined extends Shaped<P[Name]> ? Name : never
}[keyof P]

/** With the types of the parts; those that may be undefined may be left out. */
export type Whole<P extends Parts> = {
  readonly [Name in Exclude<keyof P, Left<P>>]: Shaped<P[Name]>
} & { readonly [Name in Left<P>]?: Shaped<P[Name]> }

/** What else is there is left out. */
export function object<P extends Parts>(parts: P): Shape<Whole<P>> {
  return (value) => {
    const given = objectOf(value)
    const found = Object.entries(parts).flatMap(([name, shape]) => {
      const each = inside(name, shape, Object.hasOwn(given, name) ? given[name] : undefined)
      return each === undefined ? [] : [[name, each] as const]
    })
    return Object.fromEntries(found) as Whole<P>
  }
}

/** Nothing else may be there. */
export function exactly<P extends Parts>(parts: P): Shape<Whole<P>> {
  const whole = object(parts)
  return (value) => {
    const other = Object.keys(objectOf(value)).find((name) => !Object.hasOwn(parts, name))
    if (other !== undefined) throw new Misshapen(`nothing is known of "${other.slice(0, 40)}"`)
    return whole(value)
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>
  }
  throw wanted('an object')
}

function inside<Value>(name: string, shape: Shape<Value>, value: unknown): Value {
  try {
    return shape(value)
  } catch (error) {
    if (error instanceof Misshapen) throw new Misshapen(`${name.slice(0, 40)}: ${error.message}`)
    throw error
  }
}
