// Bound requests: a request tied to its payment, and an answer to its request, by HTTP Message
// Signatures (RFC 9421) under a key that only the two sides of a channel have.
export {
  type AnswerContent,
  type Answered,
  type AnswerFault,
  type ClaimedAnswer,
  compareAnswer,
  parseBoundAnswer,
  signAnswer,
  type VerifiedAnswer,
  verifyAnswer,
} from './answer.ts'
export {
  type ChallengeScope,
  type ChallengeState,
  createChallenge,
  formatAcceptSignature,
  parseAcceptSignature,
  verifyChallenge,
} from './challenge.ts'
export {
  digestOfContent,
  formatContentDigest,
  parseContentDigest,
  type Sha256Digest,
} from './digest.ts'
export { type FieldLines, fieldLines } from './fields.ts'
export {
  type Binding,
  type BoundKeys,
  bindingInfo,
  createRequestKey,
  deriveBoundKeys,
  type RequestKeyPair,
  requestPublicKey,
  sharedSecret,
} from './keys.ts'
export { equalBytes, type HmacSha256, hmacSha256 } from './mac.ts'
export {
  type AnswerMessage,
  type Draft,
  finishDraft,
  type RequestMessage,
  type SignedMessage,
} from './message.ts'
export { createNonce } from './nonce.ts'
export { originOf, parseOrigin } from './origin.ts'
export type { Failure, Outcome } from './outcome.ts'
export {
  type Audience,
  type BoundPayment,
  formatAudience,
  formatBoundPayment,
  parseAudience,
  parseBoundPayment,
} from './payment.ts'
export { bodyLater, boundHeaderName } from './profile.ts'
export {
  answerId,
  parseAnswerId,
  parseReceipt,
  type Receipt,
  type ReceiptFault,
  type ReceivedContent,
  serializeReceipt,
  verifyReceipt,
} from './receipt.ts'
export { type BoundRefusal, type BoundRefusalCode, boundRefusal } from './refusal.ts'
export {
  type ClaimedRequest,
  draftRequest,
  parseBoundRequest,
  type RequestChecks,
  type RequestSigning,
  signRequest,
  type VerifiedRequest,
  verifyRequest,
} from './request.ts'
export {
  compareKeys,
  type KeySuccession,
  type NumberedKey,
  parseReceiverKey,
  parseRequestKey,
  parseRequestPublicKey,
  type ReceiverKey,
  type ReceiverKeyContext,
  type ReceiverKeyFault,
  type RequestKey,
  type RequestKeyContext,
  type RequestPublicKey,
  receiverKeyDigest,
  requestKeyDigest,
  requireOnCurve,
  type SignedReceiverKey,
  type SignedRequestKey,
  serializeReceiverKey,
  serializeRequestKey,
  verifyReceiverKey,
  verifyRequestKey,
} from './request-key.ts'
export { removeSignature, type SignatureFields } from './signature.ts'
