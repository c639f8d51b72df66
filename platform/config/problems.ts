// zod's issues in the words of the person who wrote the file.
import type { z } from 'zod'
import { shorten } from '../../protocol/index.ts'
import { nearestName } from '../text/nearest-name.ts'
import { printedSettings } from '../text/printed.ts'
import type { KeyPath } from './yaml.ts'

export interface Problem {
  readonly path: KeyPath
  readonly message: string
  readonly hint?: string | undefined
}

type Issue = z.core.$ZodIssue

/** `value` is what was checked; `namesAt` gives the names known in the object at a path. */
export function problemsOf(
  error: z.core.$ZodError,
  value: unknown,
  namesAt: (path: KeyPath) => readonly string[],
): readonly Problem[] {
  return error.issues.flatMap((issue) => problems(issue, issue.path as KeyPath, value, namesAt))
}

function problems(
  issue: Issue,
  path: KeyPath,
  value: unknown,
  namesAt: (path: KeyPath) => readonly string[],
): readonly Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(key, path, namesAt(path)))
  }
  if (issue.code === 'invalid_union') {
    const inner = likeliest(issue.errors)
    if (inner.length > 0) {
      return inner.flatMap((each) =>
        problems(each, [...path, ...(each.path as KeyPath)], value, namesAt),
      )
    }
  }
  // A name that a person chose: what is wrong with it is inside.
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => ({ path, message: `"${path.at(-1)}": ${message}` }))
  }
  const found = path.reduce<unknown>(
    (whole, key) => (whole as Record<string | number, unknown> | undefined)?.[key],
    value,
  )
  if (found === undefined && issue.code !== 'custom') {
    return [{ path, message: 'this is missing.', hint: `Add ${path.join('.')}.` }]
  }
  const hint = issue.code === 'custom' ? issue.params?.hint : undefined
  const message = issue.message.replace(/^Invalid input: /, '').replace(/([^.])$/, '$1.')
  const said =
    message.includes('"') || message.includes('address ')
      ? message
      : `${show(found, issue, path)}: ${message}`
  return [{ path, message: said, hint: typeof hint === 'string' ? hint : undefined }]
}

function unknownKey(key: string, path: KeyPath, known: readonly string[]): Problem {
  const near = nearestName(key, known)
  return {
    path: [...path, key],
    message: 'there is no such setting.',
    hint: near ? `Did you mean ${near}?` : `Known here: ${known.join(', ')}.`,
  }
}

/** Of a union's branches, the one that the value came furthest in. */
function likeliest(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  const depth = (issues: readonly Issue[]) =>
    Math.max(...issues.map(({ path, code }) => path.length + (code === 'invalid_type' ? 0 : 0.5)))
  return [...branches].sort((a, b) => depth(b) - depth(a))[0] ?? []
}

/** What should be a URL and has not even a scheme may have a key anywhere in it. */
function show(value: unknown, issue: Issue, path: KeyPath): string {
  const isNoUrl = issue.code === 'invalid_format' && issue.format === 'url'
  const shown = isNoUrl && !`${value}`.includes('://') ? '…' : printedSettings(value, path)
  return shorten(JSON.stringify(shown) ?? String(shown), 60)
}
