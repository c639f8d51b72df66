// Encodes the calls of senders and receivers (contract.md section 1, wire-protocol.md section 7).
import type { Interface } from 'ethers'
import {
  type Address,
  compactSignature,
  type Hex,
  isTickForm,
  shortProof,
  type TickProof,
} from '../../protocol/index.ts'
import type { BalanceProofItem, Call, ChannelCalls, SignedPermit } from './types.ts'

/** A call of one contract: what it is for, the function and its arguments. */
type Encode = (purpose: string, name: string, args: readonly unknown[]) => Call

type DepositCalls = Pick<
  ChannelCalls,
  | 'openErc223'
  | 'topUpErc223'
  | 'approve'
  | 'transfer'
  | 'createChannel'
  | 'topUp'
  | 'createChannelWithPermit'
  | 'createChannelFor'
  | 'createChannelWithAuthorization'
  | 'topUpFor'
>

/** `contract` is the channels contract; the interfaces know its and the token's ABI. */
export function channelCalls(
  contract: Address,
  channels: Interface,
  token: Interface,
): ChannelCalls {
  const onChannels = encoder(channels, contract)
  return {
    ...depositCalls(contract, onChannels, (tokenAddress) => encoder(token, tokenAddress)),
    ...payoutCalls(onChannels),
  }
}

function encoder(abi: Interface, to: Address): Encode {
  return (purpose, name, args) => ({
    purpose,
    to,
    data: abi.encodeFunctionData(name, args) as Hex,
  })
}

/** What puts tokens into channels. */
function depositCalls(
  contract: Address,
  onChannels: Encode,
  onToken: (token: Address) => Encode,
): DepositCalls {
  const transferAndCall = 'transfer(address,uint256,bytes)'
  return {
    openErc223: (tokenAddress, { sender, receiver, deposit }) =>
      onToken(tokenAddress)('open a channel', transferAndCall, [
        contract,
        deposit,
        `${sender}${receiver.slice(2)}`,
      ]),
    topUpErc223: (tokenAddress, { sender, receiver, openBlock }, added) =>
      onToken(tokenAddress)('top up a channel', transferAndCall, [
        contract,
        added,
        `${sender}${receiver.slice(2)}${openBlock.toString(16).padStart(8, '0')}`,
      ]),
    approve: (tokenAddress, amount) =>
      onToken(tokenAddress)('approve a deposit', 'approve', [contract, amount]),
    transfer: (tokenAddress, to, amount) =>
      onToken(tokenAddress)('send tokens', 'transfer(address,uint256)', [to, amount]),
    createChannel: (receiver, deposit) =>
      onChannels('open a channel', 'createChannel', [receiver, deposit]),
    topUp: ({ receiver, openBlock }, added) =>
      onChannels('top up a channel', 'topUp', [receiver, openBlock, added]),
    createChannelWithPermit: ({ receiver, deposit }, permit) =>
      onChannels('open a channel', 'createChannelWithPermit', [
        receiver,
        deposit,
        permit.deadline,
        permitParts(permit),
      ]),
    createChannelFor: ({ sender, receiver, deposit }, permit, signature) =>
      onChannels('open a channel for its sender', 'createChannelFor', [
        sender,
        receiver,
        deposit,
        permit.deadline,
        permitParts(permit),
        signature,
      ]),
    createChannelWithAuthorization: (opening, authorization) =>
      onChannels('open a channel for its sender', 'createChannelWithAuthorization', [
        opening.sender,
        opening.receiver,
        opening.deposit,
        opening.validAfter,
        opening.validBefore,
        opening.salt,
        authorization,
      ]),
    topUpFor: ({ sender, receiver, openBlock }, added, permit, signature) =>
      onChannels('top up a channel for its sender', 'topUpFor', [
        sender,
        receiver,
        openBlock,
        added,
        permit.deadline,
        permitParts(permit),
        signature,
      ]),
  }
}

