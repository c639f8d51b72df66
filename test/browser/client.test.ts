// The browser client against a real chain and a real receiver, with a wallet that signs for real.
import anyTest, { type ExecutionContext } from 'ava'
import { AbiCoder, Interface } from 'ethers'
import { type BrowserClientOptions, createBrowserClient } from '../../browser/index.ts'
import { memoryKeyStore } from '../../browser/key-store.ts'
import { channelsAbi } from '../../contracts/abi/channels.ts'
import { headerName } from '../../protocol/index.ts'
import type { ReceiverOptions, Resource } from '../../receiver/index.ts'
import { mapStore } from '../support/map-store.ts'
import { price, startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'
import { createTestWallet, refusal, type TestWallet } from '../support/wallet.ts'

// One chain at a time: they share a process, which on a busy machine answers too late.
const test = anyTest.serial

interface Given {
  readonly resources?: readonly Resource[]
  readonly receiver?: Partial<ReceiverOptions>
}

async function givenBuyer(t: ExecutionContext, { resources, receiver }: Given = {}) {
  const system = await startSystem(t, resources, receiver)
  const { chain, contract, base, receiverAccount, senderAccount } = system
  const wallet = createTestWallet(chain.rpcUrl, senderAccount.privateKey)
  t.teardown(wallet.close)
  const storage = mapStore()
  const keys = memoryKeyStore()
  const connect = (options: Partial<BrowserClientOptions> = {}) =>
    createBrowserClient({
      wallet,
      account: senderAccount.address,
      receiver: receiverAccount.address,
      contract,
      api: `${base}/api/1`,
      storage,
      keys,
      interval: 20,
      ...options,
    })
  const client = await connect()
  const buy = () => client.pay(`${base}/reading`, { price, idempotency: true })
  const asked = (method: string) => wallet.calls.filter((call) => call.method === method).length
  return { ...system, wallet, storage, connect, client, buy, asked }
}

test('opens, pays, tops up, pays on, and closes; the sums agree on the chain', async (t) => {
  const { client, buy, tokensOf, senderAccount, receiverAccount, asked } = await givenBuyer(t)
  t.deepEqual(
    [client.token.symbol, client.token.decimals, await client.tokenBalance()],
    ['TKN', 18, 10_000n],
  )
  await client.openChannel(8n)
  const first = await buy()
  t.deepEqual(await first.response.json(), { celsius: 21.4 })
  t.is(first.cost, price)
  await t.throwsAsync(buy(), { code: 'deposit_spent' })
  await client.topUp(12n)
  await buy()
  const view = await client.channel()
  t.deepEqual([view?.balance, view?.facts?.deposit], [10n, 20n])
  // The channel's key, and two payments.
  t.is(asked('eth_signTypedData_v4'), 3)
  await client.closeChannel()
  t.is(await tokensOf(receiverAccount.address), 10n)
  t.is(await tokensOf(senderAccount.address), 9_990n)
  t.is(await client.channel(), undefined)
})

test('closes without the receiver, and settles after the challenge period only', async (t) => {
  const { client, chain, tokensOf, senderAccount } = await givenBuyer(t)
  await client.openChannel(8n)
  await t.throwsAsync(client.closeChannel(), { code: 'close_refused' })
  await client.requestClose()
  const view = await client.channel()
  t.true((view?.facts?.settleBlock ?? 0) > 0)
  await t.throwsAsync(client.settle(), { code: 'would_revert', message: /ChallengePeriodNotOver/ })
  await t.throwsAsync(client.signPayment(1n), { code: 'channel_closing' })
  await chain.mine(501)
  await client.settle()
  t.is(await tokensOf(senderAccount.address), 10_000n)
  t.is(await client.channel(), undefined)
})

test('what was refused in the wallet was neither signed nor stored', async (t) => {
  const { client, wallet, buy, storage } = await givenBuyer(t)
  const refuse = (method: string) =>
    wallet.disturb((call) => (call.method === method ? refusal : undefined))
  refuse('eth_sendTransaction')
  await t.throwsAsync(client.openChannel(8n), { code: 'wallet_refused' })
  t.deepEqual([client.isOpening(), storage.keys()], [false, []])
  wallet.disturb(() => undefined)
  await client.openChannel(8n)
  const before = await client.channel()
  refuse('eth_signTypedData_v4')
  await t.throwsAsync(buy(), { code: 'wallet_refused' })
  t.deepEqual(await client.channel(), before)
})

test('a payment whose answer was lost is repeated as it is, and costs once', async (t) => {
  const { client, buy, base, connect, receiver, asked } = await givenBuyer(t)
  await client.openChannel(100n)
  let lost = 0
  const loses: typeof fetch = async (...request) => {
    const answer = await fetch(...request)
    if (!String(request[0]).endsWith('/reading')) return answer
    lost++
    throw new TypeError('network')
  }
  const onBadNetwork = await connect({ fetch: loses })
  while (lost === 0) {
    await t.throwsAsync(onBadNetwork.pay(`${base}/reading`, { price, idempotency: true }), {
      code: 'receiver_unreachable',
    })
  }
  const { response, payment } = await buy()
  t.is(response.status, 200)
  t.true(payment.repeated)
  t.is(asked('eth_signTypedData_v4'), 2)
  t.is(receiver.book.unsettled(), price)
  await buy()
  t.is(receiver.book.unsettled(), 2n * price)
})

test('a page that was left while the channel opened goes on with it', async (t) => {
  const { client, connect, chain, asked } = await givenBuyer(t)
  await chain.provider.send('evm_setAutomine', [false])
  const left = new AbortController()
  const first = await connect({ signal: left.signal })
  const opening = first.openChannel(8n)
  await until(() => first.isOpening())
  left.abort()
  await t.throwsAsync(opening, { code: 'waiting_stopped' })
  t.true(client.isOpening())
  const again = client.openChannel(8n)
  await chain.provider.send('evm_setAutomine', [true])
  await chain.mine(1)
  const { openBlock } = await again
  t.is((await client.channel())?.openBlock, openBlock)
  t.is(asked('eth_sendTransaction'), 1)
})

for (const earlier of [0, 1, 2]) {
  test(`a channel whose record was lost after ${earlier} payments is found, with its balance`, async (t) => {
    const { client, buy, receiver } = await givenBuyer(t)
    const opened = await client.openChannel(100n)
    for (let payment = 0; payment < earlier; payment++) await buy()
    client.forgetChannel()
    t.is(await client.channel(), undefined)
    const found = await client.findChannel(0)
    t.deepEqual([found?.openBlock, found?.recovered], [opened.openBlock, true])
    const { response } = await buy()
    t.is(response.status, 200)
    t.is(receiver.book.unsettled(), BigInt(earlier + 1) * price)
    t.is((await client.channel())?.balance, BigInt(earlier + 1) * price)
  })
}

test('no other channel is found, and none that was closed', async (t) => {
  const { client, connect, buy, chain } = await givenBuyer(t)
  await client.openChannel(20n)
  const stranger = await connect({ receiver: chain.accounts[5]?.address ?? client.account })
  t.is(await stranger.findChannel(0), undefined)
  const invents = await connect({
    storage: mapStore(),
    fetch: async () => Response.json([{ open_block: '1' }, { open_block: -1 }, null, 'x']),
  })
  t.is(await invents.findChannel(), undefined)
  await buy()
  await client.closeChannel()
  t.is(await client.findChannel(), undefined)
  t.is(await client.findChannel(0), undefined)
})

test('a failed resource costs nothing: the same proof pays for the next try', async (t) => {
  let broken = true
  const handler = () => {
    if (broken) throw new Error('broken')
    return 'well'
  }
  const resources = [{ path: '/reading', price, handler }]
  const { client, buy, receiver, asked } = await givenBuyer(t, { resources })
  await client.openChannel(100n)
  const failed = await buy()
  t.deepEqual([failed.response.status, failed.cost], [500, 0n])
  broken = false
  t.is(await (await buy()).response.text(), 'well')
  t.is(asked('eth_signTypedData_v4'), 2)
  t.is(receiver.book.unsettled(), price)
})

test('a price other than the one agreed to is not paid', async (t) => {
  const { client, base } = await givenBuyer(t)
  await client.openChannel(100n)
  await client.pay(`${base}/reading`, { price })
  await t.throwsAsync(client.pay(`${base}/reading`, { price: 4n }), { code: 'price_changed' })
})

test('unbound: a receiver that claims a balance without proof gets nothing more', async (t) => {
  const { base, connect } = await givenBuyer(t)
  const client = await connect(unbound())
  await client.openChannel(100n)
  await client.pay(`${base}/reading`, { price })
  const lie = (headers: Record<string, string>): typeof fetch => {
    return async (...request) => {
      const honest = await fetch(`${base}/reading`)
      const { headers: sent } = request[1] as { readonly headers: Record<string, string> }
      const signature = sent[headerName.signature] ?? ''
      const claimed = { [headerName.signature]: signature, ...headers }
      return new Response('', {
        status: 402,
        headers: { ...Object.fromEntries(honest.headers), ...claimed },
      })
    }
  }
  const unproven = await connect(unbound(lie({ [headerName.senderBalance]: '90' })))
  await t.throwsAsync(unproven.pay(`${base}/reading`, { price }), { code: 'unproven' })
  await client.pay(`${base}/reading`, { price })
  const cheats = await connect(unbound(lie({ [headerName.senderBalance]: '15' })))
  await t.throwsAsync(cheats.pay(`${base}/reading`, { price }), { code: 'cheated' })
})

test('unbound: a closing agreement that is not the receiver’s never gets to the chain', async (t) => {
  const { base, connect, asked } = await givenBuyer(t)
  const client = await connect(unbound())
  await client.openChannel(100n)
  const { payment } = await client.pay(`${base}/reading`, { price })
  const sent = asked('eth_sendTransaction')
  for (const close_signature of ['0x12', payment.payment.signature]) {
    const liar = await connect(unbound(async () => Response.json({ close_signature })))
    await t.throwsAsync(liar.closeChannel(), { code: 'closing_agreement_invalid' })
  }
  t.is(asked('eth_sendTransaction'), sent)
})

test('a wallet on another chain is told so before anything is asked of it', async (t) => {
  const { connect } = await givenBuyer(t)
  await t.throwsAsync(connect({ chainId: 5n }), {
    code: 'wrong_chain',
    message: /on chain 31337, the receiver is on chain 5/,
  })
})

test('an address without a contract is told from a contract', async (t) => {
  const { connect, senderAccount } = await givenBuyer(t)
  await t.throwsAsync(connect({ contract: senderAccount.address }), { code: 'not_a_contract' })
})

test('a wallet that signs with another account is found out', async (t) => {
  const { client, base, connect, chain } = await givenBuyer(t)
  await client.openChannel(100n)
  const other = createTestWallet(chain.rpcUrl, chain.accounts[4]?.privateKey ?? '')
  t.teardown(other.close)
  const confused = await connect({ wallet: other })
  await t.throwsAsync(confused.pay(`${base}/reading`, { price }), {
    code: 'wallet_signed_otherwise',
  })
})

test('a plain ERC-20 token is approved and deposited; a 0.2 contract gets the seed’s form', async (t) => {
  const { chain, contract, wallet, senderAccount, receiverAccount, asked } = await givenBuyer(t)
  const refusesErc223 = (call: {
    readonly method: string
    readonly params: readonly unknown[]
  }) => {
    const { data } = (call.params[0] ?? {}) as { readonly data?: string }
    return data?.startsWith('0xbe45fd62') ? { code: 3, message: 'execution reverted' } : undefined
  }
  wallet.disturb(refusesErc223)
  const client = await createBrowserClient({
    wallet: onVersion02(wallet),
    account: senderAccount.address,
    receiver: receiverAccount.address,
    contract,
    api: '',
    storage: mapStore(),
    interval: 20,
  })
  t.is(client.contract.version, '0.2.0')
  await client.openChannel(100n)
  await client.topUp(7n)
  t.is(asked('eth_sendTransaction'), 4)
  t.is((await client.channel())?.facts?.deposit, 107n)
  const { channel, payment } = await client.signPayment(3n)
  // Before opening, before topping up a channel that has not paid, and the payment.
  t.deepEqual([asked('eth_signTypedData'), asked('eth_signTypedData_v4')], [3, 0])
  t.true(client.verifyProof(payment.balance, payment.signature))
  const { openBlock } = channel
  const recovered: unknown = await chain.provider.send('eth_call', [
    { to: contract, data: extractCall(receiverAccount.address, openBlock, payment) },
    'latest',
  ])
  t.is(BigInt(String(recovered)), BigInt(senderAccount.address))
})

test('on a 0.2 contract nothing is deposited by a wallet that cannot sign its payments', async (t) => {
  const { connect, chain, wallet, asked } = await givenBuyer(t)
  const client = await connect({ wallet: onVersion02(wallet) })
  const cannotSign = [
    [
      { code: -32601, message: 'The method eth_signTypedData does not exist' },
      'wallet_unsupported',
    ],
    [{ code: 4200, message: 'Unsupported method' }, 'wallet_unsupported'],
    [refusal, 'wallet_refused'],
    [{ code: -32603, message: 'Internal error' }, 'wallet_failed'],
  ] as const
  for (const [error, code] of cannotSign) {
    wallet.disturb(({ method }) => (method === 'eth_signTypedData' ? error : undefined))
    await t.throwsAsync(client.openChannel(100n), { code }, error.message)
  }
  const other = createTestWallet(chain.rpcUrl, chain.accounts[4]?.privateKey ?? '')
  t.teardown(other.close)
  const confused = await connect({ wallet: onVersion02(other) })
  await t.throwsAsync(confused.openChannel(100n), { code: 'wallet_signed_otherwise' })
  const sent = other.calls.filter(({ method }) => method === 'eth_sendTransaction')
  t.deepEqual([asked('eth_sendTransaction'), sent.length], [0, 0])

  wallet.disturb(() => undefined)
  await client.openChannel(100n)
  wallet.disturb(({ method }) => (method === 'eth_signTypedData' ? refusal : undefined))
  const before = asked('eth_sendTransaction')
  await t.throwsAsync(client.topUp(5n), { code: 'wallet_refused' })
  t.is(asked('eth_sendTransaction'), before)
})

/** With what version() answers there. */
function onVersion02(wallet: TestWallet): Pick<TestWallet, 'request'> {
  return {
    request: async (call) => {
      const { data } = (call.params?.[0] ?? {}) as { readonly data?: string }
      return data === '0x54fd4d50' ? encodedText('0.2.0') : wallet.request(call)
    },
  }
}

/** Somebody between, or a receiver of before, offers no bound requests. */
function unbound(others: typeof fetch = fetch): Partial<BrowserClientOptions> {
  return {
    bound: 'prefer',
    fetch: async (...request) =>
      String(request[0]).endsWith('/request-key')
        ? new Response('{}', { status: 404 })
        : others(...request),
  }
}

test('test tokens are bought for ether', async (t) => {
  const { client } = await givenBuyer(t)
  const before = await client.tokenBalance()
  t.true(await client.canBuyTokens())
  await client.buyTokens()
  t.is((await client.tokenBalance()) - before, 50n * 10n ** 18n)
})

function encodedText(text: string): string {
  return AbiCoder.defaultAbiCoder().encode(['string'], [text])
}

function extractCall(
  receiver: string,
  openBlock: number,
  { balance, signature }: { readonly balance: bigint; readonly signature: string },
): string {
  return new Interface(channelsAbi).encodeFunctionData('extractBalanceProofSignature', [
    receiver,
    openBlock,
    balance,
    signature,
  ])
}

async function givenPoor(t: ExecutionContext, options: Partial<BrowserClientOptions> = {}) {
  const given = await givenBuyer(t, { receiver: { relay: { leastDeposit: 3n } } })
  const { chain, senderAccount, connect } = given
  await chain.provider.send('hardhat_setBalance', [senderAccount.address, '0x0'])
  const client = await connect({ relay: true, ...options })
  const buy = () => client.pay(`${given.base}/reading`, { price })
  const sent = () => chain.provider.getTransactionCount(senderAccount.address)
  return { ...given, client, buy, sent }
}

test('without ether: the receiver opens, tops up and closes what the wallet has signed', async (t) => {
  const { client, buy, sent, asked, tokensOf, receiverAccount, senderAccount } = await givenPoor(t)
  t.true(await client.lacksEther())
  await client.openChannel(8n)
  t.like((await client.channel())?.facts, { deposit: 8n })
  await buy()
  await client.topUp(7n)
  await buy()
  t.like((await client.channel())?.facts, { deposit: 15n })
  await client.closeChannel()
  t.is(await client.channel(), undefined)
  t.is(await tokensOf(receiverAccount.address), 10n)
  t.is(await tokensOf(senderAccount.address), 9_990n)
  t.deepEqual([await sent(), asked('eth_sendTransaction')], [0, 0])
  t.is(asked('eth_signTypedData_v4'), 7)
})

test('what the receiver does not relay is said in its words, and nothing is waited for', async (t) => {
  const { client, asked } = await givenPoor(t)
  await t.throwsAsync(client.openChannel(2n), { code: 'relay_refused', message: /less than the/ })
  t.false(client.isOpening())
  await client.openChannel(3n)
  await t.throwsAsync(client.closeChannel(), { code: 'never_paid' })
  t.is(asked('eth_sendTransaction'), 0)
})

test('an account with ether sends its transactions itself, also where the receiver would', async (t) => {
  const { chain, senderAccount, client, asked } = await givenPoor(t)
  await chain.provider.send('hardhat_setBalance', [senderAccount.address, '0xde0b6b3a7640000'])
  t.false(await client.lacksEther())
  await client.openChannel(8n)
  t.is(asked('eth_sendTransaction'), 1)
})

test('an opening whose answer was lost is found, and not made twice', async (t) => {
  let lose = true
  const losing: typeof fetch = async (...request) => {
    const answer = await fetch(...request)
    if (lose && String(request[0]).endsWith('/relay/open')) throw new TypeError('network error')
    return answer
  }
  const { client, tokensOf, senderAccount } = await givenPoor(t, { fetch: losing })
  await t.throwsAsync(client.openChannel(8n), { code: 'receiver_unreachable' })
  lose = false
  const found = await client.openChannel(8n)
  t.is((await client.channel())?.openBlock, found.openBlock)
  t.is(await tokensOf(senderAccount.address), 9_992n)
})

test('a token whose permits cannot be written is said to be one', async (t) => {
  const { client, wallet } = await givenPoor(t)
  const separator = `0x${'3644e515'}`
  wallet.disturb(({ method, params }) => {
    const [call] = params as readonly [{ readonly data?: string }]
    const asks = method === 'eth_call' && call.data === separator
    return asks ? { code: 3, message: 'execution reverted', data: '0x' } : undefined
  })
  await t.throwsAsync(client.openChannel(8n), { code: 'permit_unsupported' })
})
