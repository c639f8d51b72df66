import test from 'ava'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex, type Hex, openChannelDigest } from '../../../protocol/index.ts'
import { createRelaySigner } from '../../../receiver/settlement/relay-signer.ts'
import { chooseRecovery } from '../../../receiver/signatures/recovery.ts'

const signer = createKeySigner(fromHex(`0x${'77'.repeat(32)}`))
const contract = createKeySigner(fromHex(`0x${'78'.repeat(32)}`)).address
const domain = { contract, chainId: 31337n }
const message = { sender: signer.address, receiver: contract, deposit: 5n, deadline: 9n }
const digest = (nonce: bigint) => openChannelDigest(domain, { ...message, nonce })

async function given(chainNonce: bigint, code = '0x') {
  let asked = 0
  let head = 1
  const { recovery } = await chooseRecovery(['js'])
  const signed = createRelaySigner({
    chain: {
      contract,
      request: async (method) => {
        asked++
        if (method === 'eth_getCode') return code
        return `0x${chainNonce.toString(16).padStart(64, '0')}`
      },
    },
    by: recovery,
    head: () => head,
  })
  return {
    asked: () => asked,
    nextBlock: () => void head++,
    mayBe: (authorization: Hex) => signed.mayBeSender(signer.address, authorization, digest(0n)),
    ask: async (nonce: bigint) =>
      signed.isSender(signer.address, await signer.sign(digest(nonce)), digest),
  }
}

test('a first deposit, and each that follows a known one, is told without the node', async (t) => {
  const { ask, asked } = await given(0n)
  t.true(await ask(0n))
  t.true(await ask(1n))
  // Its transaction failed: the same nonce once more.
  t.true(await ask(1n))
  t.is(asked(), 0)
})

test('a later nonce is asked for once, and remembered', async (t) => {
  const { ask, asked } = await given(90n)
  t.true(await ask(90n))
  t.true(await ask(91n))
  t.is(asked(), 1)
})

test('questions are rationed by block', async (t) => {
  const { ask, asked, nextBlock } = await given(90n)
  for (let count = 0; count < 20; count++) t.false(await ask(89n))
  t.is(asked(), 8)
  t.false(await ask(90n))
  nextBlock()
  t.true(await ask(90n))
})

test('an authorization with the key is told without the node; others only of accounts with code', async (t) => {
  const plain = await given(0n)
  t.true(await plain.mayBe(await signer.sign(digest(0n))))
  t.is(plain.asked(), 0)
  t.false(await plain.mayBe(await signer.sign(digest(1n))))
  t.false(await plain.mayBe('0x1234'))
  const withCode = await given(0n, '0xef0100')
  t.true(await withCode.mayBe(await signer.sign(digest(1n))))
  t.true(await withCode.mayBe('0x1234'))
})

test('questions about code are rationed by block, too', async (t) => {
  const { mayBe, asked, nextBlock } = await given(0n, '0xef0100')
  for (let count = 0; count < 20; count++) await mayBe('0x1234')
  t.is(asked(), 8)
  t.false(await mayBe('0x1234'))
  nextBlock()
  t.true(await mayBe('0x1234'))
})
