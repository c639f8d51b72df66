// The pages of the site: those of docs/, and four of the checkout's root. What they link to is on the site, or,
// as a file of the sources is, in the repository.
import { posix } from 'node:path'

/** Files of the root that are pages; README.md of the root is for who looks at the repository. */
const ofRoot = ['CHANGELOG.md', 'CONTRIBUTING.md', 'README.md', 'SECURITY.md']

/** Where a page of the repository is on the site; undefined for what is no page. */
export function placeOf(path: string): string | undefined {
  if (path === 'docs/README.md') return 'index.md'
  if (/^docs\/.*\.md$/.test(path)) return path.slice('docs/'.length)
  return ofRoot.includes(path) ? `project/${path.toLowerCase()}` : undefined
}

/**
 * The text of a page with links as they are on the site. Of what is on no page, the link is to the repository,
 * or, when that is not named, its path beside the text.
 * @param repository such as `https://example.org/owner/name/blob/main`
 */
export function sitePage(path: string, text: string, repository?: string): string {
  const place = placeOf(path) ?? path
  const relativeTo = (there: string) => `./${posix.relative(posix.dirname(place), there)}`
  const linkOf = (label: string, target: string) => {
    const [file = '', anchor] = target.split('#')
    const linked = posix.join(posix.dirname(path), file)
    const there = placeOf(linked)
    if (there !== undefined) {
      return `[${label}](${relativeTo(there)}${anchor === undefined ? '' : `#${anchor}`})`
    }
    if (repository !== undefined) return `[${label}](${repository}/${linked})`
    return label === `\`${linked}\`` ? label : `${label} (\`${linked}\`)`
  }
  const imageOf = (target: string) =>
    relativeTo(posix.join(posix.dirname(path), target).replace(/^docs\//, ''))
  return outsideBlocks(text, (prose) =>
    prose
      .replaceAll(
        /(?<!!)\[((?:!?\[[^\]]*\](?:\([^)]*\))?|[^\][])*)\]\((?![a-z][a-z0-9+.-]*:|#)([^)\s]+)\)/gi,
        (_, label: string, target: string) => linkOf(label, target),
      )
      .replaceAll(
        /(!\[[^\]]*\]\(|\s(?:src|srcset)=")(?![a-z][a-z0-9+.-]*:)([^)"\s]+)/gi,
        (_, before: string, target: string) => `${before}${imageOf(target)}`,
      ),
  )
}

export interface MenuGroup {
  readonly text: string
  readonly items: readonly { readonly text: string; readonly link: string }[]
}

/** The menu: the headings of docs/README.md, and the pages below each. */
export function menuOf(index: string): readonly MenuGroup[] {
  const [, ...groups] = index.split(/^## /m)
  return groups.map((group) => ({
    text: group.split(/[:\n]/, 1)[0] ?? '',
    items: [...group.matchAll(/^- \[([^\]]+)\]\(([^)]+)\.md\)/gm)].map(([, text = '', page]) => ({
      text,
      link: `/${page}`,
    })),
  }))
}

/** Changes what is in no block of code. */
function outsideBlocks(text: string, change: (prose: string) => string): string {
  return text
    .split(/(^ *```[\s\S]*?^ *```$)/m)
    .map((part, index) => (index % 2 === 0 ? change(part) : part))
    .join('')
}
