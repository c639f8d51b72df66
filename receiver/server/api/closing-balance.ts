// The balance at which a sender asks us to agree to a close.
import { parseUint192, type TokenAmount } from '../../../protocol/index.ts'
import { receiverError } from '../../errors/index.ts'

/**
 * Text, or a JSON number. One beyond 2^53, as the original's page sends, has lost its last digits: it stands
 * for the latest balance if that becomes the same number.
 * @throws UraidenError `balance_missing`, those of `parseUint192`
 */
export function parseClosingBalance(given: unknown, latest: TokenAmount): TokenAmount {
  if (typeof given === 'string') return parseUint192(given)
  if (typeof given === 'number' && Number.isInteger(given)) {
    return given === Number(latest) ? latest : parseUint192(`${BigInt(given)}`)
  }
  throw receiverError({
    code: 'balance_missing',
    message: 'The request has no balance, or one that is no integer.',
  })
}
