// What a wallet without ether signs so that the receiver can send a deposit for it: a permit of the
// token (EIP-2612) and the contract's `OpenChannel` or `TopUp` (contract.md section 2, row 9).

import {
  type Address,
  type ContractBlock,
  channelsDomain,
  domainSeparator,
  isUraidenError,
  openChannelDigest,
  permitDigest,
  type Signature,
  type TokenAmount,
  toHex,
  topUpDigest,
  type UraidenError,
} from '../protocol/index.ts'
import { browserError } from './error-codes.ts'
import type { Parts } from './parts.ts'
import { signTyped, type TypedData } from './signing.ts'

export interface Deposit {
  readonly amount: TokenAmount
  /** Of the channel that is topped up; undefined opens one. */
  readonly openBlock?: ContractBlock
}

export interface AuthorisedDeposit {
  /** Unix seconds. */
  readonly deadline: bigint
  readonly permit: Signature
  /** Of `OpenChannel`, or with an open block of `TopUp`. */
  readonly message: Signature
}

/** Long enough for a transaction to be mined, too short to be kept for another day. */
const validSeconds = 3600n

/**
 * The wallet is asked twice.
 * @throws UraidenError `permit_unsupported`, `wallet_signed_otherwise`, and those of `ask`
 */
export async function authoriseDeposit(parts: Parts, into: Deposit): Promise<AuthorisedDeposit> {
  const { chain, sender, receiver, token, domain } = parts
  const { amount, openBlock } = into
  const [named, permitNonce, nonce, now] = await Promise.all([
    tokenDomain(parts),
    chain.nonce(token, sender),
    chain.nonce(domain.contract, sender),
    chain.timestamp(),
  ])
  const deadline = now + validSeconds
  const permit = { owner: sender, spender: domain.contract, value: amount, deadline }
  const separator = domainSeparator(token, domain.chainId, named)
  const signedPermit = await signTyped(parts, {
    domain: named,
    contract: token,
    type: 'Permit',
    members: [
      ['owner', 'address', sender],
      ['spender', 'address', domain.contract],
      ['value', 'uint256', amount],
      ['nonce', 'uint256', permitNonce],
      ['deadline', 'uint256', deadline],
    ],
    digest: permitDigest(separator, { ...permit, nonce: permitNonce }),
  })
  const common = { sender, receiver, nonce, deadline }
  const last = [
    ['nonce', 'uint256', nonce],
    ['deadline', 'uint256', deadline],
  ] as const
  const parties = [
    ['sender', 'address', sender],
    ['receiver', 'address', receiver],
  ] as const
  const message = await signTyped(parts, {
    domain: channelsDomain,
    contract: domain.contract,
    ...(openBlock === undefined
      ? {
          type: 'OpenChannel',
          members: [...parties, ['deposit', 'uint192', amount], ...last],
          digest: openChannelDigest(domain, { ...common, deposit: amount }),
        }
      : {
          type: 'TopUp',
          members: [
            ...parties,
            ['block_created', 'uint32', BigInt(openBlock)],
            ['added_deposit', 'uint192', amount],
            ...last,
          ],
          digest: topUpDigest(domain, { ...common, openBlock, added: amount }),
        }),
  })
  return { deadline, permit: signedPermit, message }
}

/**
 * A wallet has to be told name and version, of which the chain knows a hash: they are tried until it
 * fits. @throws UraidenError `permit_unsupported`
 */
async function tokenDomain({ chain, token, domain }: Parts): Promise<TypedData['domain']> {
  const { name, version, separator } = await chain.permitFacts(token).catch((error) => {
    if (isUraidenError(error, 'would_revert')) throw permitUnsupported(token)
    throw error
  })
  const versions = version === undefined ? ['1', '2'] : [version, '1', '2']
  for (const each of versions) {
    const named = { name, version: each }
    if (toHex(domainSeparator(token, domain.chainId, named)) === separator) return named
  }
  throw permitUnsupported(token)
}

function permitUnsupported(token: Address): UraidenError {
  return browserError({
    code: 'permit_unsupported',
    message: `The token ${token} takes no permits that this page can write.`,
  })
}
