// uraiden-receiver key request: what it prints is signed by a wallet elsewhere, and senders get it.
import test from 'ava'
import { Wallet } from 'ethers'
import { parseReceiverKey, verifyReceiverKey } from '../../../protocol/bound/index.ts'
import { parseAddress } from '../../../protocol/index.ts'
import { givenReceiverFolder, runReceiver, startProgram } from '../../support/receiver-program.ts'

test('key request prints typed data that a wallet signs, and takes its signature without the account’s key', async (t) => {
  const given = await givenReceiverFolder(t)
  const { folder, contract, chain, receiverAccount } = given
  const options = ['--rpc', chain.rpcUrl, '--contract', contract, '--state', 'state']
  const request = (...args: string[]) =>
    runReceiver(folder, ['--key', 'elsewhere', ...options, 'key', 'request', ...args])
  const asked = await request('--json')
  t.is(asked.code, 0, asked.stderr)
  const { domain, types, message } = JSON.parse(asked.stdout)
  const { EIP712Domain: _, ...own } = types
  const address = ['--address', receiverAccount.address]
  const other = await Wallet.createRandom().signTypedData(domain, own, message)
  const refused = await request('--signature', other, ...address)
  t.is(refused.code, 3)
  t.regex(refused.stderr, /is not signed by/)
  const signature = await new Wallet(receiverAccount.privateKey).signTypedData(domain, own, message)
  const taken = await request('--signature', signature, ...address)
  t.is(taken.code, 0, taken.stderr)
  const { url } = await startProgram(t, given, ['--key', 'key', ...options.slice(2)])
  const shown = parseReceiverKey(await (await fetch(`${url}/api/1/request-key`)).text())
  t.like(shown, { key: message.key, number: BigInt(message.number), until: BigInt(message.until) })
  const receiver = parseAddress(receiverAccount.address)
  const signed = { chainId: chain.chainId, contract }
  t.true(verifyReceiverKey(shown, { domain: signed, receiver, block: 0 }).ok)
})
