// ./scripts/chain as a person runs it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { JsonRpcProvider } from 'ethers'
import { connectChain } from '../../platform/chain/index.ts'
import { endWithParent } from '../lab/processes/end-with-parent.ts'

const script = fileURLToPath(new URL('../../scripts/lib/chain.ts', import.meta.url))

test('the chain has the id that is asked for, which clients of the original can pack', async (t) => {
  const args = ['--json', '--port', '0', '--chain-id', '65', '--block-interval', '50']
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  endWithParent(child)
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const [line] = await once(child.stdout, 'data')
  const { rpcUrl, chainId, contract } = JSON.parse(`${line}`)
  t.is(chainId, 65)
  const provider = new JsonRpcProvider(rpcUrl, undefined, { staticNetwork: false })
  t.teardown(() => provider.destroy())
  t.is((await provider.getNetwork()).chainId, 65n)
  const chain = await connectChain({ rpcUrl, contract, chainId: 65n })
  t.teardown(() => chain.close())
  t.is((await chain.contractFacts()).version, '0.4.0')
})
