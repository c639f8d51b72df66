// `maxPrice` is another spelling of `mostPrice`, as command lines have it: everywhere where a setting begins with `most`.
import type { z } from 'zod'
import { jsonSchemaOf, namesAt } from './names.ts'
import type { KeyPath } from './yaml.ts'

export interface Spelled {
  /** As the schema has it. */
  readonly value: unknown
  /** A place in it, as the person wrote it. */
  readonly written: (path: KeyPath) => KeyPath
}

const other = /^max(?=[A-Z]|$)/

export function spelled(value: unknown, schema: z.ZodType): Spelled {
  // What the names are takes a tenth of a start to find out.
  if (!hasOther(value)) return { value, written: (path) => path }
  const renamed = new Map<string, string>()
  const visit = (part: unknown, path: KeyPath): unknown => {
    if (Array.isArray(part)) return part.map((each, index) => visit(each, [...path, index]))
    if (typeof part !== 'object' || part === null) return part
    const known = namesAt(jsonSchemaOf(schema), path)
    const entries = Object.entries(part).map(([name, inside]) => {
      const usual = name.replace(other, 'most')
      const isOther = !known.includes(name) && known.includes(usual) && !Object.hasOwn(part, usual)
      const key = isOther ? usual : name
      const place = [...path, key]
      if (isOther) renamed.set(JSON.stringify(place), name)
      return [key, visit(inside, place)] as const
    })
    return Object.fromEntries(entries)
  }
  const written = (path: KeyPath) =>
    path.map((key, index) => renamed.get(JSON.stringify(path.slice(0, index + 1))) ?? key)
  return { value: visit(value, []), written }
}

function hasOther(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, inside]) => other.test(name) || hasOther(inside))
}
