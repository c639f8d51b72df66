// examples/ as somebody runs them who has installed the packages: each seller, each buyer, and their types.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { freePort } from '../lab/processes/free-port.ts'
import { installed, root, whole } from '../support/packages.ts'
import { startSystem } from '../support/system.ts'
import { needing, tools } from '../support/tools.ts'
import { until } from '../support/until.ts'

const run = promisify(execFile)
const examples = join(root, 'examples')

/** What the examples import besides, in the versions of this checkout. */
const besides = ['express', '@types/express', '@types/node'].map((name) =>
  join(root, 'node_modules', name),
)

async function givenExamples(t: ExecutionContext) {
  const system = await startSystem(t)
  const { chain, contract, token, receiverAccount, senderAccount } = system
  const transfer = token.getFunction('transfer(address,uint256)')
  await (await transfer(senderAccount.address, 10n ** 18n)).wait()
  const folder = await installed(t, whole, besides)
  await cp(examples, folder, { recursive: true })
  const environment = { ...process.env, RPC: chain.rpcUrl, CONTRACT: contract }
  await writeFile(join(folder, 'receiver-key'), receiverAccount.privateKey, { mode: 0o600 })
  await writeFile(join(folder, 'agent-key'), senderAccount.privateKey, { mode: 0o600 })
  return { folder, environment }
}

type Given = Awaited<ReturnType<typeof givenExamples>>

/** Sells until it is stopped. */
async function sell({ folder, environment }: Given, example: string) {
  const PORT = `${await freePort()}`
  const seller = spawn(process.execPath, [example], {
    cwd: folder,
    env: { ...environment, PORT },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await Promise.race([
    once(createInterface(seller.stdout), 'line'),
    once(seller, 'exit').then(([code]) => {
      throw new Error(`${example} ended with ${code}`)
    }),
  ])
  return {
    url: `http://127.0.0.1:${PORT}/reading`,
    stop: async () => {
      seller.kill()
      await once(seller, 'exit')
    },
  }
}

test.serial('every seller sells and every buyer buys, from the packed packages', async (t) => {
  const given = await givenExamples(t)
  const { folder, environment } = given
  const all = await readdir(examples)
  const buyers = all.filter((name) => /^buy\.(ts|cjs)$/.test(name))
  const sellers = all.filter((name) => name.startsWith('sell-'))
  t.deepEqual([buyers.length, sellers.length], [2, 3])
  for (const seller of sellers) {
    const { url, stop } = await sell(given, seller)
    for (const buyer of buyers) {
      const env = { ...environment, URL: url }
      const { stdout } = await run(process.execPath, [buyer], { cwd: folder, env })
      t.is(stdout, '{ celsius: 21.5 } 5000000000000000n\n', `${buyer} from ${seller}`)
    }
    await stop()
  }
})

/** With the proxy of examples/agent.yaml, at a port of its own. It is stopped when the test ends. */
async function runAgent(t: ExecutionContext, { folder, environment }: Given, shop: string) {
  const file = join(folder, 'agent.yaml')
  const written = await readFile(file, 'utf8')
  const { RPC, CONTRACT } = environment
  const port = await freePort()
  const here: readonly (readonly [string, string])[] = [
    ['http://127.0.0.1:8545', RPC],
    ['0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512', CONTRACT],
    ['http://127.0.0.1:5000', new URL(shop).origin],
    ['127.0.0.1:8402', `127.0.0.1:${port}`],
  ]
  await writeFile(
    file,
    here.reduce((text, [from, to]) => text.replace(from, to), written),
    { mode: 0o600 },
  )
  const program = join(folder, 'node_modules/.bin/uraiden-agent')
  const agent = spawn(process.execPath, [program, '--config', 'agent.yaml', 'run'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  agent.stderr.on('data', (chunk) => {
    log += chunk
  })
  const ended = once(agent, 'exit')
  t.teardown(() => {
    agent.kill()
    return ended
  })
  const url = `http://127.0.0.1:${port}`
  await until(
    () =>
      fetch(url).then(
        () => true,
        () => false,
      ),
    () => log,
  )
  return url
}

needing(test.serial, tools.python3)(
  'a Python program buys through the proxy of the packed agent',
  async (t) => {
    const given = await givenExamples(t)
    const { url, stop } = await sell(given, 'sell-http.ts')
    const env = { ...process.env, PROXY: await runAgent(t, given, url) }
    const { stdout } = await run('python3', ['buy.py'], { cwd: given.folder, env })
    t.is(stdout, "{'celsius': 21.5} 5000000000000000\n")
    await stop()
  },
)

test.serial('the examples are typed as the packages are', async (t) => {
  const folder = await installed(t, whole, besides)
  await cp(examples, folder, { recursive: true })
  const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))
  const strict = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--skipLibCheck',
    '--types',
    'node',
  ]
  const files = (await readdir(examples)).filter((name) => name.endsWith('.ts'))
  await t.notThrowsAsync(
    run(process.execPath, [tsc, ...strict, '--target', 'es2022', ...files], { cwd: folder }),
  )
})
