// The receiver as a program runs it, in this process.
import { join } from 'node:path'
import test from 'ava'
import { pino } from 'pino'
import { parseConfig } from '../../../platform/config/index.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import { receiverConfig } from '../../../receiver/program/config.ts'
import { runReceiver } from '../../../receiver/program/run.ts'
import { receiverSettings } from '../../../receiver/program/settings.ts'
import { freePort } from '../../lab/processes/free-port.ts'
import { type RpcCall, startFaultyRpc } from '../../support/faulty-rpc.ts'
import { givenReceiverFolder } from '../../support/receiver-program.ts'

test('it connects to the chain once, for the token’s decimals and for everything after', async (t) => {
  const { chain, contract, folder, receiverAccount } = await givenReceiverFolder(t)
  const node = await startFaultyRpc(t, chain.rpcUrl, () => undefined)
  const text = `rpc: ${node.url}
contract: '${contract}'
key: ${join(folder, 'key')}
state: ${join(folder, 'state')}
outage: { mostInAll: 1 TKN }
`
  const config = parseConfig(text, { file: 'receiver.yaml', schema: receiverConfig })
  const running = await runReceiver({
    settings: receiverSettings(config),
    signer: createKeySigner(fromHex(receiverAccount.privateKey)),
    listen: { host: '127.0.0.1', port: 0 },
    log: pino({ level: 'silent' }),
  })
  try {
    await running.receiver.synced
    t.is((await fetch(`${running.url}/cm`)).status, 200)
  } finally {
    await running.stop()
  }
  // What each connection asks once, before it believes that there is a contract.
  const isOfContract = ({ method, params }: RpcCall) =>
    method === 'eth_getCode' && params[0] === contract
  t.is(node.calls.filter(isOfContract).length, 1)
})

test('an amount in another token stops the start, and leaves nothing running', async (t) => {
  const { chain, contract, folder, receiverAccount } = await givenReceiverFolder(t)
  const port = await freePort()
  const text = `rpc: ${chain.rpcUrl}
contract: '${contract}'
key: ${join(folder, 'key')}
state: ${join(folder, 'state')}
outage: { mostInAll: 1 DAI }
ops: { listen: 127.0.0.1:${port} }
`
  const config = parseConfig(text, { file: 'receiver.yaml', schema: receiverConfig })
  const running = runReceiver({
    settings: receiverSettings(config),
    signer: createKeySigner(fromHex(receiverAccount.privateKey)),
    listen: { host: '127.0.0.1', port: 0 },
    log: pino({ level: 'silent' }),
  })
  t.like(await t.throwsAsync(running), { code: 'wrong_token' })
  await t.throwsAsync(fetch(`http://127.0.0.1:${port}/healthz`))
})

test('a node that is away when it starts is waited for, and no longer than until it is stopped', async (t) => {
  const { chain, contract, folder, receiverAccount } = await givenReceiverFolder(t)
  const port = await freePort()
  let isThere = false
  const node = await startFaultyRpc(t, chain.rpcUrl, () => (isThere ? undefined : 'loseRequest'))
  const text = `rpc: ${node.url}
contract: '${contract}'
key: ${join(folder, 'key')}
state: ${join(folder, 'state')}
ops: { listen: 127.0.0.1:${port} }
`
  const config = parseConfig(text, { file: 'receiver.yaml', schema: receiverConfig })
  const options = {
    settings: receiverSettings(config),
    signer: createKeySigner(fromHex(receiverAccount.privateKey)),
    listen: { host: '127.0.0.1', port: 0 },
    log: pino({ level: 'silent' }),
  }
  await t.throwsAsync(runReceiver(options), { code: 'chain_unavailable' })

  const stopped = new AbortController()
  const given = { until: stopped.signal, begun: () => stopped.abort(), interval: 60_000 }
  await t.throwsAsync(runReceiver({ ...options, waiting: given }), { code: 'chain_unavailable' })

  let begun = 0
  const ready = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status
  let whileAway: Promise<number> | undefined
  const waiting = {
    until: new AbortController().signal,
    begun: () => {
      begun++
      whileAway = ready().finally(() => (isThere = true))
    },
    interval: 5,
  }
  const running = await runReceiver({ ...options, waiting })
  try {
    await running.receiver.synced
    t.deepEqual([begun, await whileAway], [1, 503])
    t.is((await fetch(`${running.url}/cm`)).status, 200)
  } finally {
    await running.stop()
  }
})
