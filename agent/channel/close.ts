// Ends a channel together with its receiver: one transaction, no challenge period.
import {
  type Address,
  closingAgreementDigest,
  isUraidenError,
  parseSignature,
  recoverSigner,
  type Signature,
  type SignatureDomain,
  type TokenAmount,
  UraidenError,
} from '../../protocol/index.ts'
import type { HttpAnswer, Transport } from '../transport.ts'

export interface CloseRequest {
  /** Root of the receiver's channel API. */
  readonly api: URL
  readonly sender: Address
  readonly receiver: Address
  readonly openBlock: number
  readonly balance: TokenAmount
  readonly domain: SignatureDomain
}

/**
 * Asks the receiver for its closing agreement over `balance` and checks that it really is one.
 * @throws UraidenError `close_refused`, `closing_agreement_invalid`, and those of the transport
 */
export async function askForClosingAgreement(
  transport: Transport,
  request: CloseRequest,
): Promise<Signature> {
  const { api, sender, openBlock, balance } = request
  const answer = await transport.send({
    method: 'DELETE',
    url: new URL(`${api.pathname}/channels/${sender}/${openBlock}`, api),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ balance: balance.toString() }),
  })
  const said = readJson(answer)
  if (answer.status !== 200) {
    throw new UraidenError({
      code: 'close_refused',
      message: `The receiver ${request.receiver} does not agree to close: ${said.detail ?? answer.status}`,
      hint: 'Close without it (uncooperative), then settle after the challenge period.',
    })
  }
  return checkedAgreement(request, said.close_signature ?? '')
}

function checkedAgreement(request: CloseRequest, text: string): Signature {
  const { receiver, sender, openBlock, balance, domain } = request
  try {
    const signature = parseSignature(text)
    for (const form of ['eip712', 'seed'] as const) {
      const digest = closingAgreementDigest(form, domain, sender)(openBlock, balance)
      if (recoverSigner(digest, signature) === receiver) return signature
    }
  } catch (error) {
    if (!isUraidenError(error)) throw error
  }
  throw new UraidenError({
    code: 'closing_agreement_invalid',
    message: `What the receiver ${receiver} sent is not its closing agreement over this balance.`,
    hint: 'Nothing was sent to the chain. Close without it (uncooperative).',
  })
}

function readJson({ body }: HttpAnswer): {
  readonly close_signature?: string
  readonly detail?: string
} {
  try {
    return JSON.parse(new TextDecoder().decode(body)) ?? {}
  } catch {
    return {}
  }
}
