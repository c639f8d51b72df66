// The names that a schema knows: for suggestions and for environment overrides.
import { z } from 'zod'
import type { KeyPath } from './yaml.ts'

/** What of JSON Schema is read here. */
export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema | readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
}

const made = new WeakMap<z.ZodType, JsonSchema>()

/** The schema of what a person may write (draft 2020-12). */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const known = made.get(schema)
  if (known !== undefined) return known
  const json = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
  }) as JsonSchema
  made.set(schema, json)
  return json
}

/** The names allowed in the object at `path`. */
export function namesAt(schema: JsonSchema, path: KeyPath): readonly string[] {
  return schemasAt(schema, path).flatMap(({ properties }) => Object.keys(properties ?? {}))
}

/**
 * The path of `BUDGET_HOUR`: `budget.hour`. Letter case and the underscores inside a name do not
 * count, so `DEPOSIT_TOP_UP` is `deposit.topUp`. A name that a person chose (a receiver's, a job's)
 * is its words in lower case, joined with `-`.
 */
export function pathOfVariable(schema: JsonSchema, words: readonly string[]): KeyPath | undefined {
  if (words.length === 0) return holdsNames(schema) ? undefined : []
  for (let length = words.length; length > 0; length--) {
    const name = words.slice(0, length).join('').toLowerCase()
    for (const branch of branches(schema)) {
      const known = Object.entries(branch.properties ?? {}).find(
        ([property]) => property.toLowerCase() === name,
      )
      const rest = known && pathOfVariable(known[1], words.slice(length))
      if (known && rest) return [known[0], ...rest]
      const free = branch.additionalProperties
      const inside =
        typeof free === 'object' ? pathOfVariable(free, words.slice(length)) : undefined
      if (inside) return [words.slice(0, length).join('-').toLowerCase(), ...inside]
    }
  }
  return undefined
}

/** A single value can be overridden, and a list as a whole; what can only be a table of settings cannot. */
function holdsNames(schema: JsonSchema): boolean {
  const all = branches(schema)
  if (all.some(({ type }) => type === 'string')) return false
  return all.some(
    ({ properties, additionalProperties }) =>
      properties !== undefined || typeof additionalProperties === 'object',
  )
}

function schemasAt(schema: JsonSchema, path: KeyPath): readonly JsonSchema[] {
  const [key, ...rest] = path
  if (key === undefined) return branches(schema)
  return branches(schema).flatMap((branch) => {
    const named = branch.properties?.[key] ?? branch.additionalProperties
    const child = typeof key === 'number' ? [branch.items ?? []].flat()[0] : named
    return typeof child === 'object' ? schemasAt(child, rest) : []
  })
}

function branches(schema: JsonSchema): readonly JsonSchema[] {
  const { anyOf = [], oneOf = [], allOf = [] } = schema
  return [schema, ...[...anyOf, ...oneOf, ...allOf].flatMap(branches)]
}
