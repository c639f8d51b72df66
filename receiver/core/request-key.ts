// The receiver's own request key: made once, kept beside the state or given by systemd, and signed by the
// account so that senders know whose it is. Where the account's key is elsewhere, the signature is kept with it.

import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  readCredentialFile,
  readPrivateFile,
  writePrivateFile,
} from '../../platform/keys/private-file.ts'
import {
  createRequestKey,
  type ReceiverKey,
  type RequestKeyPair,
  receiverKeyDigest,
  requestPublicKey,
  type SignedReceiverKey,
  verifyReceiverKey,
} from '../../protocol/bound/index.ts'
import {
  type Address,
  type ContractBlock,
  fromHex,
  isUraidenError,
  parseSignature,
  type Signature,
  type SignatureDomain,
  type Signer,
  toHex,
} from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'

export interface OwnRequestKey extends RequestKeyPair {
  /** The block in which it was made. */
  readonly number: bigint
  /** The last block in which it is good, and the account's signature over that: made elsewhere. */
  readonly signed?: Pick<SignedReceiverKey, 'until' | 'signature'> | undefined
}

export interface RequestKeyPlaces {
  /** The state folder. */
  readonly state: string
  /** systemd's folder of credentials, if there is one. */
  readonly credentials: string | undefined
}

const fileName = 'request-key'
/** One that waits for its signature. */
const nextName = 'request-key.next'

/**
 * The credential `request-key`, or the state's file when that has a higher number; it is made where there is
 * none.
 * @throws UraidenError `request_key_unreadable`, those of private files
 */
export async function openRequestKey(
  places: RequestKeyPlaces,
  head: () => Promise<ContractBlock>,
): Promise<OwnRequestKey> {
  const kept = await readRequestKey(places)
  if (kept !== undefined) return kept
  const made = { ...createRequestKey(), number: BigInt(await head()) }
  await writePrivateFile(join(places.state, fileName), format(made))
  return made
}

async function readRequestKey({
  state,
  credentials,
}: RequestKeyPlaces): Promise<OwnRequestKey | undefined> {
  const text = credentials && (await found(readCredentialFile(join(credentials, fileName))))
  const given = text ? parse(text) : undefined
  const kept = await found(readPrivateFile(join(state, fileName)))
  const own = kept === undefined ? undefined : parse(kept)
  if (given === undefined || own === undefined) return given ?? own
  return own.number > given.number ? own : given
}

/** Two years of blocks of six seconds; renewed long before. */
const validity = 10_000_000n

/** What is to be signed, and by whom. */
export interface RequestKeyOwner {
  readonly domain: SignatureDomain
  readonly receiver: Address
}

/**
 * The key that waits for its signature; made where none does, with a number above that of the one in use.
 * @throws UraidenError `request_key_unreadable`, those of private files
 */
export async function nextRequestKey(
  places: RequestKeyPlaces,
  head: () => Promise<ContractBlock>,
): Promise<ReceiverKey> {
  const waiting = await waitingKey(places)
  if (waiting !== undefined) return messageOf(waiting)
  const path = join(places.state, nextName)
  const block = BigInt(await head())
  const used = (await readRequestKey(places))?.number ?? -1n
  await rm(path, { force: true })
  const made = { ...createRequestKey(), number: block > used ? block : used + 1n }
  await mkdir(places.state, { recursive: true, mode: 0o700 })
  await writePrivateFile(path, format(made))
  return messageOf(made)
}

/** One with a number that was passed meanwhile waits no more. */
async function waitingKey(places: RequestKeyPlaces): Promise<OwnRequestKey | undefined> {
  const text = await found(readPrivateFile(join(places.state, nextName)))
  const waiting = text === undefined ? undefined : parse(text)
  const used = await readRequestKey(places)
  return waiting === undefined || waiting.number <= (used?.number ?? -1n) ? undefined : waiting
}

function messageOf({ publicKey: key, number }: OwnRequestKey): ReceiverKey {
  return { key, number, until: number + validity }
}

/**
 * Puts the key that waited in the place of the one in use, with its signature. Resolves when durable; who runs
 * already takes it at its next start.
 * @throws UraidenError `request_key_not_waiting`, `request_key_not_ours`, those of private files
 */
export async function acceptSignature(
  places: RequestKeyPlaces,
  signature: Signature,
  owner: RequestKeyOwner,
): Promise<ReceiverKey> {
  const { state } = places
  const key = await waitingKey(places)
  if (key === undefined) {
    throw receiverError({
      code: 'request_key_not_waiting',
      message: 'There is no request key that waits for a signature.',
    })
  }
  const { until } = messageOf(key)
  const signed = { ...key, signed: { until, signature } }
  checkSigned(signed, owner)
  // Whole or not at all: the one in use must not be lost, nor the one that was signed.
  const whole = join(state, `${fileName}.signed`)
  await rm(whole, { force: true })
  await writePrivateFile(whole, format(signed))
  await rename(whole, join(state, fileName))
  await rm(join(state, nextName))
  await syncFolder(state)
  return messageOf(key)
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** @throws UraidenError `request_key_not_ours` when it is signed, and not by the receiver for this contract */
function checkSigned(
  { publicKey: key, number, signed }: OwnRequestKey,
  { domain, receiver }: RequestKeyOwner,
): void {
  if (signed === undefined) return
  const outcome = verifyReceiverKey({ key, number, ...signed }, { domain, receiver, block: 0 })
  if (outcome.ok) return
  throw receiverError({
    code: 'request_key_not_ours',
    message: `The request key is not signed by ${receiver}.`,
  })
}

/**
 * The key as it is shown: with the signature that it came with, or else signed here and anew when half of its
 * time is over.
 * @throws UraidenError `request_key_not_ours`
 */
export function signedRequestKey(
  own: OwnRequestKey,
  { signer, domain }: { readonly signer: Signer; readonly domain: SignatureDomain },
): (head: ContractBlock) => Promise<SignedReceiverKey> {
  checkSigned(own, { domain, receiver: signer.address })
  const { publicKey: key, number, signed } = own
  let shown: Promise<SignedReceiverKey> | undefined
  let renewal = 0n
  return (head) => {
    const now = BigInt(head)
    if (signed !== undefined && now <= signed.until)
      return Promise.resolve({ key, number, ...signed })
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

/** Private key in hex and the number; with a signature the last block, and the signature. */
function parse(text: string): OwnRequestKey {
  const form = /^(0x[0-9a-f]{64}) (\d{1,19})(?: (\d{1,20}) (0x[0-9a-f]{130}))?\s*$/
  const [, key = '', number = '', until, signature] = form.exec(text) ?? []
  try {
    const privateKey = fromHex(key)
    const signed =
      until === undefined || signature === undefined
        ? undefined
        : { until: BigInt(until), signature: parseSignature(signature) }
    return { privateKey, publicKey: requestPublicKey(privateKey), number: BigInt(number), signed }
  } catch (cause) {
    throw receiverError({
      code: 'request_key_unreadable',
      message: 'The file of the receiver’s request key is damaged.',
      cause,
    })
  }
}

function format({ privateKey, number, signed }: OwnRequestKey): string {
  const more = signed === undefined ? '' : ` ${signed.until} ${signed.signature}`
  return `${toHex(privateKey)} ${number}${more}\n`
}
