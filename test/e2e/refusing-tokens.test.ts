// Tokens that stop paying: paused, or with one of the two accounts blocked. Nothing is lost: what they refuse is kept by
// the contract, and collected when they pay again.
import test, { type ExecutionContext } from 'ava'
import { keptText } from '../../agent/channels/credit.ts'
import type { Agent } from '../../agent/index.ts'
import { SharedAgent } from '../../agent/program/daemon/shared-agent.ts'
import { Upkeep } from '../../agent/program/daemon/upkeep.ts'
import type { ReceiverOptions } from '../../receiver/index.ts'
import { buy, openName, type System } from '../support/channel-life.ts'
import { runCli, writeAgentFiles } from '../support/cli.ts'
import { mined } from '../support/contracts.ts'
import { holdsRow } from '../support/kinds-table.ts'
import { startTokenSystem, tokenOf } from '../support/token-system.ts'
import { until } from '../support/until.ts'

const kinds = {
  'USDC kind': { name: 'UsdcToken', symbol: 'USDC', block: 'blacklist' },
  'USDT kind': { name: 'TetherToken', symbol: 'USDT', block: 'blackList' },
} as const

type Kind = keyof typeof kinds

async function given(t: ExecutionContext, kind: Kind) {
  const { name, symbol, block } = kinds[kind]
  const heard: string[] = []
  const log: ReceiverOptions['log'] = {
    info: (_, message) => void heard.push(message),
    warn: (_, message) => void heard.push(message),
  }
  const found = await startTokenSystem(t, tokenOf(name), `0.005 ${symbol}`, { log })
  const { system, client } = found
  const { token, senderAccount, receiverAccount } = system
  const owned = await system.tokensOf(senderAccount.address)
  return {
    ...found,
    ...{ heard, owned },
    sender: senderAccount.address,
    receiver: receiverAccount.address,
    pause: async (isPaused: boolean) => void (await mined(token.getFunction('pause')(isPaused))),
    block: async (account: string, isBlocked: boolean) =>
      void (await mined(token.getFunction(block)(account, isBlocked))),
    kept: async () => [
      await client.payoutCredit(senderAccount.address),
      await client.payoutCredit(receiverAccount.address),
    ],
  }
}

for (const kind of Object.keys(kinds) as Kind[]) {
  test(`${kind}, paused: no channel is opened, and what is wrong is said`, async (t) => {
    const { system, price, facts, pause, sender, owned, heard } = await given(t, kind)
    const buyer = await system.agent()
    await pause(true)
    const error = await t.throwsAsync<Error & { readonly hint: string }>(
      buyer.get(`${system.base}/reading`),
      { code: 'transaction_reverts' },
    )
    t.deepEqual(buyer.channels(), [])
    await pause(false)
    await buy(t, system, buyer)
    t.is(await system.tokensOf(sender), owned - (buyer.channels()[0]?.deposit ?? 0n))
    await pause(true)
    await t.throwsAsync(buyer.topUp(openName(buyer), price), { code: 'transaction_reverts' })
    await buyer.closeChannel(openName(buyer), system.base)
    await until(() => heard.some((each) => each.includes('the contract keeps it')))
    const kept = keptText(await buyer.payoutCredit(), facts)
    holdsRow(t, `${kind}, paused`, [`${error?.message} ${error?.hint}`, kept, ...heard])
  })

  test(`${kind}, paused when a channel is closed together: kept for both, and collected`, async (t) => {
    const { system, price, pause, kept, sender, receiver, owned, heard } = await given(t, kind)
    const buyer = await system.agent()
    await buy(t, system, buyer, 2)
    const name = openName(buyer)
    const deposit = buyer.channels()[0]?.deposit ?? 0n
    await pause(true)
    await buyer.closeChannel(name, system.base)
    t.deepEqual(await kept(), [deposit - 2n * price, 2n * price])
    t.is(await buyer.payoutCredit(), deposit - 2n * price)
    t.deepEqual(await buyer.settle(), [])
    await until(() => heard.some((each) => each.includes('the contract keeps it')))
    await pause(false)
    t.deepEqual(await buyer.settle(), [])
    await until(async () => (await system.tokensOf(receiver)) === 2n * price)
    t.is(await system.tokensOf(sender), owned - 2n * price)
    t.deepEqual(await kept(), [0n, 0n])
  })

  test(`${kind}, paused when a channel is settled: kept for both, and collected`, async (t) => {
    const { system, price, pause, kept, sender, receiver, owned } = await given(t, kind)
    const buyer = await system.agent()
    await buy(t, system, buyer, 2)
    const name = openName(buyer)
    await buyer.closeChannel(name, {})
    await pause(true)
    await system.chain.mine(502)
    t.deepEqual(await buyer.settle(), [name])
    t.is((await kept())[1], 2n * price)
    await pause(false)
    await buyer.settle()
    await until(async () => (await system.tokensOf(receiver)) === 2n * price)
    t.is(await system.tokensOf(sender), owned - 2n * price)
  })
}

