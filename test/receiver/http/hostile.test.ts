// Clients that mean harm: refused with the right answer, in bounded memory, and never with a 500.
import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import {
  addressFromBytes,
  balanceProofDigest,
  fromHex,
  signDigest,
} from '../../../protocol/index.ts'
import { givenChannel } from '../../support/channel.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** What the server says to raw bytes, until it closes. */
function rawRequest(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let answer = ''
    socket.on('data', (data) => {
      answer += data.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(answer))
  })
}

test('a signature for another chain is an invalid proof here', async (t) => {
  const { pay, domain, channel, senderAccount } = await givenChannel(t)
  const elsewhere = { ...domain, chainId: 1n }
  const digest = balanceProofDigest('eip712', elsewhere, channel.receiver)(channel.openBlock, 5n)
  const signature = signDigest(digest, fromHex(senderAccount.privateKey))
  const answer = await pay(5n, { 'RDN-Balance-Signature': signature })
  t.is(answer.status, 402)
  t.is(answer.headers.get('rdn-invalid-balance-proof'), '1')
})

test('headers and cookies of every wrong kind are refused, none with a 500', async (t) => {
  const { pay, base } = await givenChannel(t)
  const texts = [
    '',
    ' ',
    '-1',
    '1e3',
    '0x5',
    '5.0',
    '٥',
    '9'.repeat(58),
    '9'.repeat(5000),
    `${2n ** 192n}`,
    'null',
    '__proto__',
    '%00',
    `0x${'00'.repeat(20)}`,
    `0x${'zz'.repeat(65)}`,
  ]
  const names = [
    'RDN-Sender-Address',
    'RDN-Open-Block',
    'RDN-Balance',
    'RDN-Sender-Balance',
    'RDN-Balance-Signature',
    'RDN-Contract-Address',
    'RDN-Receiver-Address',
    'RDN-Payment',
  ]
  for (const name of names) {
    for (const text of texts) {
      const value = Buffer.from(text).toString('latin1')
      for (const more of [{ [name]: value }, { cookie: `${name}=${value}` }]) {
        const answer = await pay(5n, { 'RDN-Contract-Address': '0x1', ...more })
        t.true(answer.status === 402 || answer.status === 409, `${name}: ${text}`)
        await answer.arrayBuffer()
      }
    }
  }
  t.is((await pay(5n, { 'Idempotency-Key': 'k'.repeat(256) })).status, 409)
  t.is((await fetch(`${base}/reading`, { headers: { accept: ','.repeat(9000) } })).status, 402)
  t.is((await pay(5n, { 'Idempotency-Key': 'k'.repeat(255) })).status, 200)
})

test('a megabyte of headers is cut off', async (t) => {
  const { base, pay } = await givenChannel(t)
  const port = Number(new URL(base).port)
  const line = `RDN-Balance: ${'9'.repeat(1 << 20)}\r\n`
  const answer = await rawRequest(port, `GET /reading HTTP/1.1\r\nHost: a\r\n${line}\r\n`)
  t.regex(answer, /^HTTP\/1\.1 431 /)
  t.is((await pay(5n)).status, 200)
})

// Alone: what other tests hold in memory would count too.
test.serial(
  'ten thousand payments over channels that do not exist leave nothing behind',
  async (t) => {
    const { base, pay, receiver, sign } = await givenChannel(t)
    const stranger = (index: number) => {
      const bytes = new Uint8Array(20)
      new DataView(bytes.buffer).setUint32(0, index)
      return addressFromBytes(bytes)
    }
    const signature = sign(5n)
    const attack = async (from: number, to: number) => {
      for (let index = from; index < to; index++) {
        const headers = {
          'RDN-Sender-Address': stranger(index),
          'RDN-Open-Block': `${index}`,
          'RDN-Balance': '5',
          'RDN-Balance-Signature': signature,
          'Idempotency-Key': `key-${index}`,
        }
        const answer = await fetch(`${base}/reading`, { headers })
        await answer.arrayBuffer()
        if (answer.headers.get('rdn-nonexisting-channel') !== '1') t.fail(`${answer.status}`)
      }
    }
    await attack(0, 1000)
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    await Promise.all(
      [0, 1, 2, 3].map((part) => attack(1000 + part * 2250, 1000 + (part + 1) * 2250)),
    )
    collectGarbage()
    const grown = process.memoryUsage().heapUsed - before
    t.true(grown < 30e6, `${grown} bytes more`)
    t.is([...receiver.book.all()].length, 1)
    t.is((await pay(5n)).status, 200)
  },
)

test('a client that sends its headers drop by drop is cut off, and others are served meanwhile', async (t) => {
  const { base, pay } = await givenChannel(t, { server: { headersTimeout: 500 } })
  const port = Number(new URL(base).port)
  const slow = rawRequest(port, 'GET /reading HTTP/1.1\r\nHost: a\r\nX-Slow: ')
  t.is((await pay(5n)).status, 200)
  t.regex(await slow, /^HTTP\/1\.1 408 /)
})
