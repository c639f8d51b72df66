// Links between Markdown files: which lead nowhere, and what can be reached from a page.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { slugOf } from '../../scripts/lib/site/slug.ts'

interface Link {
  readonly line: number
  readonly target: string
}

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

const written = [
  // [text](target "title"), ![text](target)
  /\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g,
  // [name]: target
  /^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)/g,
  // <a href="target">, <img src="target">, <source srcset="target">
  /\s(?:href|src|srcset)="([^"\s]+)"/g,
]

/** Without those to other hosts. */
function linksIn(text: string): readonly Link[] {
  return withoutCode(text).flatMap((content, index) =>
    written
      .flatMap((form) => [...content.matchAll(form)].map(([, target = '']) => target))
      .filter((target) => !/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target))
      .map((target) => ({ line: index + 1, target })),
  )
}

/** What GitHub makes of headings: https://docs.github.com/en/get-started/writing-on-github */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const content of linesOutsideFences(text)) {
    const heading = /^ {0,3}#{1,6}\s+(.*?)\s*#*$/.exec(content)?.[1]
    if (heading !== undefined) anchors.add(unused(slugOf(heading), anchors))
    for (const [, id = ''] of content.matchAll(/\s(?:id|name)="([^"]+)"/g)) anchors.add(id)
  }
  return anchors
}

function unused(anchor: string, taken: ReadonlySet<string>): string {
  const names = [anchor, ...Array.from({ length: taken.size }, (_, n) => `${anchor}-${n + 1}`)]
  return names.find((name) => !taken.has(name)) ?? `${anchor}-${taken.size + 1}`
}

/** A link in code is text. */
function withoutCode(text: string): readonly string[] {
  return linesOutsideFences(text).map((content) => content.replaceAll(/(`+)(?!`).*?\1/g, ''))
}

/** With empty lines in place of code, so that lines keep their numbers. */
function linesOutsideFences(text: string): readonly string[] {
  let fence: string | undefined
  return text.split('\n').map((content) => {
    const mark = /^\s*(```+|~~~+)/.exec(content)?.[1]
    if (fence === undefined && mark === undefined) return content
    if (fence === undefined) fence = mark
    else if (mark?.startsWith(fence)) fence = undefined
    return ''
  })
}
