// Takes home what the account owns, when its work is over.

import { type Call, dataFeeOf, estimateGas, type Receipt } from '../../platform/chain/index.ts'
import { type Address, smallest, type TokenAmount } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import type { AgentChain } from './agent-chain.ts'
import { transactionIntent } from './intents.ts'
import type { Ledger } from './ledger-types.ts'
import { channelName } from './records.ts'

export interface Swept {
  /** What was sent, in the token's smallest unit. */
  readonly tokens: TokenAmount
  /** What was sent, in wei. */
  readonly ether: bigint
  /** What stays, in wei: less than it costs to send it, or saved on the fee. */
  readonly etherLeft: bigint
}

export interface SweepOptions {
  readonly ledger: Ledger
  readonly chain: AgentChain
  readonly confirmations: number
  /** In wei. */
  readonly mostFeePerGas: bigint | undefined
}

/**
 * Sends all tokens, what the contract keeps of them first, then all ether that is left after the fees. After a crash the transactions that were
 * signed are waited for, not sent again.
 * @throws UraidenError `sweep_channels_open` (nothing was sent), and those of the chain
 */
export async function sweepAccount(to: Address, options: SweepOptions): Promise<Swept> {
  const { ledger, chain, confirmations } = options
  const { client, sender, signer, book } = chain
  demandNoChannels(ledger)
  const send = async (what: string, call: Call): Promise<Receipt> => {
    const operation = `sweep ${what}`
    const receipt = await sender.send(call, confirmations, operation)
    await book(receipt, transactionIntent(operation))
    return receipt
  }
  const [tokens, { address: token }] = await Promise.all([
    client.tokenBalance(signer.address),
    client.tokenFacts(),
  ])
  const credit = await client.payoutCredit(signer.address)
  if (credit > 0n) await send('payout credit', client.calls.collectCredit(to))
  if (tokens > 0n) await send('tokens', client.calls.transfer(token, to, tokens))
  const owned = await client.etherBalance(signer.address)
  const transfer: Call = { purpose: 'send the rest of the ether', to, data: '0x' }
  // Room for a rise of the price by a quarter until the transaction is in a block.
  const cap = least(((await sender.gasPrice()) * 5n) / 4n, options.mostFeePerGas)
  const gas = await estimateGas(client, signer.address, transfer)
  // It may rise until then, too.
  const data = 2n * (await dataFeeOf(client)(transferBytes))
  const ether = owned - gas * cap - data
  if (ether > 0n) await send('ether', { ...transfer, value: ether, feeCap: () => cap })
  return {
    tokens: tokens + credit,
    ether: ether > 0n ? ether : 0n,
    etherLeft: await client.etherBalance(signer.address),
  }
}

/** Of a signed transaction that sends ether. */
const transferBytes = 120

/** To close a channel costs ether that would be gone. */
function demandNoChannels(ledger: Ledger): void {
  const open = ledger.channels().filter(({ state }) => state !== 'closed')
  if (open.length === 0) return
  throw agentError({
    code: 'sweep_channels_open',
    message: `There is money in channels: ${open.map(({ receiver, openBlock }) => channelName(receiver, openBlock)).join(', ')}.`,
  })
}

function least(price: bigint, cap: bigint | undefined): bigint {
  return smallest(price, cap)
}
