// A stand-in for the original's server, as far as money is concerned: it knows balances only, offers no features,
// gives no reason when a deposit is not confirmed, has no proof at 0, and fails when it is to agree to a close
// at what it has not registered (wire-protocol.md sections 2, 5 and 9). And an agent that buys there.
import { createServer, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'
import type { Signer } from 'ethers'
import { type Agent, type AgentOptions, createAgent, createKeySigner } from '../../agent/index.ts'
import { connectChain } from '../../platform/chain/index.ts'
import {
  type Address,
  formatTerms,
  fromHex,
  headerName,
  isBalanceProof,
  type Payment,
  parsePayment,
  type Signature,
  type Terms,
} from '../../protocol/index.ts'
import { closingAgreement } from '../../scripts/lib/sign.ts'
import { deployTestContracts, startEmbeddedChain } from '../lab/chains/embedded-chain.ts'
import { testAccount } from '../lab/chains/test-accounts.ts'
import { freePort } from '../lab/processes/free-port.ts'
import { temporaryFolder } from './folder.ts'

/** At first. */
export const price = 10n

/** What gets lost: the next payment before it arrives, or what it has bought. */
export type Loss = 'before' | 'after'

interface Channel {
  readonly balance: bigint
  readonly signature: Signature | undefined
  readonly closed: boolean
}

/** As the chain has it, under as many blocks as are wanted. */
interface OnChain {
  readonly opened: boolean
  readonly deposit: bigint
}

const nothing: Channel = { balance: 0n, signature: undefined, closed: false }

export interface OriginalOptions {
  readonly confirmations?: number | undefined
  /** In place of the newest contract. */
  readonly deploy?: ((deployer: Signer, token: Address) => Promise<Address>) | undefined
}

export async function startOriginal(
  t: ExecutionContext,
  { confirmations = 2, deploy }: OriginalOptions = {},
) {
  const chain = await startEmbeddedChain()
  t.teardown(chain.close)
  const { channelsAddress, token, tokenAddress } = await deployTestContracts(chain.wallet(0))
  const contract = deploy ? await deploy(chain.wallet(0), tokenAddress) : channelsAddress
  const [receiver, sender] = [testAccount(1), testAccount(2)]
  const transfer = token.getFunction('transfer(address,uint256)')
  await (await transfer(sender.address, 10_000n)).wait()
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(() => client.close())
  const domain = { contract, chainId: chain.chainId }

  const channels = new Map<string, Channel>()
  /** What each has cost. */
  const served: bigint[] = []
  const answers: string[] = []
  let cost = price
  let loss: Loss | undefined
  let onPayment: () => void | Promise<void> = () => undefined

  async function depositOf(from: Address, openBlock: number, depth: number): Promise<OnChain> {
    const { number: head } = await client.head()
    const query = { from: 0, to: head - depth + 1, sender: from, receiver: receiver.address }
    const events = query.to < 0 ? [] : await client.events(query)
    const own = events.filter(({ channel }) => channel.openBlock === openBlock)
    if (own.some(({ kind }) => kind === 'settled')) return { opened: false, deposit: 0n }
    const added = own.map((each) =>
      each.kind === 'created' ? each.deposit : each.kind === 'toppedUp' ? each.added : 0n,
    )
    return { opened: own.length > 0, deposit: added.reduce((sum, each) => sum + each, 0n) }
  }

  async function pay(payment: Payment): Promise<{ readonly paid: boolean; readonly says: object }> {
    const { openBlock, balance, signature } = payment
    const name = `${payment.sender}/${openBlock}`
    const before = channels.get(name) ?? nothing
    const refused = (says: object) => ({ paid: false, says })
    const confirmed = await depositOf(payment.sender, openBlock, confirmations)
    if (!confirmed.opened || before.closed) {
      const { opened } = await depositOf(payment.sender, openBlock, 1)
      const field =
        opened && !before.closed
          ? headerName.insufficientConfirmations
          : headerName.nonexistingChannel
      return refused({ [field]: '1' })
    }
    const channel = { sender: payment.sender, receiver: receiver.address, openBlock }
    if (!isBalanceProof({ domain, channel, balance, signature })) {
      return refused({ [headerName.invalidBalanceProof]: '1' })
    }
    const stands = (at: Channel) => ({
      [headerName.sender]: payment.sender,
      [headerName.senderBalance]: `${at.balance}`,
      ...(at.signature && { [headerName.signature]: at.signature }),
    })
    const amount = balance - before.balance
    if (amount !== 0n && amount !== cost) {
      return refused({ ...stands(before), [headerName.invalidAmount]: '1' })
    }
    // Neither a repetition nor a balance over the confirmed deposit gets a reason.
    if (amount === 0n || balance > confirmed.deposit) return refused(stands(before))
    const after = { ...before, balance, signature }
    channels.set(name, after)
    return { paid: true, says: stands(after) }
  }

  const terms = (): Terms => ({
    ...{ gatewayPath: '/api/1', receiver: receiver.address, contract, token: tokenAddress },
    price: cost,
    features: new Set(),
  })

  async function sell(request: IncomingMessage) {
    const header = (name: string): string | undefined => {
      const value = request.headers[name.toLowerCase()]
      return Array.isArray(value) ? value.join(', ') : value
    }
    const payment = parsePayment(header)
    if (payment?.amount !== undefined) return { status: 409, headers: {}, body: '' }
    const { paid, says } = payment ? await pay(payment) : { paid: false, says: {} }
    const { 'RDN-Features': _, ...fields } = formatTerms(terms())
    if (paid) served.push(cost)
    return { status: paid ? 200 : 402, headers: { ...fields, ...says }, body: paid ? 'data' : '' }
  }

  async function administer(request: IncomingMessage) {
    const [, from = '', block = ''] =
      /^\/api\/1\/channels\/(\w+)\/(\d+)$/.exec(request.url ?? '') ?? []
    const [sent, openBlock] = [from as Address, Number(block)]
    const name = `${from}/${block}`
    const json = (status: number, body: object) => {
      return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    }
    const { opened, deposit } = await depositOf(sent, openBlock, confirmations)
    if (!opened) return json(404, {})
    const channel = channels.get(name) ?? nothing
    if (request.method === 'GET') {
      const balance = Number(channel.balance)
      return json(200, { balance, deposit: Number(deposit), open_block: openBlock, state: 'OPEN' })
    }
    const { balance } = JSON.parse(await text(request))
    // The original raises an error that nobody catches.
    if (channel.signature === undefined || BigInt(balance) !== channel.balance) return json(500, {})
    channels.set(name, { ...channel, closed: true })
    const signed = { domain, sender: sent, openBlock, balance: channel.balance }
    const key = receiver.privateKey
    return json(200, { close_signature: closingAgreement({ ...signed, key, form: 'seed' }) })
  }

  async function answer(request: IncomingMessage) {
    if (request.url?.startsWith('/api/1/channels/')) return administer(request)
    return request.url?.startsWith('/api/') ? { status: 404, headers: {}, body: '' } : sell(request)
  }

  const server = createServer(async (request, response) => {
    const isPayment = request.headers['rdn-balance'] !== undefined
    if (isPayment) await onPayment()
    const lost = (when: Loss): boolean => {
      if (!isPayment || loss !== when) return false
      loss = undefined
      return true
    }
    if (lost('before')) return void request.socket.destroy()
    const said = await answer(request)
    if (isPayment) answers.push(`${request.headers['rdn-balance']} ${said.status}`)
    if (said.status === 200 && lost('after')) return void request.socket.destroy()
    response.writeHead(said.status, said.headers).end(said.body)
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })

  const store = join(await temporaryFolder(t), 'agent')
  const agents: Agent[] = []
  t.teardown(() => Promise.all(agents.map((each) => each.stop().catch(() => undefined))))
  const tokensOf = async (address: string): Promise<bigint> =>
    token.getFunction('balanceOf')(address)
  return {
    ...{ chain, contract, sender, receiver, store, served, answers, tokensOf },
    url: `http://127.0.0.1:${port}/data`,
    lose: (when: Loss) => {
      loss = when
    },
    ask: (of: bigint) => {
      cost = of
    },
    /** Called whenever a payment has come, before it is looked at. */
    whenPaid: (act: () => void | Promise<void>) => {
      onPayment = act
    },
    /** The highest balance that it can prove. */
    registered: () => [...channels.values()].reduce((sum, { balance }) => sum + balance, 0n),
    agent: async (options: Partial<AgentOptions> = {}): Promise<Agent> => {
      const made = await createAgent({
        ...{ signer: createKeySigner(fromHex(sender.privateKey)), rpcUrl: chain.rpcUrl },
        ...{ chainId: chain.chainId, contract, store, retryInterval: 10, bound: 'prefer' },
        ...options,
      })
      agents.push(made)
      return made
    },
  }
}
