// Tokens that cannot be what the configuration says, found before anybody signs for them.
import test from 'ava'
import { connectChain } from '../../../platform/chain/index.ts'
import { parseAddress } from '../../../protocol/index.ts'
import { readAsset } from '../../../receiver/x402/token.ts'
import { deployTestContracts, startEmbeddedChain } from '../../lab/chains/embedded-chain.ts'
import { deployDollar } from '../../support/dollar.ts'
import { startX402System } from '../../support/x402.ts'

test('a token says its own name and version; another domain, and a token without authorizations, are refused', async (t) => {
  const chain = await startEmbeddedChain()
  t.teardown(chain.close)
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const { address } = await deployDollar(chain)
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(client.close)
  t.like(await readAsset(client, address), {
    ...{ symbol: 'USD', decimals: 6, domain: { name: 'Test Dollar', version: '2' } },
  })
  const code = 'x402_asset_unusable'
  await t.throwsAsync(readAsset(client, address, { version: '1' }), { code })
  const plain = parseAddress(await token.getAddress())
  await t.throwsAsync(readAsset(client, plain), { code, message: /EIP-3009/ })
})

test('an asset of another kind than the prices needs a rate', async (t) => {
  await t.throwsAsync(startX402System(t, { x402: { tokenPrice: undefined } }), {
    code: 'x402_asset_unusable',
    message: /prices are in TKN, and the asset is USD/,
  })
})
