// Chains that take a fee for the data of a transaction beside that for its gas.
import test, { type ExecutionContext } from 'ava'
import { connectChain, dataFeeOf } from '../../../platform/chain/index.ts'
import { parseAddress } from '../../../protocol/index.ts'
import { startEmbeddedChain } from '../../lab/chains/embedded-chain.ts'
import { setDataFee } from '../../support/op-stack.ts'
import { patience } from '../../support/until.ts'

async function given(t: ExecutionContext) {
  const embedded = await startEmbeddedChain()
  const asked: string[] = []
  const client = await connectChain({
    rpcUrl: embedded.rpcUrl,
    contract: parseAddress('0x00000000000000000000000000000000000000A1'),
    timeout: patience,
  })
  t.teardown(async () => {
    client.close()
    await embedded.close()
  })
  const request: typeof client.request = (method, params) => {
    asked.push(method)
    return client.request(method, params)
  }
  return { embedded, asked, fee: dataFeeOf({ request }) }
}

test('a chain without such a fee is asked once', async (t) => {
  const { fee, asked } = await given(t)
  t.deepEqual([await fee(100), await fee(4500)], [0n, 0n])
  t.deepEqual(asked, ['eth_getCode'])
})

for (const age of ['since Fjord', 'before Fjord'] as const) {
  test(`${age} the oracle says what the data costs, each time anew`, async (t) => {
    const { embedded, fee } = await given(t)
    for (const wei of [0n, 1n, 123_456_789_000n]) {
      await setDataFee(embedded, wei, { age })
      t.is(await fee(450), wei)
    }
  })
}
