// The options of a receiver as programs write them, and what becomes of them.
import { addressOption, type KeyChoice, signerOption } from '../../platform/written/written.ts'
import { defined } from '../../protocol/index.ts'
import type { PostgresSettings } from '../postgres/settings.ts'
import type { ReceiverOptions } from './options.ts'

/** What `startReceiver` takes: `ReceiverOptions`, with the contract as text and the key by its file. */
export type StartReceiverOptions = Omit<
  ReceiverOptions,
  'signer' | 'chainId' | 'contract' | 'database'
> &
  KeyChoice & {
    readonly chainId?: bigint | number
    readonly contract: string
    /**
     * What several receivers share, such as `postgres:///uraiden`; the folder then has what is this process's own,
     * such as its request key.
     */
    readonly database?: string | PostgresSettings | undefined
  }

/**
 * @throws UraidenError `not_an_address` and `wrong_checksum` with the option's name, `key_not_given`,
 * `not_a_postgres_url`, those of `loadSigner`
 */
export async function readReceiverOptions(given: StartReceiverOptions): Promise<ReceiverOptions> {
  const { signer, key, chainId, contract, database, ...rest } = given
  return {
    ...rest,
    ...defined({ chainId: chainId === undefined ? undefined : BigInt(chainId) }),
    database: typeof database === 'string' ? await databaseAt(database) : database,
    contract: addressOption('contract', contract),
    signer: await signerOption({ signer, key }),
  }
}

/** What reads it is loaded only where it is configured. */
async function databaseAt(url: string): Promise<PostgresSettings> {
  const { parsePostgresUrl } = await import('../postgres/settings.ts')
  return { ...parsePostgresUrl(url), tls: {} }
}
