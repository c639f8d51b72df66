// Where a shared state is: `state: postgres://…` or `state: { postgres: … }` of receiver.yaml, checked.
import { z } from 'zod'
import { filePath, parsed } from '../../platform/config/index.ts'
import { defined, shorten, type UraidenError } from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'

/** A database, without what opens it. */
export interface PostgresPlace {
  /** A name, an address, or the folder of the server's socket. */
  readonly host: string
  readonly port: number
  readonly database: string
  /** The user of the process when not given. */
  readonly user?: string
}

export interface PostgresSettings extends PostgresPlace {
  /** Its first line is the password; mode 600. */
  readonly passwordFile?: string
  /** `off`, or who signs the server's certificate: a file, or whom Node trusts when not given. */
  readonly tls: 'off' | { readonly ca?: string }
}

/** A shared state, and the folder of what is each process's own. */
export interface SharedState extends PostgresSettings {
  /** The usual one when not given. */
  readonly folder?: string
}

const protocols = ['postgres:', 'postgresql:']
const usualSocket = '/var/run/postgresql'
const usualPort = 5432
/** For sockets: a URL without a host has no place for them. */
const parameters = ['host', 'port', 'user']

export function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:/i.test(text)
}

export function isSocket({ host }: PostgresPlace): boolean {
  return host.startsWith('/')
}

/** For messages. */
export function placeText(place: PostgresPlace): string {
  const { host, port, database } = place
  return `${database} at ${isSocket(place) ? host : `${host}:${port}`}`
}

/**
 * `postgres://user@host:5432/database`; `postgres:///database?host=/folder&user=user` for a socket, with Debian's
 * folder when none is named.
 * @throws UraidenError `not_a_postgres_url`
 */
export function parsePostgresUrl(text: string): PostgresPlace {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !protocols.includes(url.protocol)) {
    throw wrong('this is no postgres:// URL.')
  }
  if (url.password !== '') {
    throw wrong(
      'there is a password in it, and others may read the configuration.',
      'Put the password into a file of mode 600: state: { postgres: …, passwordFile: … }',
    )
  }
  const unknown = [...url.searchParams.keys()].find((key) => !parameters.includes(key))
  if (unknown !== undefined) throw wrong(parameterSays(unknown), parameterHint(unknown))
  const database = decodeURIComponent(url.pathname.slice(1))
  if (database === '' || database.includes('/')) throw wrong('it names no database.')
  const named = decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '')
  const user = decodeURIComponent(url.username) || url.searchParams.get('user')
  const port = url.port || url.searchParams.get('port') || usualPort
  if (!/^\d{1,5}$/.test(`${port}`) || Number(port) > 65_535) throw wrong('its port is no port.')
  return {
    host: named || url.searchParams.get('host') || usualSocket,
    port: Number(port),
    database,
    ...(user && { user }),
  }
}

function parameterSays(name: string): string {
  return `there is no parameter "${shorten(name)}".`
}

function parameterHint(name: string): string | undefined {
  if (!name.startsWith('ssl')) return undefined
  return 'A server’s certificate is always checked. Name who signs it, or say that nothing is encrypted: state: { postgres: …, tls: { ca: … } } or tls: off.'
}

function wrong(why: string, hint?: string): UraidenError {
  return receiverError({
    code: 'not_a_postgres_url',
    message: `A PostgreSQL database is wanted, but ${why}`,
    ...defined({ hint }),
  })
}

const postgresUrl = parsed(parsePostgresUrl)

const folderOrUrl = filePath.transform((text, context): string | SharedState => {
  if (!isPostgresUrl(text)) return text
  const { success, data, error } = postgresUrl.safeParse(text)
  if (success) return { ...data, tls: {} }
  for (const { message, ...issue } of error.issues) {
    context.addIssue({ code: 'custom', message, params: 'params' in issue ? issue.params : {} })
  }
  return z.NEVER
})

const inFull = z
  .strictObject({
    postgres: postgresUrl.describe('the database: postgres://user@host/name'),
    passwordFile: filePath.optional().describe('mode 600; its first line is the password'),
    tls: z
      .union([
        z.literal('off'),
        z.strictObject({ ca: filePath.optional().describe('who signs its certificate, PEM') }),
      ])
      .prefault({})
      .describe('off: nothing on the way to the server is encrypted or checked'),
    folder: filePath.optional().describe('for what is this process’s own, mode 700'),
  })
  .transform(
    ({ postgres, passwordFile, tls, folder }): SharedState => ({
      ...postgres,
      tls: tls === 'off' ? tls : defined(tls),
      ...defined({ passwordFile, folder }),
    }),
  )

/** A folder as text, or a shared state. */
export const stateSchema = z.union([folderOrUrl, inFull])

/** With every path resolved by `at`. */
export function stateAt(
  state: string | SharedState,
  at: (path: string) => string,
): string | SharedState {
  if (typeof state === 'string') return at(state)
  const { passwordFile, folder, tls } = state
  return {
    ...state,
    ...(tls !== 'off' && tls.ca !== undefined && { tls: { ca: at(tls.ca) } }),
    ...(passwordFile !== undefined && { passwordFile: at(passwordFile) }),
    ...(folder !== undefined && { folder: at(folder) }),
  }
}
