// A YAML file with the line of every key.

import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { platformError } from '../errors/index.ts'

/** Names and indices from the document's root to a value. */
export type KeyPath = readonly (string | number)[]

export interface YamlFile {
  readonly value: unknown
  /** Of the key; of the nearest one above it when the key itself is missing. Counted from 1. */
  readonly lineOf: (path: KeyPath) => number
}

/**
 * Addresses stay text without quotes: YAML would read 0x… as a number and lose its digits.
 * @throws UraidenError `config_invalid` with `name:line:column`
 */
export function parseYaml(text: string, name: string): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    customTags: (tags) =>
      tags.filter((tag) => typeof tag === 'string' || !('format' in tag) || tag.format !== 'HEX'),
  })
  const [problem] = document.errors
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0])
    throw platformError({
      code: 'config_invalid',
      message: `${name}:${line}:${col} is not YAML: ${problem.message}`,
      hint: 'Check indentation, quotes and colons there.',
    })
  }
  return {
    value: plainValue(document, name),
    lineOf: (path) => lines.linePos(offsetOf(document, path)).line,
  }
}

/** An alias of nothing, and aliases that multiply into gigabytes, end in an error of the library. */
function plainValue(document: Document.Parsed, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    throw platformError({
      code: 'config_invalid',
      message: `${name} is not YAML: ${cause instanceof Error ? cause.message : cause}.`,
      hint: 'Write values out instead of aliases (*name); put text that begins with * into quotes.',
      cause,
    })
  }
}

function offsetOf(document: Document.Parsed, path: KeyPath): number {
  let node: unknown = document.contents
  let offset = 0
  for (const key of path) {
    const pair = isMap(node) ? node.items.find((item) => nameOf(item.key) === `${key}`) : undefined
    const child = isSeq(node) ? node.items[Number(key)] : pair?.key
    if (!isNode(child) || !child.range) return offset
    offset = child.range[0]
    node = pair === undefined ? child : pair.value
  }
  return offset
}

function nameOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : ''
}
