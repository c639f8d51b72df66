// What the token refused to pay when a channel ended, because it was paused or had blocked the account: the contract
// keeps it for the account as a payout credit.

import {
  formatAmount,
  isUraidenError,
  type TokenAmount,
  type TokenUnit,
} from '../../protocol/index.ts'
import type { AgentChain } from './agent-chain.ts'
import { transactionIntent } from './intents.ts'

/** For a person. */
export function keptText(kept: TokenAmount, token: TokenUnit): string {
  return `The token refused to pay ${formatAmount(kept, token)}: the contract keeps them for this account, until settle can collect them, or sweep can send them to another account.`
}

/** Does nothing where there is no credit, and where the token refuses to pay it still. */
export async function collectCredit(
  { client, sender, signer, book }: AgentChain,
  confirmations: number,
): Promise<void> {
  const own = signer.address
  if ((await client.payoutCredit(own)) === 0n) return
  const operation = 'collect a payout credit'
  try {
    const receipt = await sender.send(client.calls.collectCredit(own), confirmations, operation)
    await book(receipt, transactionIntent(operation))
  } catch (error) {
    if (!isUraidenError(error, 'transaction_reverts')) throw error
  }
}
