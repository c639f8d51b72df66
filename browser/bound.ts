// What the rest of the library sees of bound requests (design/trust.md section 1). The code behind it is
// loaded when the first one is sent.
import type {
  ContractBlock,
  HeaderFields,
  HeaderSource,
  Hex,
  ShownProof,
  Signature,
  TokenAmount,
} from '../protocol/index.ts'

/**
 * require   pay bound only
 * prefer    pay unbound where the receiver has never offered to be paid bound
 */
export type BoundPolicy = 'require' | 'prefer'

export interface BoundRequest {
  readonly method: string
  /** Absolute. */
  readonly url: URL
  readonly headers: HeaderFields
  readonly body?: string | undefined
  readonly payment?: {
    readonly balance: TokenAmount
    readonly amount: TokenAmount
    readonly signature: Signature
  }
  readonly signal?: AbortSignal | undefined
}

/** The receiver's own answer to just this request, all of it. */
export interface BoundAnswer {
  /** With the headers that the receiver has signed, and those that decide nothing. */
  readonly response: Response
  /** Fields that it has signed, and no others. */
  readonly header: HeaderSource
  /** What it cost, of an answer whose cost was known at its end only. */
  readonly cost?: TokenAmount | undefined
}

/**
 * Where a channel stands, by the sender's own signature; none under zero. A tick where another program of the
 * account has paid with it.
 */
export interface Stand {
  readonly senderBalance: TokenAmount
  readonly signature?: ShownProof | undefined
}

/** A channel that is tied to a key of this browser. */
export interface BoundChannel {
  /**
   * @throws UraidenError `answer_lost`: what came is not the receiver’s answer, and nothing of it counts;
   * `traffic_altered`, `receiver_unreachable`
   */
  readonly send: (request: BoundRequest) => Promise<BoundAnswer>
  /** Asks where the channel stands. Its proof is not checked yet. */
  readonly stand: () => Promise<Stand>
}

/** Who wants to know how binding goes on. */
export interface BindingProgress {
  /** The wallet is asked to sign the channel’s key. */
  readonly onKey?: (() => void) | undefined
  /** Each time before the receiver is asked again, because it does not see the channel yet. */
  readonly onWaiting?: ((tries: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Binding {
  /**
   * Ties the channel, once; undefined where it is paid unbound.
   * @throws UraidenError `binding_refused`, `receiver_key_untrusted`, `request_key_replaced`,
   * `channel_gone`, `unproven`, `answer_lost`, `receiver_unreachable`, those of `ask`
   */
  readonly ensure: (
    openBlock: ContractBlock,
    progress?: BindingProgress,
  ) => Promise<BoundChannel | undefined>
}

/** An HMAC key: of WebCrypto where a page has it, which does not give it away; else its bytes. */
export type MacKey = Awaited<ReturnType<typeof crypto.subtle.importKey>> | Uint8Array<ArrayBuffer>

/** The keys of one channel, and how they came to be. The request key behind them is forgotten. */
export interface KeptKeys {
  readonly openBlock: ContractBlock
  readonly keyid: string
  readonly requests: MacKey
  readonly answers: MacKey
  /** Both request keys, as hex. */
  readonly senderKey: Hex
  readonly receiverKey: Hex
  readonly number: bigint
  /** Of the wallet, over the sender's key: it is put again without asking. */
  readonly signature: Signature
  /** The receiver has said, provably, that it has the key. */
  readonly confirmed: boolean
}

/** Where keys lie, by the channel's owner. IndexedDB holds keys that do not leave it. */
export interface KeyStore {
  readonly load: (owner: string) => Promise<KeptKeys | undefined>
  readonly save: (owner: string, keys: KeptKeys | undefined) => Promise<void>
}
