// What a wallet signs: what it is shown, and whether it signed just that.

import {
  type Address,
  balanceProofDigest,
  type ContractBlock,
  channelsDomain,
  type Digest,
  type Hex,
  recoverSigner,
  type Signature,
  type SignatureDomain,
  type TokenAmount,
} from '../protocol/index.ts'
import { browserError } from './error-codes.ts'
import type { Parts } from './parts.ts'
import { ask, signatureFrom } from './wallet.ts'

export interface BalanceMessage {
  readonly receiver: Address
  readonly openBlock: ContractBlock
  readonly balance: TokenAmount
}

/** Of the domains that channels contract and tokens have (EIP-712). */
const domainFields = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
] as const

/** For `eth_signTypedData_v4` (contract.md section 2, row 4). */
export function typedBalance(domain: SignatureDomain, message: BalanceMessage) {
  return {
    types: {
      EIP712Domain: domainFields,
      BalanceProof: [
        { name: 'receiver', type: 'address' },
        { name: 'block_created', type: 'uint32' },
        { name: 'balance', type: 'uint192' },
      ],
    },
    primaryType: 'BalanceProof',
    domain: {
      ...channelsDomain,
      chainId: Number(domain.chainId),
      verifyingContract: domain.contract,
    },
    message: {
      receiver: message.receiver,
      block_created: message.openBlock,
      balance: message.balance.toString(),
    },
  } as const
}

/** For `eth_signTypedData`, the form of 2017 (wire-protocol.md section 4). */
export function seedBalance({ contract }: SignatureDomain, message: BalanceMessage) {
  return [
    { type: 'string', name: 'message_id', value: 'Sender balance proof signature' },
    { type: 'address', name: 'receiver', value: message.receiver },
    { type: 'uint32', name: 'block_created', value: `${message.openBlock}` },
    { type: 'uint192', name: 'balance', value: message.balance.toString() },
    { type: 'address', name: 'contract', value: contract },
  ] as const
}

/**
 * Has the wallet sign a balance, and checks what it signed.
 * @throws UraidenError `wallet_signed_otherwise`, `not_a_signature`, `high_s_signature`, and those
 * of `ask`
 */
export async function signBalance(
  signer: Pick<Parts, 'wallet' | 'sender' | 'form' | 'domain'>,
  message: BalanceMessage,
): Promise<Signature> {
  const { sender, form, domain } = signer
  const signature = await askToSign(signer, message)
  const digest = balanceProofDigest(form, domain, message.receiver)
  if (recoverSigner(digest(message.openBlock, message.balance), signature) !== sender) {
    throw browserError({
      code: 'wallet_signed_otherwise',
      message: `The wallet's signature is not ${sender}'s over this payment.`,
    })
  }
  return signature
}

async function askToSign(
  { wallet, sender, form, domain }: Parameters<typeof signBalance>[0],
  message: BalanceMessage,
): Promise<Signature> {
  if (form === 'seed') {
    const method = 'eth_signTypedData'
    return signatureFrom(await ask(wallet, method, [seedBalance(domain, message), sender]), method)
  }
  const method = 'eth_signTypedData_v4'
  const typed = JSON.stringify(typedBalance(domain, message))
  return signatureFrom(await ask(wallet, method, [sender, typed]), method)
}

/** A message of one struct (EIP-712). */
export interface TypedData {
  readonly domain: { readonly name: string; readonly version: string }
  readonly contract: Address
  readonly type: string
  /** Name, type and value of each member. */
  readonly members: readonly (readonly [name: string, type: string, value: bigint | Hex])[]
  readonly digest: Digest
}

/**
 * Has the wallet sign it, and checks what it signed.
 * @throws UraidenError `wallet_signed_otherwise`, and those of `ask`
 */
export async function signTyped(
  { wallet, sender, domain }: Pick<Parts, 'wallet' | 'sender' | 'domain'>,
  { domain: named, contract, type, members, digest }: TypedData,
): Promise<Signature> {
  const method = 'eth_signTypedData_v4'
  const typed = {
    types: {
      EIP712Domain: domainFields,
      [type]: members.map(([name, kind]) => ({ name, type: kind })),
    },
    primaryType: type,
    domain: { ...named, chainId: Number(domain.chainId), verifyingContract: contract },
    message: Object.fromEntries(members.map(([name, , value]) => [name, value.toString()])),
  }
  const signature = signatureFrom(
    await ask(wallet, method, [sender, JSON.stringify(typed)]),
    method,
  )
  if (recoverSigner(digest, signature) === sender) return signature
  throw browserError({
    code: 'wallet_signed_otherwise',
    message: `The wallet's signature is not ${sender}'s over this ${type}.`,
  })
}
