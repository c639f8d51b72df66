// What a deployed contract can do, by the version it names: 0.2 is the original's, 0.3 and 0.4 are ours. Major
// and minor version decide (contract.md section 2).

import type { Address } from './address.ts'
import { shorten } from './bytes.ts'
import { protocolError } from './errors.ts'
import type { SignatureForm } from './proof.ts'

export interface ContractAbilities {
  /** Forms of signature that it verifies; the one to prefer comes first. */
  readonly forms: readonly [SignatureForm, ...SignatureForm[]]
  /** Closes and withdraws for many channels in one transaction. */
  readonly hasBatches: boolean
  /** Opens, tops up and closes for a sender that has signed it: a receiver can pay the fee. */
  readonly hasRelay: boolean
  /** Takes a higher proof from anybody during the challenge period. */
  readonly hasChallenge: boolean
  /** Takes signatures of 64 bytes (EIP-2098) too. */
  readonly hasShortSignatures: boolean
  /** Opens with an EIP-3009 authorization, sent by anybody. */
  readonly hasAuthorizations: boolean
  /** Takes ticks where it takes a balance proof. */
  readonly hasTicks: boolean
}

const ours: ContractAbilities = {
  forms: ['eip712', 'seed'],
  hasBatches: true,
  hasRelay: true,
  hasChallenge: true,
  hasShortSignatures: true,
  hasAuthorizations: false,
  hasTicks: false,
}

const abilities: { readonly [minor: string]: ContractAbilities } = {
  '0.2': {
    forms: ['seed'],
    hasBatches: false,
    hasRelay: false,
    hasChallenge: false,
    hasShortSignatures: false,
    hasAuthorizations: false,
    hasTicks: false,
  },
  '0.3': ours,
  '0.4': { ...ours, hasAuthorizations: true, hasTicks: true },
}

/**
 * What a contract of this version, such as `0.3.0`, can do; `contract` is named in the error.
 * @throws UraidenError `contract_version_unsupported`
 * @example
 * contractAbilities('0.2.0').forms // ['seed']
 * contractAbilities('0.4.0').hasTicks // true
 */
export function contractAbilities(version: string, contract?: Address): ContractAbilities {
  const [, minor = ''] = /^(\d+\.\d+)\./.exec(version) ?? []
  const found = Object.hasOwn(abilities, minor) ? abilities[minor] : undefined
  if (found !== undefined) return found
  const place = contract === undefined ? '' : ` at ${contract}`
  throw protocolError({
    code: 'contract_version_unsupported',
    message: `The contract${place} has version "${shorten(version, 20)}"; versions 0.2, 0.3 and 0.4 are known here.`,
    hint: 'Check the contract address, or use a program that knows this version.',
  })
}
