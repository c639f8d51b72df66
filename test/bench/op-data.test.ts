// The estimate of an OP chain: the vectors of its own clients.
import test from 'ava'
import { fastLzLength, opDataBytes } from '../../bench/lib/op-data.ts'
import { fromHex } from '../../protocol/index.ts'

/** A transaction of Base. */
const call =
  '0x02f901550a758302df1483be21b88304743f94f80e51afb613d764fa61751affd3313c190a86bb870151bd62fd12adb8e41ef24f3f000000000000000000000000000000000000000000000000000000000000006e000000000000000000000000af88d065e77c8cc2239327c5edb3a432268e5831000000000000000000000000000000000000000000000000000000000003c1e5000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000a000000000000000000000000000000000000000000000000000000000000000148c89ed219d02f1a5be012c689b4f5b731827bebe000000000000000000000000c001a033fd89cb37c31b2cba46b6466e040c61fc9b2a3675a7f5f493ebd5ad77c497f8a07cdf65680e238392693019b4092f610222e71b7cec06449cb922b93b6a12744e'

for (const [title, bytes, length, charged] of [
  ['nothing', new Uint8Array(), 0, 100],
  ['three bytes', fromHex('0xfacade'), 4, 100],
  ['a thousand zeros', new Uint8Array(1000), 21, 100],
  ['a thousand ones', new Uint8Array(1000).fill(1), 21, 100],
  [
    'a transfer of nothing',
    fromHex('0xdd80808094095e7baea6a6c7c4c2dfeb977efac326af552d878080808080'),
    31,
    100,
  ],
  ['a call', fromHex(call), 202, 126],
] as const) {
  test(`${title} of ${bytes.length} bytes is compressed to ${length}, and charged as ${charged}`, (t) => {
    t.is(fastLzLength(bytes), length)
    t.is(opDataBytes(bytes), charged)
  })
}
