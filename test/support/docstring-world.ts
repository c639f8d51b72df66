// What the examples in docstrings of protocol/ speak of.
import { getPublicKey } from '@noble/secp256k1'
import {
  type Address,
  addressOfKey,
  balanceProofDigest,
  type ChannelId,
  commitmentDigest,
  domainSeparator,
  parseAddress,
  parseTickWord,
  type SignatureDomain,
  type SignedCommitment,
  type Signer,
  signDigest,
  tickChain,
} from '../../protocol/index.ts'

export const privateKey = new Uint8Array(32).fill(7)
export const publicKey = getPublicKey(privateKey, false)
export const signer: Signer = {
  address: addressOfKey(privateKey),
  sign: async (signed) => signDigest(signed, privateKey),
}
export const receiver = parseAddress('0x70997970C51812dc3A010C7d01b50e0d17dc79C8')
export const contract = parseAddress('0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512')
export const tokenAddress: Address = parseAddress('0x5FbDB2315678afecb367f032d93F642f64180aa3')
export const domain: SignatureDomain = { contract, chainId: 1n }
export const channel: ChannelId = { sender: signer.address, receiver, openBlock: 17 }
export const separator = domainSeparator(contract, 1n)

/** Of the balance 5. */
export const digest = balanceProofDigest('eip712', domain, receiver)(channel.openBlock, 5n)
export const signature = signDigest(digest, privateKey)

export const lastWord = parseTickWord(`0x${'01'.repeat(32)}`)
const [root = lastWord] = tickChain(lastWord, 256)
const promised = { base: 0n, step: 5n, ticks: 256, root }
export const commitment: SignedCommitment = {
  ...promised,
  signature: signDigest(
    commitmentDigest(domain, receiver)(channel.openBlock, promised),
    privateKey,
  ),
}
