// Every link of the built site leads to a page of it, and every anchor to a place on that page.
import { readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'

/** `page target`, for each link of a folder of HTML that leads nowhere. */
export async function deadLinks(folder: string): Promise<readonly string[]> {
  const files = new Set(await readdir(folder, { recursive: true }))
  const pages = new Map<string, string>()
  for (const file of files) {
    if (file.endsWith('.html')) pages.set(file, await readFile(join(folder, file), 'utf8'))
  }
  return [...pages].flatMap(([file, html]) =>
    [...html.matchAll(/<(?:a|img|source)\s[^>]*?(?:href|src)="([^"]*)"/g)]
      .map(([, target = '']) => target.replaceAll('&amp;', '&'))
      .filter((target) => !/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target))
      .filter((target) => !leads(file, target, { files, pages }))
      .map((target) => `${file} ${target}`),
  )
}

interface Built {
  readonly files: ReadonlySet<string>
  readonly pages: ReadonlyMap<string, string>
}

function leads(from: string, target: string, { files, pages }: Built): boolean {
  const [path = '', anchor = ''] = target.split('#').map(decodeURIComponent)
  const plain = path.split('?')[0] ?? ''
  const absolute = posix.join('/', plain.startsWith('/') ? '' : posix.dirname(from), plain)
  const file = plain === '' ? from : absolute.replace(/\/$/, '/index.html').slice(1)
  if (!files.has(file)) return false
  const page = pages.get(file)
  return anchor === '' || (page?.includes(` id="${anchor}"`) ?? false)
}