for (const how of ['together', 'alone'] as const) {
  const end = async (system: System, buyer: Agent) => {
    await buyer.closeChannel(openName(buyer), how === 'together' ? system.base : {})
    if (how === 'together') return
    await system.chain.mine(502)
    await buyer.settle()
  }

  test(`USDC kind, the sender is blocked, closed ${how}: the receiver is paid, and the rest goes to another account`, async (t) => {
    const { system, price, facts, block, kept, sender, receiver } = await given(t, 'USDC kind')
    const buyer = await system.agent()
    await buy(t, system, buyer, 2)
    const deposit = buyer.channels()[0]?.deposit ?? 0n
    await block(sender, true)
    await buy(t, system, buyer, 1)
    const refused = { code: 'transaction_reverts', message: /account is blacklisted/ }
    await t.throwsAsync(buyer.topUp(openName(buyer), price), refused)
    await end(system, buyer)
    t.is(await system.tokensOf(receiver), 3n * price)
    t.deepEqual(await kept(), [deposit - 3n * price, 0n])
    await t.throwsAsync(buy(t, system, buyer), refused, 'no other channel is opened')
    const text = keptText(await buyer.payoutCredit(), facts)
    holdsRow(t, 'USDC kind, the sender blocked', [text])
    const other = system.chain.accounts[7]?.address
    if (other === undefined) return t.fail('an account')
    await t.throwsAsync(buyer.sweep(other), refused, 'its own tokens stay')
    t.is(await system.tokensOf(other), deposit - 3n * price)
  })

  test(`USDC kind, the receiver is blocked, closed ${how}: the sender gets the rest, and the receiver when it is free`, async (t) => {
    const found = await given(t, 'USDC kind')
    const { system, price, block, kept, sender, receiver, owned, heard } = found
    const buyer = await system.agent()
    await block(receiver, true)
    await buy(t, system, buyer, 2)
    await buyer.topUp(openName(buyer), price)
    const withdrawal = system.receiver.settlement.withdrawAll()
    await t.throwsAsync(withdrawal, { code: 'transaction_reverts' })
    await end(system, buyer)
    t.is(await system.tokensOf(sender), owned - 2n * price)
    t.deepEqual(await kept(), [0n, 2n * price])
    await until(() => heard.some((each) => each.includes('the contract keeps it')))
    holdsRow(t, 'USDC kind, the receiver blocked', heard)
    await block(receiver, false)
    await until(async () => (await system.tokensOf(receiver)) === 2n * price)
    t.deepEqual(await kept(), [0n, 0n])
  })
}

test('the daemon says what the contract keeps, and collects it when the token pays', async (t) => {
  const { system, price, pause, kept, sender, owned } = await given(t, 'USDC kind')
  const shared = new SharedAgent()
  await shared.exchange(() => system.agent(), 0)
  const said: string[] = []
  const upkeep = new Upkeep({
    ...{ shared, interval: 20 },
    onWarning: (warning) => said.push(warning),
    onFailed: (_, error) => t.fail(String(error)),
  })
  await upkeep.start({ policy: { deposit: {} } })
  t.teardown(() => upkeep.stop())
  const buyer = shared.current()
  if (buyer === undefined) return t.fail('an agent')
  await buy(t, system, buyer, 2)
  await pause(true)
  await buyer.closeChannel(openName(buyer), system.base)
  await until(() => said.length > 0)
  t.regex(`${said[0]}`, /^The token refused to pay 0\.04 USDC: the contract keeps them/)
  await pause(false)
  await until(async () => (await kept())[0] === 0n)
  t.is(await system.tokensOf(sender), owned - 2n * price)
  await upkeep.stop()
  t.is(said.length, 1, 'once')
})

test('the command line says what the contract keeps, and what it has collected', async (t) => {
  const { system, pause, kept } = await given(t, 'USDC kind')
  const { chain, contract, base, folder, receiverAccount, senderAccount } = system
  const address = receiverAccount.address
  await writeAgentFiles(
    folder,
    senderAccount.privateKey,
    `rpc: ${chain.rpcUrl}
contract: ${contract}
key: key
state: state
budget: { request: 0.005 USDC, total: 1 USDC }
receivers: { room: { url: '${base}', address: '${address}' } }
`,
  )
  const cli = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runCli(folder, args)
    t.is(code, 0, stderr)
    return stdout + stderr
  }
  await cli('get', 'room/reading')
  await pause(true)
  t.regex(await cli('close', 'room'), /refused to pay 0\.045 USDC: the contract keeps them/)
  t.regex(await cli('settle'), /refused to pay 0\.045 USDC/)
  await pause(false)
  t.regex(await cli('settle'), /collected 0\.045 USDC of ended channels/)
  t.is((await kept())[0], 0n)
})
