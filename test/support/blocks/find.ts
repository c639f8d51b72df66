// The blocks of code of the documentation.
import { readFileSync } from 'node:fs'
import { markdownFiles } from '../markdown.ts'

export interface Block {
  /** `docs/guides/proxy.md:24`. */
  readonly place: string
  readonly page: string
  /** What the fence says; empty where it says nothing. */
  readonly language: string
  readonly text: string
}

/** Of the pages that a reader comes to: docs/ and those at the top. */
export function documentedBlocks(root: string): readonly Block[] {
  return markdownFiles(root)
    .filter((file) => /^(docs\/.*|[^/]*)$/.test(file))
    .flatMap((page) => blocksIn(page, readFileSync(`${root}/${page}`, 'utf8')))
}

export function blocksIn(page: string, text: string): readonly Block[] {
  const fences = text.matchAll(/^( *)(```+)([\w-]*)\n(.*?)^\1\2$/gms)
  return [...fences].map(({ 1: indent = '', 3: language = '', 4: content = '', index }) => ({
    place: `${page}:${text.slice(0, index).split('\n').length}`,
    page,
    language,
    text: content.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }))
}