/** What takes tokens out of channels, or says how many are due. */
function payoutCalls(onChannels: Encode): Omit<ChannelCalls, keyof DepositCalls> {
  return {
    ...receiverCalls(onChannels),
    cooperativeClose: ({ receiver, openBlock }, balance, balanceSignature, closingSignature) =>
      onChannels('close a channel', 'cooperativeClose', [
        receiver,
        openBlock,
        balance,
        balanceSignature,
        closingSignature,
      ]),
    uncooperativeClose: ({ receiver, openBlock }, balance) =>
      onChannels('request a close', 'uncooperativeClose', [receiver, openBlock, balance]),
    settle: ({ receiver, openBlock }) =>
      onChannels('settle a channel', 'settle', [receiver, openBlock]),
    settleFor: ({ sender, receiver, openBlock }) =>
      onChannels('settle a channel', 'settleFor', [sender, receiver, openBlock]),
    collectCredit: (to) => onChannels('collect a payout credit', 'collectCredit', [to]),
    challenge: ({ receiver, openBlock }, balance, signature) =>
      onChannels('challenge a close', 'challenge', [receiver, openBlock, balance, signature]),
  }
}

type ReceiverCalls = Pick<
  ChannelCalls,
  'withdraw' | 'withdrawOne' | 'cooperativeCloseOne' | 'withdrawBatch' | 'cooperativeCloseBatch'
>

/** What the receiver sends for its own channels. */
function receiverCalls(onChannels: Encode): ReceiverCalls {
  const withdraw = (openBlock: number, balance: bigint, signature: Hex) =>
    onChannels('withdraw', 'withdraw', [openBlock, balance, signature])
  const batch = (purpose: string, name: string, proofs: readonly BalanceProofItem[]): Call => {
    const call = onChannels(purpose, name, [itemsOf(proofs)])
    return { ...call, data: `${call.data}${ticksOf(proofs).map(digitsOf).join('')}` }
  }
  return {
    withdraw: ({ openBlock, balance, signature }) => withdraw(openBlock, balance, signature),
    withdrawOne: (proof) => ({
      ...batch('withdraw', 'withdrawBatch', [proof]),
      tried: withdraw(proof.openBlock, proof.balance, shortProof(proof.signature)).data,
    }),
    cooperativeCloseOne: ({ receiver, openBlock }, proof) => {
      const signature = shortProof(proof.signature)
      const alone = [receiver, openBlock, proof.balance, signature, '0x']
      return {
        ...batch('close a channel', 'cooperativeCloseBatch', [proof]),
        tried: onChannels('close a channel', 'cooperativeClose', alone).data,
      }
    },
    withdrawBatch: (proofs) => ({
      ...batch('withdraw', 'withdrawBatch', proofs),
      passesOver: true,
    }),
    cooperativeCloseBatch: (proofs) => ({
      ...batch('close channels', 'cooperativeCloseBatch', proofs),
      passesOver: true,
    }),
  }
}

/** v, r and s, as the contract's struct has them. */
function permitParts({ signature }: SignedPermit): readonly [number, Hex, Hex] {
  return [
    Number.parseInt(signature.slice(130), 16),
    `0x${signature.slice(2, 66)}`,
    `0x${signature.slice(66, 130)}`,
  ]
}

/** Selector, place and number of the items. */
const headBytes = 4 + 2 * 32
const itemBytes = 4 * 32

/**
 * The batches take signatures in the compact form of EIP-2098. Ticks lie behind the items; in place of a signature
 * stands where, with r = 0.
 */
function itemsOf(proofs: readonly BalanceProofItem[]): readonly (readonly unknown[])[] {
  let end = headBytes + itemBytes * proofs.length
  return proofs.map(({ openBlock, balance, signature }) => {
    if (!isTickForm(signature)) return [openBlock, balance, ...compactSignature(signature)]
    const place = end
    end += digitsOf(signature).length / 2
    return [openBlock, balance, wordOf(0), wordOf(place)]
  })
}

function ticksOf(proofs: readonly BalanceProofItem[]): readonly TickProof[] {
  return proofs.map(({ signature }) => signature).filter(isTickForm)
}

function wordOf(value: number): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`
}

function digitsOf(bytes: Hex): string {
  return bytes.slice(2)
}
