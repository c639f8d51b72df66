// How a value that may hold a secret is shown: in logs, pages, status, metrics, and messages. Keys of
// services stand in user, path and query of URLs, in headers, and in the arguments of programs.
import { createHash } from 'node:crypto'

/**
 * `https://hooks.example.com#1a2b3c4d`: the origin, and where there is more a short hash, by which two of
 * one service can be told apart. User and password are not in the hash: they could be guessed from it.
 */
export function printedUrl(url: string | URL): string {
  const known = readUrl(url)
  if (known === undefined) return hidden
  const { protocol, host, pathname, search, hash } = known
  const more = `${pathname}${search}${hash}`
  return `${protocol}//${host}${more === '' || more === '/' ? '' : `#${short(more)}`}`
}

/** `rsync#1a2b3c4d`: the program, and a short hash of its arguments. */
export function printedCommand([program = '', ...args]: readonly string[]): string {
  return args.length === 0 ? program : `${program}#${short(JSON.stringify(args))}`
}

// Others write what is read here, so each pattern takes time in proportion to the text: it begins with a
// character that has to be there, and looks back no further than to the one before.
const userInfo = /(:(?<=\b[a-z][a-z0-9+.-]*:)\/\/)[^\s/@"'<>\\]*@/gi
const query = /\?(?<=\/[^\s"'<>?]*\?)[^\s"'<>\\]+/g
const beyondOrigin = /(:(?<=\b[a-z][a-z0-9+.-]*:)\/\/[^\s/"'<>\\]+)\/[^\s"'<>,;)\\]*/gi
const afterScheme = /:(?<=\b[a-z][a-z0-9+.-]*:)\/\//i
const word = /[^\s"'<>\\]+/g

/** Of a text that others have written into: URLs without user, password, query and fragment. */
export function withoutKeys(text: string): string {
  return text.replace(userInfo, '$1').replace(query, '').replace(word, withoutFragment)
}

function withoutFragment(text: string): string {
  const parts = text.split('#')
  const url = parts.findIndex(hasPath)
  const kept = parts.slice(0, url + 1).join('#')
  return url >= 0 && text.length > kept.length + 1 ? kept : text
}

function hasPath(text: string): boolean {
  const begin = text.search(afterScheme)
  return begin >= 0 && text.includes('/', begin + 3)
}

/** Of what a library says: nothing of a URL but its origin. */
export function originsOnly(text: string): string {
  return withoutKeys(text).replace(beyondOrigin, '$1')
}

/** What another side says about a URL of ours, without the parts of it that may be a key. */
export function withoutPartsOf(url: string | URL, text: string): string {
  const known = readUrl(url)
  if (known === undefined) return originsOnly(text)
  const { username, password, pathname, searchParams, hash } = known
  const parts = [...pathname.split('/'), ...searchParams.values(), hash.slice(1)]
  const keys = parts.filter(mayBeKey)
  return [username, password, ...keys]
    .flatMap((part) => (part === '' ? [] : [part, decoded(part)]))
    .reduce((rest, part) => rest.replaceAll(part, hidden), originsOnly(text))
}

/** Names of settings whose values are not shown, whatever they are, nor what is under them. */
const secretNames = new Set(['headers', 'body', 'template', 'users', 'tokens', 'values'])

/**
 * A value of a configuration, or the whole of it, as messages and `config check --json` show it. `path` is
 * where it stands.
 */
export function printedSettings(value: unknown, path: readonly (string | number)[] = []): unknown {
  const isSecret = path.some((name) => secretNames.has(`${name}`))
  if (typeof value === 'string') return isSecret ? hidden : printedText(value)
  if (Array.isArray(value)) {
    const isCommand = path.at(-1) === 'command' && value.every((each) => typeof each === 'string')
    if (isCommand) return printedCommand(value)
    return value.map((each, index) => printedSettings(each, [...path, index]))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, printedSettings(each, [...path, name])]),
  )
}

function printedText(text: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? printedUrl(text) : withoutKeys(text)
}

const hidden = '…'

/** Not words such as v3, ethereum or execution, which messages have of their own. */
function mayBeKey(part: string): boolean {
  return part.length >= 16 || (part.length >= 6 && /\d/.test(part))
}

function readUrl(url: string | URL): URL | undefined {
  if (typeof url !== 'string') return url
  return URL.canParse(url) ? new URL(url) : undefined
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
