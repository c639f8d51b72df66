// Receipts of answers that came later.
import test from 'ava'
import { answerId } from '../../../protocol/bound/index.ts'
import type { ChannelKeys } from '../../../receiver/channels/request-keys.ts'
import { createDoor } from '../../../receiver/paywall/door.ts'

const id = new Uint8Array(32).fill(7)
const receipt = { status: 200, length: 1, digest: id, complete: false, cost: 5n }

function given() {
  // Whose they are is known: nobody looks into them.
  const keys = {} as ChannelKeys
  const { receipts } = createDoor({ find: () => keys })
  const exchange = { request: { mac: id }, keys }
  return { receipts, exchange, get: () => receipts.get(keys, answerId(id)) }
}

test('who asks while a payment is given back waits for what it costs in the end', async (t) => {
  const { receipts, exchange, get } = given()
  let resolve: (cost: bigint) => void = () => undefined
  receipts.charging(
    exchange,
    new Promise((settle) => {
      resolve = settle
    }),
  )
  receipts.put(exchange, receipt)
  const got = get()
  resolve(0n)
  t.is((await got)?.cost, 0n)
})

test('a payment that could not be given back costs what it did', async (t) => {
  const { receipts, exchange, get } = given()
  receipts.put(exchange, receipt)
  receipts.charging(exchange, Promise.reject(new Error('the disk is full')))
  t.is((await get())?.cost, 5n)
  receipts.charging(exchange, Promise.resolve(2n))
  receipts.charging(exchange, Promise.reject(new Error('the disk is full')))
  t.is((await get())?.cost, 2n)
})
