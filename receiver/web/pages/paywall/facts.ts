// What the server tells the page about the purchase, in an attribute of its element.
import {
  type Address,
  parseAddress,
  parseUint192,
  type TokenAmount,
  type TokenUnit,
} from '../../../../protocol/index.ts'

export interface PurchaseFacts {
  readonly price: TokenAmount
  readonly token: TokenUnit
  readonly receiver: Address
  readonly contract: Address
  readonly chainId: bigint
  /** Root of the channel API. */
  readonly api: string
  /** Why the page is shown: a refusal's code. */
  readonly code: string
  readonly idempotency: boolean
  /** The server sends transactions for accounts without ether. */
  readonly relay: boolean
}

/** @throws UraidenError, SyntaxError when the attribute is not what the server writes */
export function parseFacts(text: string): PurchaseFacts {
  const { price, symbol, decimals, receiver, contract, chainId, api, code, idempotency, relay } =
    JSON.parse(text)
  return {
    price: parseUint192(price),
    token: { symbol, decimals },
    receiver: parseAddress(receiver),
    contract: parseAddress(contract),
    chainId: BigInt(chainId),
    api,
    code,
    idempotency,
    relay,
  }
}
