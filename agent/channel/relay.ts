// A deposit without ether: the receiver sends the transaction that we have signed the contents of
// (wire-protocol.md section 8, relay). It can send it or not; it cannot change it.
import type { Receipt } from '../../platform/chain/index.ts'
import { type Hex, isHex, UraidenError } from '../../protocol/index.ts'
import type { Transport } from '../transport.ts'
import type { AgentChain } from './agent-chain.ts'
import { authoriseDeposit } from './authorise.ts'
import type { Into } from './into.ts'

export interface Relay {
  /** Root of the receiver's channel API. */
  readonly api: URL
  readonly transport: Transport
  /** Between two looks for the transaction, in milliseconds. */
  readonly pollInterval: number
}

/** Longest wait for a relayed transaction, in milliseconds. */
const patience = 600_000

/**
 * @throws UraidenError `relay_refused`, `relay_unconfirmed`, `relay_failed`, and those of transport and
 * chain
 */
export async function relayDeposit(
  chain: AgentChain,
  relay: Relay,
  into: Into,
  confirmations: number,
): Promise<Receipt> {
  const transaction = await askToSend(chain, relay, into)
  const giveUp = performance.now() + patience
  for (;;) {
    const receipt = await findReceipt(chain, transaction, confirmations)
    if (receipt !== undefined) return checked(receipt, into)
    if (performance.now() > giveUp) throw unconfirmed(transaction)
    await new Promise((resolve) => setTimeout(resolve, relay.pollInterval))
  }
}

async function askToSend(
  { client, signer }: AgentChain,
  { api, transport }: Relay,
  into: Into,
): Promise<Hex> {
  const { sender, receiver, amount, openBlock } = into
  const { chainId, contract } = client
  const authorised = await authoriseDeposit(client, signer, { chainId, contract }, into)
  const { permit, signature } = authorised
  const common = {
    sender_address: sender,
    receiver_address: receiver,
    deadline: permit.deadline.toString(),
    permit_signature: permit.signature,
  }
  const [path, body] =
    openBlock === undefined
      ? ['open', { ...common, deposit: `${amount}`, open_signature: signature }]
      : [
          'topup',
          {
            ...common,
            open_block: `${openBlock}`,
            added_deposit: `${amount}`,
            top_up_signature: signature,
          },
        ]
  const answer = await transport.send({
    method: 'POST',
    url: new URL(`${api.pathname}/relay/${path}`, api),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  })
  const said = readJson(await answer.body())
  if (answer.status === 200 && isHex(said.transaction_hash)) return said.transaction_hash
  throw new UraidenError({
    code: 'relay_refused',
    message: `The receiver ${receiver} does not send our deposit: ${said.detail ?? answer.status}`,
    hint: 'Nothing is locked. Give the account ether, or look at what the receiver asks of a relay.',
  })
}

async function findReceipt(
  { client }: AgentChain,
  transaction: Hex,
  confirmations: number,
): Promise<Receipt | undefined> {
  const found = await client.request('eth_getTransactionReceipt', [transaction])
  if (found === null) return undefined
  const { blockNumber, blockHash, gasUsed, logs } = found as RawReceipt
  const block = Number(blockNumber)
  if (confirmations > 1 && (await client.head()).number - block + 1 < confirmations)
    return undefined
  const events = client.decodeLogs(logs)
  return { transaction, block, blockHash, gasUsed: BigInt(gasUsed), events }
}

interface RawReceipt {
  readonly blockNumber: string
  readonly blockHash: Hex
  readonly gasUsed: string
  readonly logs: Parameters<AgentChain['client']['decodeLogs']>[0]
}

/** The chain's word, not the receiver's: the transaction must have made our deposit. */
function checked(receipt: Receipt, { sender, receiver, amount, openBlock }: Into): Receipt {
  const made = receipt.events.some(({ channel, ...event }) => {
    if (channel.sender !== sender || channel.receiver !== receiver) return false
    return openBlock === undefined
      ? event.kind === 'created' && event.deposit === amount
      : event.kind === 'toppedUp' && event.added === amount && channel.openBlock === openBlock
  })
  if (made) return receipt
  throw new UraidenError({
    code: 'relay_failed',
    message: `The transaction ${receipt.transaction} that the receiver ${receiver} names has not made our deposit.`,
    hint: 'Nothing is locked by it. Give the account ether, or use another receiver.',
  })
}

function unconfirmed(transaction: Hex): UraidenError {
  return new UraidenError({
    code: 'relay_unconfirmed',
    message: `The transaction ${transaction} that the receiver sent for us is not confirmed yet.`,
    hint: 'It may still be. recoverChannels finds the channel then.',
  })
}

function readJson(body: Uint8Array): {
  readonly transaction_hash?: unknown
  readonly detail?: string
} {
  try {
    return JSON.parse(new TextDecoder().decode(body)) ?? {}
  } catch {
    return {}
  }
}
