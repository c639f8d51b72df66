// What the site is made of: the Markdown pages as they are in the repository, with links that lead to the
// site's own pages; of every other file that a page links to, a page that shows it.
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, extname, join, posix } from 'node:path'
import { withLinks } from './markdown.ts'
import { contents, type Group, navigation } from './navigation.ts'

export interface Site {
  readonly groups: readonly {
    readonly title: string
    readonly entries: readonly { readonly title: string; readonly link: string }[]
  }[]
  readonly pages: number
  /** Files and folders of the repository that pages link to. */
  readonly sources: number
}

/** Writes all pages of the checkout `root` into `folder`, which is emptied before. */
export async function writePages(root: string, folder: string): Promise<Site> {
  const pages = await markdownPages(root)
  const texts = new Map<string, string>()
  for (const page of pages) texts.set(page, await readFile(join(root, page), 'utf8'))
  const titleOf = (page: string) => /^# (.+)$/m.exec(texts.get(page) ?? '')?.[1] ?? page
  const groups = navigation(texts.get(contents) ?? '', pages, titleOf)
  const sources = new Set<string>()
  await rm(folder, { recursive: true, force: true })
  for (const [page, text] of texts) {
    const own = withLinks(text, ({ target }) => {
      const { path, anchor } = resolve(page, target)
      const link = siteLink(path, texts)
      if (link === sourceLink(path)) sources.add(path)
      return link + anchor
    })
    await write(folder, pagePath(page), `${frontMatter(page, groups)}${own}`)
  }
  const shown = await writeSources(root, folder, sources, texts)
  await cp(join(root, 'docs/images'), join(folder, 'public/images'), { recursive: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    },
  )
  return {
    groups: groups.map(({ title, entries }) => ({
      title,
      entries: entries.map((entry) => ({ title: entry.title, link: siteLink(entry.page, texts) })),
    })),
    pages: texts.size,
    sources: shown,
  }
}

/** Those in docs/, and those at the top. */
async function markdownPages(root: string): Promise<readonly string[]> {
  const top = await readdir(root)
  const below = await readdir(join(root, 'docs'), { recursive: true })
  return [...top, ...below.map((path) => `docs/${path}`)]
    .filter((path) => path.endsWith('.md'))
    .toSorted()
}

function resolve(page: string, target: string): { readonly path: string; readonly anchor: string } {
  const [path = '', anchor] = target.split('#')
  return {
    path:
      path === ''
        ? page
        : posix.normalize(posix.join(posix.dirname(page), path)).replace(/\/$/, ''),
    anchor: anchor === undefined ? '' : `#${anchor}`,
  }
}

const isPicture = (path: string) => path.startsWith('docs/images/')

/** Where a page of the repository is below the site's folder. */
function pagePath(page: string): string {
  if (page === 'README.md') return 'index.md'
  if (page === contents) return 'contents.md'
  return page.replace(/^docs\//, '').replace(/^[A-Z]+\.md$/, (name) => name.toLowerCase())
}

/** From the site's top; what is no page is shown as a source. */
function siteLink(path: string, pages: ReadonlyMap<string, string>): string {
  if (isPicture(path)) return path.replace(/^docs/, '')
  // `docs` alone is the folder's index, on GitHub as well.
  if (path === 'docs') return '/contents'
  if (!pages.has(path)) return sourceLink(path)
  return `/${pagePath(path).replace(/(^index)?\.md$/, '')}`
}

/** A link that ends in `.md` would be one to the page that is made of it. */
const sourceLink = (path: string) => `/source/${path.replace(/\.md$/, '-md')}`
const sourceFile = (path: string) => `${sourceLink(path).slice(1)}.md`

function frontMatter(page: string, groups: readonly Group[]): string {
  const about = groups.flatMap(({ entries }) => entries).find((entry) => entry.page === page)?.about
  return about ? `---\ndescription: ${JSON.stringify(about.replaceAll('`', ''))}\n---\n` : ''
}

/** How many there are, with the files of the folders among them. */
async function writeSources(
  root: string,
  folder: string,
  sources: Set<string>,
  pages: ReadonlyMap<string, string>,
): Promise<number> {
  // A set hands out what is added while it is walked.
  for (const path of sources) {
    const there = await stat(join(root, path)).catch(() => undefined)
    // A page that links to nothing fails the build by itself: the dead link is found in it.
    if (there === undefined) continue
    if (!there.isDirectory()) {
      await write(
        folder,
        sourceFile(path),
        sourcePage(path, await readFile(join(root, path), 'utf8')),
      )
      continue
    }
    const names = (await readdir(join(root, path))).toSorted()
    for (const name of names) if (!pages.has(`${path}/${name}`)) sources.add(`${path}/${name}`)
    const list = names.map((name) => `- [${name}](${siteLink(`${path}/${name}`, pages)})`)
    await write(folder, sourceFile(path), `# ${path}\n\n${list.join('\n')}\n`)
  }
  return sources.size
}

function sourcePage(path: string, text: string): string {
  const longest = [...text.matchAll(/`+/g)].map(([ticks]) => ticks.length)
  const fence = '`'.repeat(Math.max(3, ...longest.map((length) => length + 1)))
  return `# ${path}\n\n${fence}${languages[extname(path)] ?? ''}\n${text.trimEnd()}\n${fence}\n`
}

const languages: { readonly [ending: string]: string } = {
  '.js': 'js',
  '.json': 'json',
  '.py': 'python',
  '.sh': 'sh',
  '.sol': 'solidity',
  '.ts': 'ts',
  '.yaml': 'yaml',
  '.yml': 'yaml',
}

async function write(folder: string, path: string, text: string): Promise<void> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}
