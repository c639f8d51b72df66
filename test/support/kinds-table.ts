// The table of docs/reference/chains-and-tokens.md, for the tests that hold it to be true.
import { readFileSync } from 'node:fs'
import type { ExecutionContext } from 'ava'

const page = new URL('../../docs/reference/chains-and-tokens.md', import.meta.url)

export interface KindRow {
  readonly name: string
  readonly opens: string
  readonly topsUp: string
  readonly together: string
  readonly alone: string
  /** What stands in backticks of the last column. */
  readonly said: readonly string[]
}

/** `chain` or `token`: the rows that begin with it. */
export function kindsOf(kind: 'chain' | 'token'): readonly KindRow[] {
  return readFileSync(page, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`| ${kind}: `))
    .map((line) => {
      const [name = '', opens = '', topsUp = '', together = '', alone = '', says = ''] = line
        .split('|')
        .slice(1)
        .map((cell) => cell.trim())
      return {
        name: name.slice(`${kind}: `.length),
        ...{ opens, topsUp, together, alone },
        said: [...says.matchAll(/`([^`]+)`/g)].map(([, words = '']) => words),
      }
    })
}

/** Tokens with tests of their own. */
export const troubles = [
  '36 decimals',
  'USDC kind, paused',
  'USDT kind, paused',
  'USDC kind, the sender blocked',
  'USDC kind, the receiver blocked',
] as const

/** Of a token with a test of its own: that so much of its row is so. */
export function holdsRow(
  t: ExecutionContext,
  name: (typeof troubles)[number],
  heard: readonly string[],
): void {
  const row = kindsOf('token').find((each) => each.name === name)
  t.truthy(row, `a row for ${name}`)
  for (const words of row?.said ?? []) hears(t, heard, words)
}

export function hears(t: ExecutionContext, heard: readonly string[], words: string): void {
  t.true(
    heard.some((each) => each.includes(words)),
    `"${words}" in:\n${heard.join('\n')}`,
  )
}
