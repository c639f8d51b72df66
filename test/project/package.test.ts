// The package as others install it: JavaScript, both programs, and an agent that runs on the oldest Node that a
// Raspberry Pi OS brings.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { writeAgentFiles } from '../support/cli.ts'
import { givenReceiverFolder, startProgram } from '../support/receiver-program.ts'
import { startSystem } from '../support/system.ts'
import { needing, oldestNode, tools } from '../support/tools.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const onOldestNode = needing(test, tools.oldestNode)

/** Buys one reading and closes, with nothing but the built package. */
const program = `
import { createAgent, createKeySigner } from 'uraiden-pi/agent'
import { fromHex } from 'uraiden-pi/protocol'
const { url, key, ...options } = JSON.parse(process.argv[2])
const agent = await createAgent({
  ...options,
  chainId: 31337n,
  signer: createKeySigner(fromHex(key)),
  retryInterval: 20,
})
const response = await agent.get(url)
const [{ receiver, openBlock, balance }] = agent.channels()
await agent.closeChannel(receiver + '/' + openBlock, url)
await agent.stop()
console.log(JSON.stringify({
  node: process.version,
  body: response.json(),
  balance: balance.toString(),
}))
`

onOldestNode('an agent of the built package buys and closes on Node 20', async (t) => {
  const folder = await packageFolder()
  await writeFile(join(folder, 'buy.mjs'), program)
  const { base, chain, contract, senderAccount } = await startSystem(t)
  const options = {
    url: `${base}/reading`,
    key: senderAccount.privateKey,
    rpcUrl: chain.rpcUrl,
    contract,
    store: join(folder, 'store'),
  }
  const { stdout } = await run(oldestNode, [join(folder, 'buy.mjs'), JSON.stringify(options)])
  t.deepEqual(JSON.parse(stdout), {
    node: 'v20.11.0',
    body: { celsius: 21.4 },
    balance: '5',
  })
})

onOldestNode(
  'the package offers both programs: a receiver that sells, and an agent on Node 20 that buys',
  async (t) => {
    const installed = join(await packageFolder(), 'node_modules/uraiden-pi')
    const { bin, files } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
    t.deepEqual(Object.keys(bin), ['uraiden-agent', 'uraiden-receiver'])
    for (const path of Object.values<string>(bin)) {
      t.true(files.some((folder: string) => path.startsWith(`${folder}/`)))
      t.regex(await readFile(join(installed, path), 'utf8'), /^#!\/usr\/bin\/env node\n/)
    }
    const given = await givenReceiverFolder(t)
    const { folder, contract, chain, senderAccount } = given
    await writeFile(join(folder, 'hello.txt'), 'hello')
    await writeFile(
      join(folder, 'receiver.yaml'),
      `contract: ${contract}\nkey: key\nstate: state\nresources:\n  /hello: { price: 5 units, files: hello.txt }\n`,
    )
    const command = [process.execPath, join(installed, bin['uraiden-receiver'])]
    const { url } = await startProgram(t, { ...given, command }, ['--config', 'receiver.yaml'])
    await mkdir(join(folder, 'agent'))
    await writeAgentFiles(
      join(folder, 'agent'),
      senderAccount.privateKey,
      `rpc: ${chain.rpcUrl}\ncontract: ${contract}\nkey: key\nstate: state\nbudget: { total: 100 units }\n`,
    )
    const { stdout } = await run(
      oldestNode,
      [join(installed, bin['uraiden-agent']), '--config', 'agent.yaml', 'get', `${url}/hello`],
      { cwd: join(folder, 'agent') },
    )
    t.is(stdout, 'hello')
  },
)

let built: Promise<string> | undefined

/** A project that has installed the package; its dependencies are found in the checkout above it. */
function packageFolder(): Promise<string> {
  built ??= buildPackage()
  return built
}

test.after.always(async () => {
  if (built !== undefined) await rm(await built, { recursive: true })
})

async function buildPackage(): Promise<string> {
  await mkdir(join(root, '.cache'), { recursive: true })
  const folder = await mkdtemp(join(root, '.cache/package-'))
  const installed = join(folder, 'node_modules/uraiden-pi')
  await run(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    // The types are checked before the tests; what is written is the same.
    ...['--noCheck', '-p', join(root, 'tsconfig.build.json')],
    ...['--outDir', join(installed, 'dist')],
  ])
  await cp(join(root, 'package.json'), join(installed, 'package.json'))
  // A package of its own: inside ours the name would mean the checkout.
  await writeFile(join(folder, 'package.json'), '{ "name": "buyer", "type": "module" }')
  return folder
}
