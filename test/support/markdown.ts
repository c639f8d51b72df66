// Links between Markdown files: which lead nowhere, and what can be reached from a page.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { anchorsOf, linksIn } from '../../scripts/lib/site/markdown.ts'

/** Not ours, or not written by a person. */
const passedOver = /^(\.|node_modules$|dist|coverage$)/

/** Paths, relative to the root, of what is in a folder and below it. */
export function filesBelow(root: string, folder = '.'): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (passedOver.test(entry.name)) return []
    return entry.isDirectory() ? filesBelow(root, path) : [path]
  })
}

export function markdownFiles(root: string): readonly string[] {
  return filesBelow(root).filter((file) => file.endsWith('.md'))
}

/** Relative links of all Markdown files that name no file, or no heading in it: `file:line target`. */
export function brokenLinks(root: string): readonly string[] {
  return markdownFiles(root).flatMap((file) =>
    linksIn(readFileSync(join(root, file), 'utf8'))
      .filter(({ target }) => !leadsSomewhere(root, file, target))
      .map(({ line, target }) => `${file}:${line} ${target}`),
  )
}

/** The Markdown files that a reader of `start` gets to by links, itself included. */
export function reachableFrom(root: string, start: string): ReadonlySet<string> {
  const reached = new Set([start])
  // A set hands out what is added while it is walked.
  for (const file of reached) {
    for (const { target } of linksIn(readFileSync(join(root, file), 'utf8'))) {
      const { path } = destination(file, target)
      if (path.endsWith('.md') && existsSync(join(root, path))) reached.add(path)
    }
  }
  return reached
}

function leadsSomewhere(root: string, file: string, target: string): boolean {
  const { path, anchor } = destination(file, target)
  const there = join(root, path)
  if (path.startsWith('..') || !existsSync(there)) return false
  if (anchor === '') return true
  return statSync(there).isFile() && anchorsOf(readFileSync(there, 'utf8')).has(anchor)
}

function destination(file: string, target: string) {
  const [path = '', anchor = ''] = target.split('#')
  return { path: path === '' ? file : normalize(join(dirname(file), path)), anchor }
}
