// Tokens that a channel can hardly hold, that are in the way of a second deposit, or that stop paying.
import test, { type ExecutionContext } from 'ava'
import { createBrowserClient } from '../../browser/index.ts'
import { memoryKeyStore } from '../../browser/key-store.ts'
import { parseAmount } from '../../protocol/index.ts'
import { buy, wholeLife } from '../support/channel-life.ts'
import { mined } from '../support/contracts.ts'
import { holdsRow } from '../support/kinds-table.ts'
import { mapStore } from '../support/map-store.ts'
import { ofDecimals, startTokenSystem, tokenOf } from '../support/token-system.ts'
import { createTestWallet } from '../support/wallet.ts'

test('24 decimals, four readings to a channel: as many channels as it takes', async (t) => {
  const { system } = await startTokenSystem(t, ofDecimals(24), '0.001 TKN')
  const buyer = await system.agent()
  await buy(t, system, buyer, 5)
  const most = 2n ** 72n - 1n
  t.deepEqual(
    buyer.channels().map(({ deposit }) => deposit),
    [most, most],
  )
  const [first] = buyer.channels()
  if (first === undefined) return t.fail('a channel')
  t.is(await buyer.topUpAhead(`${first.receiver}/${first.openBlock}`, 1000n, 0n), 0n)
})

test('36 decimals', async (t) => {
  const { system, facts } = await startTokenSystem(t, ofDecimals(36), '0.005 TKN')
  const buyer = await system.agent()
  const error = await t.throwsAsync<Error & { readonly hint: string }>(
    buyer.get(`${system.base}/reading`),
    { code: 'deposit_too_large' },
  )
  holdsRow(t, '36 decimals', [`${error?.message}`])
  t.regex(`${error?.hint}`, /fewer decimals than 36/)
  await t.throwsAsync(
    buyer.openChannel(system.receiverAccount.address, parseAmount('1 TKN', facts)),
    { code: 'deposit_too_large' },
  )
  t.deepEqual(buyer.channels(), [])
})

for (const left of [1n, 10n ** 9n]) {
  const title = `USDT kind, an allowance of ${left} is left of a deposit that was not made`
  const given = async (t: ExecutionContext) => {
    const found = await startTokenSystem(t, tokenOf('TetherToken'), '0.005 USDT')
    const { token, contract, chain } = found.system
    const own = token.connect(chain.wallet(2)) as typeof token
    await mined(own.getFunction('approve')(contract, left))
    return found
  }

  test(`${title}: the next one is made`, async (t) => {
    await wholeLife(t, await given(t))
  })

  test(`${title}: the next one is made, in a browser`, async (t) => {
    const { system, price } = await given(t)
    const { chain, contract, base, receiverAccount, senderAccount } = system
    const wallet = createTestWallet(chain.rpcUrl, senderAccount.privateKey)
    t.teardown(wallet.close)
    const client = await createBrowserClient({
      ...{ wallet, contract, api: `${base}/api/1`, interval: 20 },
      ...{ account: senderAccount.address, receiver: receiverAccount.address },
      ...{ storage: mapStore(), keys: memoryKeyStore() },
    })
    await client.openChannel(price)
    await client.topUp(2n * price)
    t.is((await client.channel())?.facts?.deposit, 3n * price)
  })
}

test('two channels that open at once do not take each other’s allowance', async (t) => {
  const { system } = await startTokenSystem(t, tokenOf('PlainToken'), '0.005 TST')
  const buyer = await system.agent()
  const deposits = [20n, 10n, 30n]
  const receivers = system.chain.accounts.slice(3, 6)
  await Promise.all(
    receivers.map(({ address }, index) => buyer.openChannel(address, deposits[index] ?? 1n)),
  )
  t.deepEqual(
    buyer
      .channels()
      .map(({ deposit }) => deposit)
      .sort(),
    [...deposits].sort(),
  )
})
