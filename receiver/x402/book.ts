// Authorizations that were sent to be settled, or have been: on disk before anything is served for them, until they
// have expired. So one pays for one request, whatever is restarted when.
import type { Address, ChainBlock, Hex, TokenAmount } from '../../protocol/index.ts'
import type { TransferAuthorization } from '../../protocol/x402/index.ts'
import type { RecordDisk } from '../channels/store.ts'

export interface AuthorizationRecord {
  /**
   * `sent`: nobody knows yet what became of it. `settled`: paid, and to be served. `answered`: its request was served
   * whole, or is not served again.
   */
  readonly state: 'sent' | 'settled' | 'answered'
  /** Names the request that it pays for. */
  readonly request: string
  /** What that cost when it was paid, in the channels' token. */
  readonly price: TokenAmount
  /** Unix seconds: good before. */
  readonly validBefore: bigint
  /** The newest block when it was sent: its event is in a later one. */
  readonly since: ChainBlock
  /** That settled it. */
  readonly transaction?: Hex
  /** One answer to it has broken off: the next one is the last. */
  readonly cut?: true
}

/** Names one authorization of one asset. */
export type AuthorizationName = `${Address}/${Hex}`

export function authorizationName({
  from,
  nonce,
}: Pick<TransferAuthorization, 'from' | 'nonce'>): AuthorizationName {
  return `${from}/${nonce}`
}

export interface AuthorizationBook {
  readonly get: (name: AuthorizationName) => AuthorizationRecord | undefined
  /** Resolves when it is on disk. */
  readonly put: (name: AuthorizationName, record: AuthorizationRecord) => Promise<void>
  /** What has expired for so long that no chain takes it any more; `now` in Unix seconds, by the chain's clock. */
  readonly forget: (now: number) => Promise<void>
}

/** In seconds. What has expired is refused by its own time; a chain that was reorganised may have an earlier one. */
const keptAfter = 3600n

export async function openAuthorizationBook(disk: RecordDisk): Promise<AuthorizationBook> {
  const known = new Map<AuthorizationName, AuthorizationRecord>()
  for (const [name, text] of await disk.load()) known.set(name as AuthorizationName, decode(text))
  const save = (changes: Iterable<readonly [AuthorizationName, AuthorizationRecord | undefined]>) =>
    disk.save(new Map([...changes].map(([name, record]) => [name, record && encode(record)])))
  return {
    get: (name) => known.get(name),
    put: (name, record) => {
      // Before the write is through, too: whoever asks meanwhile must not be first.
      known.set(name, record)
      return save([[name, record]])
    },
    forget: async (now) => {
      const over = [...known].flatMap(([name, { validBefore }]) =>
        validBefore + keptAfter < BigInt(now) ? [name] : [],
      )
      for (const name of over) known.delete(name)
      if (over.length > 0) await save(over.map((name) => [name, undefined]))
    },
  }
}

function encode({ validBefore, price, ...rest }: AuthorizationRecord): string {
  return JSON.stringify({ ...rest, validBefore: `${validBefore}`, price: `${price}` })
}

function decode(text: string): AuthorizationRecord {
  const { validBefore, price, ...rest } = JSON.parse(text)
  return { ...rest, validBefore: BigInt(validBefore), price: BigInt(price) }
}
