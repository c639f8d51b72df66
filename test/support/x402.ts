// A receiver that takes x402 beside channels, on a chain with a token that is paid by signature, and a buyer that
// says each part of a payment itself.
import { randomBytes } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { createKeySigner } from '../../platform/keys/index.ts'
import { type Address, fromHex, type Hex, toHex } from '../../protocol/index.ts'
import {
  formatExactPayload,
  formatPaymentSignature,
  type PaymentRequired,
  parsePaymentRequired,
  parsePaymentResponse,
  type Requirements,
  type Settlement,
  signTransfer,
  type TransferAuthorization,
  tokenSeparator,
  x402Field,
} from '../../protocol/x402/index.ts'
import {
  createReceiverServer,
  type ReceiverOptions,
  type Resource,
  type ServerOptions,
  startReceiver,
} from '../../receiver/index.ts'
import type { X402Options } from '../../receiver/x402/open.ts'
import { deployTestContracts, startEmbeddedChain } from '../lab/chains/embedded-chain.ts'
import type { FundedAccount } from '../lab/chains/test-accounts.ts'
import { deployDollar } from './dollar.ts'
import { startSystemWith } from './system.ts'
import { patience } from './until.ts'

/** Of a reading, in channels: 0.005 TKN. */
export const channelPrice = 5n * 10n ** 15n
/** The same in dollars, of which a token is worth two: 0.01 USD. */
export const dollarPrice = 10_000n

export interface X402SystemOptions {
  readonly x402?: Partial<X402Options>
  readonly receiver?: Partial<ReceiverOptions>
  readonly server?: ServerOptions
  readonly resources?: readonly Resource[]
}

/** The fourth account has ten dollars. */
export async function startX402System(t: ExecutionContext, options: X402SystemOptions = {}) {
  const chain = await startEmbeddedChain()
  t.teardown(chain.close)
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const dollar = await deployDollar(chain)
  const [, , sender, payer] = chain.accounts
  if (sender === undefined || payer === undefined) throw new Error('no accounts')
  await dollar.pay(payer.address, 10_000_000n)
  await (
    await token.getFunction('transfer(address,uint256)')(sender.address, 1000n * channelPrice)
  ).wait()
  const served: string[] = []
  const reading: Resource = {
    path: '/reading',
    price: channelPrice,
    handler: ({ url }) => {
      served.push(url)
      return { celsius: 21.4, served: served.length }
    },
  }
  const x402 = { asset: dollar.address, tokenPrice: '2 USD', patience, ...options.x402 }
  const receiver = { transactionPoll: 10, accept: { x402 }, ...options.receiver }
  const resources = options.resources ?? [reading]
  const { server } = options
  const system = await startSystemWith(
    t,
    { chain, contract, token },
    { resources, receiver, ...(server && { server }) },
  )
  let stop = async () => {
    await system.server.close()
    await system.receiver.stop()
  }
  return {
    ...{ ...system, dollar, payer, served, resources, accept: { x402 } },
    buyer: createBuyer({ base: system.base, chainId: chain.chainId, payer }),
    /** Of the newest block, in Unix seconds. */
    chainTime: async () => BigInt((await chain.provider.getBlock('latest'))?.timestamp ?? 0),
    /** Stops the receiver and starts it again where it was. */
    restart: async (changes: Partial<ReceiverOptions> = {}) => {
      await stop()
      const again = await startReceiver({
        signer: createKeySigner(fromHex(system.receiverAccount.privateKey)),
        ...{ rpcUrl: chain.rpcUrl, contract, timeout: patience },
        ...{ state: `${system.folder}/receiver`, pollInterval: 50, confirmations: 1 },
        ...{ verifierThreads: 1, ...receiver, ...changes },
      })
      await again.synced
      const listening = await createReceiverServer(again, resources)
      stop = async () => {
        await listening.close()
        await again.stop()
      }
      t.teardown(() => stop())
      await listening.listen({ host: '127.0.0.1', port: Number(new URL(system.base).port) })
      return again
    },
  }
}

export interface Said {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly settlement: Settlement | undefined
}

/** What of a payment is not as a stock client has it. */
export interface Altered {
  readonly offer?: Partial<Requirements>
  readonly authorization?: Partial<TransferAuthorization>
  /** Signs in its place. */
  readonly key?: Hex
  readonly domain?: { readonly name: string; readonly version: string; readonly chainId?: bigint }
  readonly signature?: Hex
}

export type X402Buyer = ReturnType<typeof createBuyer>

export function createBuyer({
  base,
  chainId,
  payer,
}: {
  readonly base: string
  readonly chainId: bigint
  readonly payer: FundedAccount
}) {
  const ask = async (path = '/reading', init: RequestInit = {}): Promise<Said> => {
    const answer = await fetch(`${base}${path}`, init)
    const response = answer.headers.get(x402Field.response)
    return {
      ...{ status: answer.status, headers: answer.headers, text: await answer.text() },
      settlement: response === null ? undefined : parsePaymentResponse(response),
    }
  }
  const required = async (path?: string): Promise<PaymentRequired> => {
    const { headers } = await ask(path)
    return parsePaymentRequired(headers.get(x402Field.required) ?? '')
  }
  const offer = async (path?: string): Promise<Requirements> => {
    const found = (await required(path)).accepts.find(({ scheme }) => scheme === 'exact')
    if (found === undefined) throw new Error('exact is not offered')
    return found
  }
  /** The value of PAYMENT-SIGNATURE. */
  const sign = async (asked: Requirements, altered: Altered = {}): Promise<string> => {
    const accepted = { ...asked, ...altered.offer } as Requirements
    const { name, version } = asked.extra as { readonly name: string; readonly version: string }
    const { chainId: elsewhere, ...named } = altered.domain ?? { name, version }
    const separator = tokenSeparator(
      { chainId: elsewhere ?? chainId, asset: asked.asset as Address },
      named,
    )
    const payload = await signTransfer(
      createKeySigner(fromHex(altered.key ?? payer.privateKey)),
      separator,
      {
        from: payer.address,
        to: asked.payTo as Address,
        value: BigInt(accepted.amount),
        validAfter: 0n,
        validBefore: BigInt(Math.floor(Date.now() / 1000) + 3600),
        nonce: toHex(randomBytes(32)),
        ...altered.authorization,
      },
    )
    const { signature = payload.signature } = altered
    return formatPaymentSignature({
      resource: { url: `${base}/reading` },
      accepted,
      payload: formatExactPayload({ ...payload, signature }),
    })
  }
  return {
    ...{ ask, required, offer, sign },
    /** Asks with this payment. */
    offerPayment: (payment: string, path?: string, init: RequestInit = {}) =>
      ask(path, {
        ...init,
        headers: {
          accept: 'application/json',
          ...(init.headers as object),
          [x402Field.signature]: payment,
        },
      }),
    /** From the price to the answer. */
    buy: async (altered: Altered = {}, path?: string) =>
      ask(path, {
        headers: {
          accept: 'application/json',
          [x402Field.signature]: await sign(await offer(path), altered),
        },
      }),
  }
}
