// The bound requests of a sender, byte for byte the same as often as they are made.
import {
  type BoundKeys,
  type BoundPayment,
  createNonce,
  createRequestKey,
  deriveBoundKeys,
  digestOfContent,
  formatAudience,
  formatBoundPayment,
  formatContentDigest,
  parseReceiverKey,
  requestKeyDigest,
  serializeRequestKey,
  sharedSecret,
  signRequest,
} from '../../../protocol/bound/index.ts'
import {
  type Address,
  fromHex,
  type HeaderFields,
  type SignatureDomain,
  signDigest,
} from '../../../protocol/index.ts'

export interface BoundSender {
  /** Of a GET that pays. `path` is with its query; `amount` is the channel's price, unless it is said. */
  readonly payment: (
    path: string,
    balance: bigint,
    proof: SentProof,
    amount?: bigint,
  ) => HeaderFields
}

/** A signature, or a tick with what it takes. */
export type SentProof = Pick<BoundPayment, 'signature' | 'tick' | 'commitment'>

interface SenderChannel {
  readonly domain: SignatureDomain
  readonly sender: Address
  readonly receiver: Address
  readonly openBlock: number
  readonly key: string
  readonly price: bigint
}

/** The receiver comes back at another port: its name stays. */
const origin = 'http://receiver.example'

/** Puts the channel's key; `base` is where the receiver is now. */
export async function bindSender(channel: SenderChannel, base: string): Promise<BoundSender> {
  const { domain, sender, receiver, openBlock, price } = channel
  const pair = createRequestKey()
  const shown = await fetch(new URL('/api/1/request-key', base))
  const { key: receiverKey } = parseReceiverKey(await shown.text())
  const keys: BoundKeys = deriveBoundKeys(sharedSecret(pair.privateKey, receiverKey), {
    ...{ ...domain, channel: { sender, receiver, openBlock } },
    ...{ senderKey: pair.publicKey, receiverKey },
  })
  const audience = formatAudience({
    origin,
    contract: domain.contract,
    sender,
    receiver,
    openBlock,
  })
  const own = { key: pair.publicKey, number: BigInt(openBlock) }
  const digest = requestKeyDigest(domain, { ...own, receiver, openBlock })
  const body = serializeRequestKey({ ...own, signature: signDigest(digest, fromHex(channel.key)) })
  const path = `/api/1/channels/${sender}/${openBlock}/request-key`
  const content = {
    'Content-Type': 'application/json',
    'Content-Digest': formatContentDigest(digestOfContent(Buffer.from(body))),
  }
  const put = { method: 'PUT', path, query: '' }
  const fields = { ...audience, ...content }
  const message = { ...put, fields: Object.entries(fields) }
  const { fields: signature } = signRequest(message, keys, { nonce: createNonce() })
  const { status } = await fetch(new URL(path, base), {
    ...{ method: 'PUT', body },
    headers: { ...fields, ...signature },
  })
  if (status !== 200) throw new Error(`the receiver answered ${status} to the request key`)
  return {
    payment: (target, balance, proof, amount = price) => {
      const { pathname, search } = new URL(target, origin)
      const paid = {
        ...audience,
        ...formatBoundPayment({ balance, amount, ...proof }),
      }
      const request = { method: 'GET', path: pathname, query: search, fields: Object.entries(paid) }
      return { ...paid, ...signRequest(request, keys).fields }
    },
  }
}
