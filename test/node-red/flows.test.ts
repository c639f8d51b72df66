// Our nodes in a real Node-RED: one flow sells a path, another buys it, each through its own configuration file.
import { spawn } from 'node:child_process'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { deployTestContracts, startEmbeddedChain } from '../lab/chains/embedded-chain.ts'
import { freePort } from '../lab/processes/free-port.ts'
import { cleanEnvironment } from '../support/environment.ts'
import { temporaryFolder } from '../support/folder.ts'
import { startTestProxy } from '../support/proxy.ts'
import { reading, startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const program = at('test/lab/node-red/node_modules/node-red/red.js')

/** A chain, and a folder with the configuration of a seller and of a buyer. */
async function givenShop(t: ExecutionContext) {
  const folder = await temporaryFolder(t)
  const chain = await startEmbeddedChain()
  t.teardown(chain.close)
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const [, seller, buyer] = chain.accounts
  await (await token.getFunction('transfer(address,uint256)')(buyer?.address, 10_000n)).wait()
  await writeFile(join(folder, 'seller'), seller?.privateKey ?? '', { mode: 0o600 })
  await writeFile(join(folder, 'buyer'), buyer?.privateKey ?? '', { mode: 0o600 })
  const common = `rpc: ${chain.rpcUrl}\ncontract: '${contract}'\n`
  await writeFile(
    join(folder, 'receiver.yaml'),
    `${common}key: seller\nstate: sold\nconfirmations: 1\n`,
  )
  const agentYaml = (port: number, more: string) =>
    writeFile(
      join(folder, 'agent.yaml'),
      `${common}key: buyer\nstate: bought\nbudget: { request: 10 units, total: 12 units }
receivers:\n  shop: { url: 'http://127.0.0.1:${port}' }\n${more}`,
    )
  return { folder, agentYaml, chain }
}

/** Nodes as npm puts them, beside a uraiden-pi that is this checkout. */
async function installNodes(folder: string): Promise<void> {
  const modules = join(folder, 'node_modules')
  await cp(at('deploy/node-red'), join(modules, 'node-red-contrib-uraiden'), { recursive: true })
  await mkdir(join(modules, 'uraiden-pi'))
  const index = new URL('../../index.ts', import.meta.url)
  await writeFile(join(modules, 'uraiden-pi/index.js'), `export * from '${index}'\n`)
  const manifest = { name: 'uraiden-pi', version: '0.1.0', type: 'module', main: 'index.js' }
  await writeFile(join(modules, 'uraiden-pi/package.json'), JSON.stringify(manifest))
  const own = { dependencies: { 'node-red-contrib-uraiden': '*', 'uraiden-pi': '*' } }
  await writeFile(join(folder, 'package.json'), JSON.stringify(own))
}

interface Start {
  readonly port: number
  readonly flows: unknown
  readonly editor?: string
}

/** Until the test ends; resolves when it has started its flows. */
async function startNodeRed(t: ExecutionContext, folder: string, start: Start) {
  const { port, flows, editor = '/admin' } = start
  await writeFile(join(folder, 'flows.json'), JSON.stringify(flows))
  const settings = {
    uiHost: '127.0.0.1',
    uiPort: port,
    httpAdminRoot: editor,
    flowFile: 'flows.json',
    telemetry: { enabled: false },
  }
  await writeFile(join(folder, 'settings.js'), `module.exports = ${JSON.stringify(settings)}\n`)
  const child = spawn(process.execPath, [program, '--userDir', folder], {
    cwd: folder,
    env: cleanEnvironment(folder),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said += text
    })
  }
  const ended = new Promise((resolve) => child.once('close', resolve))
  t.teardown(async () => {
    child.kill()
    await ended
  })
  await until(
    () => /Started flows/.test(said) || child.exitCode !== null,
    () => said,
  )
  return { said: () => said }
}

const selling = [
  { id: 'receiver', type: 'uraiden-receiver', configuration: 'receiver.yaml' },
  {
    ...{ id: 'in', z: 'sell', type: 'uraiden-endpoint-in', receiver: 'receiver', method: 'GET' },
    ...{ path: '/reading', price: '5 units', wires: [['reading']] },
  },
  {
    ...{ id: 'reading', z: 'sell', type: 'change', wires: [['out']] },
    rules: [{ t: 'set', p: 'payload', pt: 'msg', to: '{"celsius":21.5}', tot: 'json' }],
  },
  { id: 'out', z: 'sell', type: 'uraiden-endpoint-out', wires: [] },
  // Answered by Node-RED's own node, with a failure.
  {
    ...{ id: 'in2', z: 'sell', type: 'uraiden-endpoint-in', receiver: 'receiver', method: 'GET' },
    ...{ path: '/broken', price: '5 units', wires: [['out2']] },
  },
  { id: 'out2', z: 'sell', type: 'http response', statusCode: '500', wires: [] },
  { id: 'sell', type: 'tab', label: 'a flow that sells' },
]

