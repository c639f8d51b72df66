// The receiver's own request key where its account's key is elsewhere: asked for, signed, put in place; and
// each later one has a higher number.
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createKeySigner } from '../../../platform/keys/index.ts'
import {
  createRequestKey,
  type ReceiverKey,
  receiverKeyDigest,
  verifyReceiverKey,
} from '../../../protocol/bound/index.ts'
import { fromHex, parseAddress, signDigest, toHex } from '../../../protocol/index.ts'
import {
  acceptSignature,
  nextRequestKey,
  openRequestKey,
  signedRequestKey,
} from '../../../receiver/core/request-key.ts'
import { temporaryFolder } from '../../support/folder.ts'

const account = fromHex(`0x${'22'.repeat(32)}`)
const thief = fromHex(`0x${'33'.repeat(32)}`)
const { address: receiver } = createKeySigner(account)
const domain = { chainId: 31337n, contract: parseAddress(`0x${'44'.repeat(20)}`) }
const owner = { domain, receiver }
const sign = (message: ReceiverKey, key = account) =>
  signDigest(receiverKeyDigest(domain, message), key)

/** A signer as a receiver has that reaches its account's key for transactions only. */
const elsewhere = {
  address: receiver,
  sign: async () => {
    throw new Error('nobody is here to sign')
  },
}

async function given(t: ExecutionContext) {
  const places = { state: join(await temporaryFolder(t), 'state'), credentials: undefined }
  const at = (block: number) => async () => block
  const shown = async (block: number) =>
    signedRequestKey(await openRequestKey(places, at(block)), { signer: elsewhere, domain })(block)
  return { places, at, shown }
}

test('a key that was signed elsewhere is shown with its signature, without the account’s key', async (t) => {
  const { places, at, shown } = await given(t)
  const message = await nextRequestKey(places, at(100))
  t.is(message.number, 100n)
  t.deepEqual(await nextRequestKey(places, at(200)), message, 'asked again, it is the same')
  t.deepEqual(await acceptSignature(places, sign(message), owner), message)
  const key = await shown(300)
  t.deepEqual(key, { ...message, signature: sign(message) })
  t.true(verifyReceiverKey(key, { domain, receiver, block: 300 }).ok)
  const file = join(places.state, 'request-key')
  t.is((await stat(file)).mode & 0o777, 0o600)
  t.deepEqual(await readdir(places.state), ['request-key'])
  // After its last block only the account can say more.
  await t.throwsAsync(shown(Number(message.until) + 1), { message: /nobody is here/ })
})

test('a later key has a higher number, in the same block too', async (t) => {
  const { places, at, shown } = await given(t)
  const first = await nextRequestKey(places, at(100))
  await acceptSignature(places, sign(first), owner)
  const second = await nextRequestKey(places, at(100))
  t.is(second.number, 101n)
  t.is((await shown(100)).number, 100n, 'in use until the next is signed')
  await acceptSignature(places, sign(second), owner)
  t.is((await shown(100)).key, second.key)
})

test('what is not the receiver’s signature over this key changes nothing', async (t) => {
  const { places, at, shown } = await given(t)
  const before = await nextRequestKey(places, at(100))
  await acceptSignature(places, sign(before), owner)
  await t.throwsAsync(acceptSignature(places, sign(before), owner), {
    code: 'request_key_not_waiting',
  })
  const message = await nextRequestKey(places, at(200))
  const other = { ...domain, chainId: 1n }
  for (const wrong of [
    sign(message, thief),
    sign({ ...message, until: message.until + 1n }),
    sign(before),
    signDigest(receiverKeyDigest(other, message), account),
  ]) {
    await t.throwsAsync(acceptSignature(places, wrong, owner), { code: 'request_key_not_ours' })
  }
  t.is((await shown(200)).number, 100n)
  await acceptSignature(places, sign(message), owner)
  t.is((await shown(200)).number, 200n)
})

test('a key that waits and was passed by another one is not put in its place', async (t) => {
  const { places, at } = await given(t)
  const waiting = await nextRequestKey(places, at(100))
  await openRequestKey(places, at(150))
  await t.throwsAsync(acceptSignature(places, sign(waiting), owner), {
    code: 'request_key_not_waiting',
  })
  t.is((await nextRequestKey(places, at(150))).number, 151n)
})

test('of a credential and the state’s file the higher number counts', async (t) => {
  const { places, at } = await given(t)
  const credentials = await temporaryFolder(t)
  const own = await openRequestKey({ ...places, state: await temporaryFolder(t) }, at(7))
  const write = (number: number) => {
    const { privateKey } = createRequestKey()
    return writeFile(join(credentials, 'request-key'), `${toHex(privateKey)} ${number}`)
  }
  const message = await nextRequestKey(places, at(100))
  await acceptSignature(places, sign(message), owner)
  for (const [number, counts] of [
    [99, 100n],
    [101, 101n],
  ] as const) {
    await write(number)
    t.is((await openRequestKey({ ...places, credentials }, at(0))).number, counts)
  }
  t.is(own.number, 7n)
})

test('a file that another account has signed stops the start', async (t) => {
  const { places, at, shown } = await given(t)
  const message = await nextRequestKey(places, at(100))
  await acceptSignature(places, sign(message), owner)
  const file = join(places.state, 'request-key')
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace(sign(message), sign(message, thief)))
  await t.throwsAsync(shown(100), { code: 'request_key_not_ours' })
  await writeFile(file, text.replace(' ', '  '))
  await t.throwsAsync(shown(100), { code: 'request_key_unreadable' })
})
