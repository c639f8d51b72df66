// The site's navigation: what docs/README.md lists, in its order, and whatever else is in the folders.
import { linksIn, proseLines } from './markdown.ts'

/** Repository paths: `docs/guides/daemon.md`. */
type Page = string

export interface Entry {
  readonly title: string
  readonly page: Page
  readonly about: string
}

export interface Group {
  readonly title: string
  readonly entries: readonly Entry[]
}

export const contents: Page = 'docs/README.md'

const item = /^- \[([^\]]+)\]\([^)]+\): (.+)$/

/**
 * Groups with their pages. `index` is the text of docs/README.md; pages of its folders that it does not list
 * come last in their group, by `titleOf`.
 */
export function navigation(
  index: string,
  pages: readonly Page[],
  titleOf: (page: Page) => string,
): readonly Group[] {
  const groups = [{ title: 'Start', entries: [] as Entry[] }]
  for (const content of proseLines(index)) {
    const heading = /^## ([^:]+)/.exec(content)?.[1]
    if (heading !== undefined) groups.push({ title: heading.trim(), entries: [] })
    const [, title, about] = item.exec(content) ?? []
    const [link] = linksIn(content)
    if (title === undefined || about === undefined || link === undefined) continue
    groups
      .at(-1)
      ?.entries.push({ title, about, page: new URL(link.target, base).pathname.slice(1) })
  }
  const listed = new Set([
    contents,
    ...groups.flatMap(({ entries }) => entries.map(({ page }) => page)),
  ])
  const others = pages.filter((page) => !listed.has(page))
  return groups.map(({ title, entries }, place) => ({
    title,
    entries: [
      ...entries,
      ...others
        .filter((page) => groupOf(page, groups) === place)
        .map((page) => ({ title: titleOf(page), page, about: '' })),
    ],
  }))
}

const base = `http://docs/${contents}`

/** The group that has most to do with the page's folder; the first where there is none. */
function groupOf(page: Page, groups: readonly Group[]): number {
  const folder = /^docs\/([^/]+)\//.exec(page)?.[1]
  const place = groups.findIndex(({ title }) => title.toLowerCase() === folder)
  return Math.max(place, 0)
}
