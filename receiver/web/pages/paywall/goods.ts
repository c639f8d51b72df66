// How what was bought is shown, by its type: a pure decision.

export type Goods = 'text' | 'image' | 'audio' | 'video' | 'reload' | 'document' | 'download'

export interface Delivery {
  /** `Content-Type` */
  readonly type: string
  /** `Content-Disposition`; empty when there is none. */
  readonly disposition: string
  readonly bytes: number
  /** The browser itself gets the kept reply when it asks for it, by a cookie. */
  readonly canReload: boolean
}

const texts = /^(text\/(?!html)|application\/(.+\+)?(json|xml|yaml)$|application\/x-ndjson$)/

/**
 * `reload`: documents with scripts and styles of their own are the browser's to show. It fetches
 * them again, by cookie, which the receiver answers from the reply that it kept; one that is larger
 * than it keeps is handed over as a file. `document`: where no cookie may say who has paid, a page shows what
 * can be read of it.
 */
export function goodsOf({ type, disposition, bytes, canReload }: Delivery): Goods {
  if (/^\s*attachment/i.test(disposition)) return 'download'
  const [kind = ''] = type
    .toLowerCase()
    .split(';')
    .map((part) => part.trim())
  if (texts.test(kind)) return bytes <= mostText ? 'text' : 'download'
  if (/^(text\/html|application\/(xhtml\+xml|pdf))$/.test(kind)) {
    if (bytes > mostKept) return 'download'
    return canReload ? 'reload' : kind === 'application/pdf' ? 'download' : 'document'
  }
  for (const media of ['image', 'audio', 'video'] as const) {
    if (kind.startsWith(`${media}/`)) return media
  }
  return 'download'
}

/** More would only slow the page down. */
const mostText = 1 << 20

/** The receiver's default for the largest reply that it keeps. */
const mostKept = 1 << 20

/** A file name for it: what the server says, else the end of its address. */
export function fileName(disposition: string, path: string): string {
  const [, named] = /filename="?([^";]+)"?/i.exec(disposition) ?? []
  const [last = ''] = path.split('/').filter(Boolean).slice(-1)
  const name = (named ?? decodeSafely(last)).replace(/[^\w.\- ]+/g, '_').slice(0, 100)
  return name === '' ? 'download' : name
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
