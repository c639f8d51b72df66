// Of a built site: what its pages link to and load. A link leads to a page of the site and to an anchor that
// is there; nothing is loaded from another host, so the site works without a network.
import { readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { type DefaultTreeAdapterTypes, parse } from 'parse5'

interface Reference {
  /** `a`, `img`, `script`. */
  readonly element: string
  readonly target: string
}

interface Page {
  readonly references: readonly Reference[]
  readonly anchors: ReadonlySet<string>
}

export interface Checked {
  readonly links: number
  /** `page: target, why`, in order. */
  readonly problems: readonly string[]
}

/** `base` is the path at which the site is served, with a slash at both ends. */
export async function checkSite(folder: string, base: string): Promise<Checked> {
  const files = new Set(
    (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => posix.relative(folder, join(entry.parentPath, entry.name))),
  )
  const pages = new Map<string, Page>()
  for (const file of files) {
    if (file.endsWith('.html')) pages.set(file, pageOf(await readFile(join(folder, file), 'utf8')))
  }
  const found = [...pages].flatMap(([file, { references }]) =>
    references.map((reference) => ({ file, why: problem(file, reference) })),
  )
  return {
    links: found.length,
    problems: found
      .flatMap(({ file, why }) => (why === undefined ? [] : [`${file}: ${why}`]))
      .toSorted(),
  }

  function problem(file: string, { element, target }: Reference): string | undefined {
    const url = new URL(target, `http://site${base}${file}`)
    if (url.origin !== 'http://site') {
      return element === 'a' || url.protocol === 'data:'
        ? undefined
        : `${target} is loaded from elsewhere`
    }
    if (!url.pathname.startsWith(base)) return `${target} is outside of the site`
    const path = decodeURIComponent(url.pathname.slice(base.length))
    const there = [path, `${path}.html`, posix.join(path, 'index.html')].find((each) =>
      files.has(each),
    )
    if (there === undefined) return `${target} leads nowhere`
    const anchor = decodeURIComponent(url.hash.slice(1))
    const known = anchor === '' || pages.get(there)?.anchors.has(anchor)
    return known ? undefined : `${target} names no heading`
  }
}

const loaded = new Set(['img', 'script', 'source', 'iframe', 'video', 'audio'])
const loadedLinks = /^(stylesheet|icon|preload|modulepreload|manifest)$/

function pageOf(html: string): Page {
  const references: Reference[] = []
  const anchors = new Set<string>()
  const visit = (node: DefaultTreeAdapterTypes.ParentNode) => {
    for (const child of node.childNodes) {
      if (!('tagName' in child)) continue
      const attributes = new Map(child.attrs.map(({ name, value }) => [name, value]))
      const id =
        attributes.get('id') ?? (child.tagName === 'a' ? attributes.get('name') : undefined)
      if (id !== undefined) anchors.add(id)
      const target = targetOf(child.tagName, attributes)
      if (target !== undefined) references.push({ element: child.tagName, target })
      visit(child)
    }
  }
  visit(parse(html))
  return { references, anchors }
}

function targetOf(element: string, attributes: ReadonlyMap<string, string>): string | undefined {
  if (element === 'a') return attributes.get('href')
  if (element === 'link') {
    return loadedLinks.test(attributes.get('rel') ?? '') ? attributes.get('href') : undefined
  }
  return loaded.has(element) ? (attributes.get('src') ?? attributes.get('srcset')) : undefined
}
