// The receiver's own request key: made once, kept beside the state or given by systemd, and signed by the
// account so that senders know whose it is.

import { join } from 'node:path'
import {
  readCredentialFile,
  readPrivateFile,
  writePrivateFile,
} from '../../platform/keys/private-file.ts'
import {
  createRequestKey,
  type RequestKeyPair,
  receiverKeyDigest,
  requestPublicKey,
  type SignedReceiverKey,
} from '../../protocol/bound/index.ts'
import {
  type BlockNumber,
  fromHex,
  isUraidenError,
  type SignatureDomain,
  type Signer,
  toHex,
} from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'

export interface OwnRequestKey extends RequestKeyPair {
  /** The block in which it was made. */
  readonly number: bigint
}

export interface RequestKeyPlaces {
  /** The state folder. */
  readonly state: string
  /** systemd's folder of credentials, if there is one. */
  readonly credentials: string | undefined
}

const fileName = 'request-key'

/**
 * The credential `request-key`, or else the state's file, which is made where there is none.
 * @throws UraidenError `request_key_unreadable`, those of private files
 */
export async function openRequestKey(
  { state, credentials }: RequestKeyPlaces,
  head: () => Promise<BlockNumber>,
): Promise<OwnRequestKey> {
  const given = credentials && (await found(readCredentialFile(join(credentials, fileName))))
  if (given !== undefined && given !== '') return parse(given)
  const path = join(state, fileName)
  const kept = await found(readPrivateFile(path))
  if (kept !== undefined) return parse(kept)
  const made = { ...createRequestKey(), number: BigInt(await head()) }
  await writePrivateFile(path, `${toHex(made.privateKey)} ${made.number}\n`)
  return made
}

/** Two years of blocks of six seconds; renewed long before. */
const validity = 10_000_000n

/** The key as it is shown, signed anew when half of its time is over. */
export function signedRequestKey(
  { publicKey: key, number }: OwnRequestKey,
  { signer, domain }: { readonly signer: Signer; readonly domain: SignatureDomain },
): (head: BlockNumber) => Promise<SignedReceiverKey> {
  let shown: Promise<SignedReceiverKey> | undefined
  let renewal = 0n
  return (head) => {
    const now = BigInt(head)
    if (shown === undefined || now > renewal) {
      renewal = now + validity / 2n
      const message = { key, number, until: now + validity }
      shown = signer
        .sign(receiverKeyDigest(domain, message))
        .then((signature) => ({ ...message, signature }))
      // The next one who asks tries again.
      shown.catch(() => (shown = undefined))
    }
    return shown
  }
}

async function found(reading: Promise<string>): Promise<string | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isUraidenError(error, 'key_file_missing')) return undefined
    throw error
  }
}

/** Private key in hex, and the number. */
function parse(text: string): OwnRequestKey {
  const [, key = '', number = ''] = /^(0x[0-9a-f]{64}) (\d{1,19})\s*$/.exec(text) ?? []
  try {
    const privateKey = fromHex(key)
    return { privateKey, publicKey: requestPublicKey(privateKey), number: BigInt(number) }
  } catch (cause) {
    throw receiverError({
      code: 'request_key_unreadable',
      message: 'The file of the receiver’s request key is damaged.',
      cause,
    })
  }
}