function buying(shop: string, agent: Readonly<Record<string, string>>) {
  const request = { type: 'uraiden-request', z: 'buy', agent: 'agent', method: 'GET' }
  return [
    { id: 'buy', type: 'tab', label: 'a flow that buys' },
    { id: 'agent', type: 'uraiden-agent', ...agent },
    { id: 'ask', z: 'buy', type: 'http in', url: '/ask', method: 'get', wires: [['url']] },
    {
      ...{ id: 'url', z: 'buy', type: 'change', wires: [['request']] },
      rules: [
        { t: 'set', p: 'url', pt: 'msg', to: `"${shop}" & req.query.path`, tot: 'jsonata' },
        { t: 'delete', p: 'headers', pt: 'msg' },
      ],
    },
    { ...request, id: 'request', url: '', returns: 'object', wires: [['told']] },
    {
      ...{ id: 'told', z: 'buy', type: 'change', wires: [['told2']] },
      rules: [
        {
          ...{ t: 'set', p: 'payload', pt: 'msg', tot: 'jsonata' },
          to: '{"answer": payload, "cost": payment.cost}',
        },
        { t: 'delete', p: 'headers', pt: 'msg' },
      ],
    },
    { id: 'told2', z: 'buy', type: 'http response', wires: [] },
    { id: 'caught', z: 'buy', type: 'catch', scope: ['request'], wires: [['why']] },
    {
      ...{ id: 'why', z: 'buy', type: 'change', wires: [['whyOut']] },
      rules: [
        { t: 'set', p: 'payload', pt: 'msg', to: 'error', tot: 'msg' },
        { t: 'delete', p: 'headers', pt: 'msg' },
      ],
    },
    { id: 'whyOut', z: 'buy', type: 'http response', statusCode: '402', wires: [] },
  ]
}

/** What the flow that buys makes of a path. */
const asking = (base: string) => async (path: string) => {
  const answer = await fetch(`${base}/ask?path=${path}`)
  const said = (await answer.json()) as { readonly code?: string }
  return { status: answer.status, said }
}

test('a flow buys from a flow that sells, within its budget; what fails costs nothing', async (t) => {
  const { folder, agentYaml } = await givenShop(t)
  await installNodes(folder)
  const port = await freePort()
  await agentYaml(port, '')
  const base = `http://127.0.0.1:${port}`
  const red = await startNodeRed(t, folder, {
    port,
    flows: [...selling, ...buying(base, { via: 'configuration', configuration: 'agent.yaml' })],
  })
  // Who does not pay gets the terms.
  const unpaid = await until(
    async () => {
      const answer = await fetch(`${base}/reading`)
      return answer.status === 402 ? answer : undefined
    },
    () => red.said(),
  )
  t.is(unpaid.headers.get('rdn-price'), '5')

  const ask = asking(base)
  const bought = { status: 200, said: { answer: { celsius: 21.5 }, cost: '5' } }
  t.deepEqual(await ask('/reading'), bought, red.said())
  // A failure of the seller's is answered as it is, and what was signed for it pays the next one.
  t.deepEqual(await ask('/broken'), { status: 500, said: { answer: {}, cost: '0' } })
  t.deepEqual(await ask('/reading'), bought)
  // Of 12 units 10 are gone.
  const refused = await ask('/reading')
  t.is(refused.status, 402)
  t.is(refused.said.code, 'budget_total_spent')
})

test('a flow buys through the proxy of an agent that runs', async (t) => {
  const system = await startSystem(t, [reading()])
  const agent = await system.agent({ budget: { request: 10n, total: 8n } })
  const { proxy } = await startTestProxy(t, agent, system.base)
  const folder = await temporaryFolder(t)
  await installNodes(folder)
  const port = await freePort()
  const through = { via: 'proxy', proxy: `127.0.0.1:${proxy.port}` }
  const red = await startNodeRed(t, folder, { port, flows: buying('http://room', through) })
  const ask = asking(`http://127.0.0.1:${port}`)
  const answer = await ask('/reading')
  t.deepEqual(answer, { status: 200, said: { answer: { celsius: 21.4 }, cost: '5' } }, red.said())
  const refused = await ask('/reading')
  t.is(refused.status, 402)
  t.is(refused.said.code, 'budget_total_spent', JSON.stringify(refused.said))
})

test('an editor in the origin of what is sold is refused', async (t) => {
  const { folder } = await givenShop(t)
  await installNodes(folder)
  const port = await freePort()
  const red = await startNodeRed(t, folder, { port, flows: selling, editor: '/' })
  await until(
    () => /Set httpAdminRoot/.test(red.said()),
    () => red.said(),
  )
  t.is((await fetch(`http://127.0.0.1:${port}/reading`)).status, 404)
})
