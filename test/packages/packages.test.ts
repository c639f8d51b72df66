// The packages as npm installs them from their tarballs, in an empty folder: a seller and a buyer of a few lines
// each, on every Node that is promised. `npm run packages` has made them.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { installed, ofABuyer, root, whole } from '../support/packages.ts'
import { startSystem } from '../support/system.ts'

const run = promisify(execFile)

/** The first says `require` of such a package is an error. */
const nodes = ['20.11.0', '20.20.2', '22.23.2', '24.21.0', '26.12.1'] as const
const withoutRequire: ReadonlySet<string> = new Set(['20.11.0'])

const buyer = `
import { createAgent, createKeySigner } from '@uraiden/agent'
import { fromHex } from '@uraiden/protocol'
const { url, key, ...options } = JSON.parse(process.argv[2])
const agent = await createAgent({
  ...options, chainId: 31337n, signer: createKeySigner(fromHex(key)), budget: { total: 1000n },
})
const answer = await agent.get(url)
await agent.stop()
console.log(answer.text())
`

const seller = `
import { createServer } from 'node:http'
import { createKeySigner, receiverApi, startReceiver } from 'uraiden-pi'
import { httpPaywall } from 'uraiden-pi/receiver/http'
import { fromHex } from 'uraiden-pi/protocol'
const { key, ...options } = JSON.parse(process.argv[2])
const receiver = await startReceiver({ ...options, confirmations: 1, signer: createKeySigner(fromHex(key)) })
const paid = httpPaywall(receiver, { price: 5n }, (request, response) => response.end('{"celsius":21.5}'))
const api = await receiverApi(receiver)
const server = createServer((request, response) => api(request, response, () => paid(request, response)))
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`

const everyEntry: { readonly [name: string]: readonly string[] } = {
  'uraiden-protocol': [
    '@uraiden/protocol',
    '@uraiden/protocol/bound',
    '@uraiden/protocol/contracts',
  ],
  'uraiden-agent': ['@uraiden/agent'],
  'uraiden-browser': ['@uraiden/browser'],
  'uraiden-receiver': ['@uraiden/receiver', '@uraiden/receiver/http', '@uraiden/receiver/fastify'],
  'uraiden-pi': ['uraiden-pi', 'uraiden-pi/agent', 'uraiden-pi/receiver', 'uraiden-pi/protocol'],
}

test.serial('a buyer is small, installs no server, and buys on every Node', async (t) => {
  const folder = await installed(t, ofABuyer)
  const lock = JSON.parse(await readFile(join(folder, 'node_modules/.package-lock.json'), 'utf8'))
  const names = Object.keys(lock.packages)
  const { stdout } = await run('du', ['-sk', join(folder, 'node_modules')])
  const megabytes = Number.parseInt(stdout, 10) / 1024
  t.log(`${names.length} packages, ${megabytes.toFixed(1)} MB`)
  t.true(names.length <= 60)
  t.true(megabytes <= 35)
  t.false(names.some((name) => /fastify|mqtt|ethers$|prom-client/.test(name)))

  await writeFile(join(folder, 'buy.mjs'), buyer)
  const { base, chain, contract, senderAccount } = await startSystem(t)
  for (const version of nodes) {
    const options = {
      ...{ url: `${base}/reading`, key: senderAccount.privateKey, rpcUrl: chain.rpcUrl },
      ...{ contract, store: join(folder, 'store') },
    }
    const node = await nodeOf(version)
    const bought = await run(node, ['buy.mjs', JSON.stringify(options)], { cwd: folder })
    t.deepEqual(JSON.parse(bought.stdout), { celsius: 21.4 }, version)
    await loads(t, node, folder, ['@uraiden/agent', '@uraiden/protocol'], version)
  }
})

test.serial('the whole sells, and each name it has loads by import and by require', async (t) => {
  const folder = await installed(t, whole)
  const { agent, chain, contract, receiverAccount } = await startSystem(t)
  await writeFile(join(folder, 'sell.mjs'), seller)
  for (const version of nodes) {
    const node = await nodeOf(version)
    await loads(t, node, folder, Object.values(everyEntry).flat(), version)
    const options = { key: receiverAccount.privateKey, rpcUrl: chain.rpcUrl, contract }
    const state = join(folder, 'state')
    const selling = execFile(node, ['sell.mjs', JSON.stringify({ ...options, state })], {
      cwd: folder,
    })
    const said: string[] = []
    selling.stderr?.on('data', (text) => said.push(String(text)))
    const port = await new Promise<string>((resolve, reject) => {
      selling.stdout?.once('data', (line) => resolve(String(line).trim()))
      selling.once('exit', (code) =>
        reject(new Error(`${version}: exit ${code}\n${said.join('')}`)),
      )
    })
    const buying = await agent({ store: join(folder, 'buys') })
    const answer = await buying.get(`http://127.0.0.1:${port}/`)
    t.deepEqual(answer.json(), { celsius: 21.5 }, version)
    await buying.stop()
    const ended = once(selling, 'exit')
    selling.kill()
    await ended
  }
  const { stdout } = await run(join(folder, 'node_modules/.bin/uraiden-agent'), ['--version'])
  t.regex(stdout, /^\d+\.\d+\.\d+\n$/)
})

async function loads(
  t: ExecutionContext,
  node: string,
  folder: string,
  names: readonly string[],
  version: string,
): Promise<void> {
  const imports = names.map((name) => `await import('${name}')`).join(';')
  await run(node, ['--input-type=module', '-e', imports], { cwd: folder })
  if (withoutRequire.has(version)) return
  const requires = names.map((name) => `require('${name}')`).join(';')
  await t.notThrowsAsync(run(node, ['--input-type=commonjs', '-e', requires], { cwd: folder }))
}

/** Of the registry, kept in .cache. */
async function nodeOf(version: string): Promise<string> {
  const name = `node-linux-${process.arch}`
  const folder = join(root, '.cache/nodes', version)
  await mkdir(folder, { recursive: true })
  const node = join(folder, 'node_modules', name, 'bin/node')
  const there = await run(node, ['--version']).then(
    () => true,
    () => false,
  )
  if (!there) {
    const wanted = [`${name}@${version}`, '--no-audit', '--no-fund', '--no-save']
    await run('npm', ['install', '--prefix', folder, ...wanted])
  }
  return node
}
