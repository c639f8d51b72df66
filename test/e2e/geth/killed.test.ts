// The geth of the fault lab: what it has said it knows after kill -9.
import test from 'ava'
import { deployTestContracts } from '../../lab/chains/embedded-chain.ts'
import { startLabGeth } from '../../lab/faults/lab-chain.ts'
import { findGeth } from '../../lab/geth/binary.ts'
import { needing, tools } from '../../support/tools.ts'

needing(test, tools.geth)(
  'a killed geth of the lab has its blocks and contracts, and goes on',
  async (t) => {
    const chain = await startLabGeth(findGeth() ?? '')
    t.teardown(chain.close)
    const { channelsAddress } = await deployTestContracts(chain.wallet(0))
    await chain.mine(3)
    const head = async () => Number(await chain.provider.send('eth_blockNumber', []))
    const before = await head()
    await chain.kill?.()
    t.is(await head(), before)
    const code = await chain.provider.send('eth_getCode', [channelsAddress, 'latest'])
    t.true(code.length > 1000)
    await chain.mine(2)
    t.true((await head()) >= before + 2)
  },
)
