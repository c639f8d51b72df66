// Signs what lets a deposit be taken without an earlier approve, and by somebody else's transaction.
import type { ChainClient, SignedPermit } from '../../platform/chain/index.ts'
import {
  type Address,
  addressToBytes,
  authorizationDigest,
  fromHex,
  type Hex,
  type OpeningAuthorization,
  openChannelDigest,
  permitDigest,
  type Signature,
  type SignatureDomain,
  toHex,
  topUpDigest,
} from '../../protocol/index.ts'
import type { AgentChain } from './agent-chain.ts'
import type { Deposit } from './intents.ts'

export interface AuthorisedDeposit {
  readonly permit: SignedPermit
  /** Of `OpenChannel`, or with an open block of `TopUp`. */
  readonly signature: Signature
}

/** One signature, for a token that knows EIP-3009. */
export interface AuthorizedOpening {
  readonly opening: OpeningAuthorization
  readonly authorization: Signature
}

/** Selectors (Solidity ABI): both of the token (EIP-2612), `nonces` of the channels contract as well. */
const domainSeparatorSelector = '0x3644e515'
const noncesSelector = '0x7ecebe00'

/** Long enough for a transaction to be mined, too short to be kept for another day. */
const validSeconds = 3600

/**
 * @throws UraidenError `rpc_error` when the token knows no permits, `chain_unavailable`
 */
export async function authoriseDeposit(
  { client, signer }: Pick<AgentChain, 'client' | 'signer'>,
  deposit: Deposit,
): Promise<AuthorisedDeposit> {
  const { sender, amount } = deposit
  const domain = { chainId: client.chainId, contract: client.contract }
  const { token } = await client.contractFacts()
  // By the chain's clock, because it is the chain that compares.
  const deadline = BigInt((await client.head()).timestamp + validSeconds)
  const [separator, permitNonce, nonce] = await Promise.all([
    read(client, token, domainSeparatorSelector),
    readNonce(client, token, sender),
    readNonce(client, domain.contract, sender),
  ])
  const permit = permitDigest(fromHex(separator), {
    ...{ owner: sender, spender: domain.contract, value: amount },
    ...{ nonce: permitNonce, deadline },
  })
  return {
    permit: { deadline, signature: await signer.sign(permit) },
    signature: await signer.sign(messageDigest(domain, deposit, { nonce, deadline })),
  }
}

/**
 * `separator` is the token's. @throws UraidenError those of chain and signer
 */
export async function authorizeOpening(
  { client, signer }: Pick<AgentChain, 'client' | 'signer'>,
  { sender, receiver, amount }: Deposit,
  { salt, separator }: { readonly salt: Hex; readonly separator: Uint8Array },
): Promise<AuthorizedOpening> {
  const validBefore = BigInt((await client.head()).timestamp + validSeconds)
  const opening = {
    ...{ sender, receiver, deposit: amount, salt },
    ...{ validAfter: 0n, validBefore },
  }
  const digest = authorizationDigest(separator, client.contract, opening)
  return { opening, authorization: await signer.sign(digest) }
}

function messageDigest(
  domain: SignatureDomain,
  { sender, receiver, amount, openBlock }: Deposit,
  once: { readonly nonce: bigint; readonly deadline: bigint },
) {
  return openBlock === undefined
    ? openChannelDigest(domain, { sender, receiver, deposit: amount, ...once })
    : topUpDigest(domain, { sender, receiver, openBlock, added: amount, ...once })
}

async function readNonce(client: ChainClient, of: Address, account: Address): Promise<bigint> {
  const argument = toHex(addressToBytes(account)).slice(2).padStart(64, '0')
  return BigInt(await read(client, of, `${noncesSelector}${argument}`))
}

async function read(client: ChainClient, to: Address, data: string): Promise<string> {
  return String(await client.request('eth_call', [{ to, data }, 'latest']))
}
