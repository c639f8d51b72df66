// What a Markdown page says outside its code: links and headings, as GitHub reads them.

export interface Link {
  readonly line: number
  readonly target: string
}

const written = [
  // [text](target "title"), ![text](target)
  /(\]\(\s*<?)([^\s)>]+)(?=>?(?:\s+"[^"]*")?\s*\))/g,
  // [name]: target
  /(^ {0,3}\[[^\]]+\]:\s*<?)([^\s>]+)/g,
  // <a href="target">, <img src="target">, <source srcset="target">
  /(\s(?:href|src|srcset)=")([^"\s]+)(?=")/g,
]

const elsewhere = /^([a-z][a-z0-9+.-]*:|\/\/)/i

/** Without those to other hosts. */
export function linksIn(text: string): readonly Link[] {
  const found: Link[] = []
  withLinks(text, ({ line, target }) => {
    found.push({ line, target })
    return target
  })
  return found.toSorted((a, b) => a.line - b.line)
}

/** The page with another target for each link of its own host. */
export function withLinks(text: string, rewrite: (link: Link) => string): string {
  const inFence = fenced(text)
  return text
    .split('\n')
    .map((content, index) => {
      if (inFence[index]) return content
      return outsideCode(content, (part) =>
        written.reduce(
          (changed, form) =>
            changed.replaceAll(form, (whole, before: string, target: string) =>
              elsewhere.test(target) ? whole : before + rewrite({ line: index + 1, target }),
            ),
          part,
        ),
      )
    })
    .join('\n')
}

/** What GitHub makes of headings: https://docs.github.com/en/get-started/writing-on-github */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const content of proseLines(text)) {
    const heading = /^ {0,3}#{1,6}\s+(.*?)\s*#*$/.exec(content)?.[1]
    if (heading !== undefined) anchors.add(unused(slug(heading), anchors))
    for (const [, id = ''] of content.matchAll(/\s(?:id|name)="([^"]+)"/g)) anchors.add(id)
  }
  return anchors
}

/** The anchor of a heading, given as Markdown or as plain text. */
export function slug(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-')
}

function unused(anchor: string, taken: ReadonlySet<string>): string {
  const names = [anchor, ...Array.from({ length: taken.size }, (_, n) => `${anchor}-${n + 1}`)]
  return names.find((name) => !taken.has(name)) ?? `${anchor}-${taken.size + 1}`
}

/** A link in code is text. */
function outsideCode(content: string, change: (part: string) => string): string {
  // A link's text may be code, so code is only hidden while links are looked for.
  const codes: string[] = []
  const hidden = content.replaceAll(
    /(`+)(?!`).*?\1/g,
    (code) => `\ue000${codes.push(code) - 1}\ue000`,
  )
  return change(hidden).replaceAll(/\ue000(\d+)\ue000/g, (_, index) => codes[Number(index)] ?? '')
}

/** With empty lines in place of blocks of code, so that lines keep their numbers. */
export function proseLines(text: string): readonly string[] {
  const inFence = fenced(text)
  return text.split('\n').map((content, index) => (inFence[index] ? '' : content))
}

/** Of each line, whether it belongs to a block of code, its fences included. */
function fenced(text: string): readonly boolean[] {
  let fence: string | undefined
  return text.split('\n').map((content) => {
    const mark = /^\s*(```+|~~~+)/.exec(content)?.[1]
    if (fence === undefined && mark === undefined) return false
    if (fence === undefined) fence = mark
    else if (mark?.startsWith(fence)) fence = undefined
    return true
  })
}
