// A receiver of a configuration, for somebody else's server.
import { defined } from '../../protocol/index.ts'
import { connectContract, type Receiver, type ReceiverOptions } from '../core/receiver.ts'
import { receiverError } from '../errors/index.ts'
import { shareAccount } from '../settlement/shared-account.ts'
import { loadReceiverConfig } from './config.ts'
import { sell } from './run.ts'
import { openSigner, readFiles, receiverSettings } from './settings.ts'

/** What a program may have besides its configuration. */
export type OwnOptions = Pick<ReceiverOptions, 'log' | 'observer'>

/** See from.ts. */
export async function startReceiverFrom(file: string, own: OwnOptions = {}): Promise<Receiver> {
  const settings = receiverSettings(await loadReceiverConfig({ file, options: [] }))
  const { connection, formers, relayKey } = settings
  if (formers.length > 0) {
    throw receiverError({
      code: 'former_contracts_unserved',
      message: `${file} names ${formers.length + 1} contracts, and a receiver serves one.`,
    })
  }
  const signer = await openSigner(settings.key)
  const relaySigner = relayKey && (await openSigner(relayKey))
  const files = await readFiles(settings)
  const { observer, log } = own
  const connected = await connectContract({ ...connection, ...defined({ observer }) })
  const shared = shareAccount([connection.contract])
  return sell({ settings, signer, relaySigner, log }, files, { connected, observer, shared })
}
