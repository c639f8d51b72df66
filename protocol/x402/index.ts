// x402 over HTTP, as far as we speak it: the messages of version 2, the scheme `exact` on EVM chains by EIP-3009,
// and version 1 for a buyer. Pure functions, without Node and without a library for the chain.
export {
  chainIdOf,
  type ExactPayload,
  type ExactTerms,
  exactTerms,
  formatExactPayload,
  isExact,
  isSignedByAccount,
  maxUint256,
  networkOf,
  parseExactPayload,
  signTransfer,
  type TokenDomain,
  type TransferAuthorization,
  tokenSeparator,
  transferDigest,
} from './exact.ts'
export { isSame, type Json, type JsonObject, mostBody, mostField, readObject } from './json.ts'
export {
  formatPaymentRequired,
  formatPaymentResponse,
  formatPaymentSignature,
  type PaymentRequired,
  type PaymentSignature,
  parsePaymentRequired,
  parsePaymentResponse,
  parsePaymentSignature,
  parseRequirements,
  type Requirements,
  type Settlement,
  settlementOf,
  x402Field,
} from './messages.ts'
export { formatVersion1, parseVersion1, version1Field } from './version1.ts'
