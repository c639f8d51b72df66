// deploy/pi/provision as a process, an inventory for it, and packages of several versions.
import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import { stringify } from 'yaml'
import type { CliResult } from './cli.ts'
import { type Container, createLogin, type Login, startContainer } from './container.ts'
import { reading, startSystem } from './system.ts'

const program = fileURLToPath(new URL('../../deploy/pi/fleet/provision.ts', import.meta.url))
const built = fileURLToPath(new URL('../../.cache/provision/packages', import.meta.url))
const run = promisify(execFile)

export function runProvision(folder: string, ...args: readonly string[]): Promise<CliResult> {
  return runProvisionWith(folder, {}, ...args)
}

export function runProvisionWith(
  folder: string,
  environment: NodeJS.ProcessEnv,
  ...args: readonly string[]
): Promise<CliResult> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** A chain, a receiver, containers, and an inventory that names them. */
export async function givenFleet(t: ExecutionContext, names: readonly string[]) {
  const system = await startSystem(t, [reading()])
  const login = await createLogin(t)
  const { folder } = login
  const containers: Record<string, Container> = {}
  for (const name of names) containers[name] = await startContainer(t, name, login)
  await mkdir(join(folder, 'packages'))
  await repackage(folder, '1.0.0')
  await writeFile(join(folder, 'agent.yaml'), template)
  const payer = system.chain.accounts[0]?.privateKey ?? ''
  await writeFile(join(folder, 'payer'), payer, { mode: 0o600 })
  const inventory = inventoryOf(system, login, containers)
  const write = (changed: object) =>
    writeFile(join(folder, 'fleet.yaml'), stringify({ ...inventory, ...changed }))
  await write({})
  const json = async (...args: readonly string[]) => {
    const result = await runProvision(folder, ...args, '--json')
    try {
      return { ...result, said: JSON.parse(result.stdout) }
    } catch {
      throw new Error(`no JSON: ${result.stdout} ${result.stderr}`)
    }
  }
  const container = (name: string): Container => {
    const found = containers[name]
    if (found === undefined) throw new Error(`no container ${name}`)
    return found
  }
  return { system, login, folder, inventory, write, json, container }
}

const template = `# What all of them buy.
rpc: \${rpc}
contract: \${contract}
receivers:
  shop: { url: '\${shop}', address: '\${shopAddress}' }
`

function inventoryOf(
  { chain, contract, base, receiverAccount }: Awaited<ReturnType<typeof startSystem>>,
  { identity, knownHosts }: Login,
  containers: Readonly<Record<string, Container>>,
) {
  return {
    chain: { rpc: chain.rpcUrl, contract },
    template: 'agent.yaml',
    packages: 'packages',
    ssh: { user: 'pi', identity, knownHosts },
    values: { shop: base, shopAddress: receiverAccount.address },
    budget: { request: '10 units', total: '1000 units' },
    funding: {
      key: 'payer',
      tokens: '500 units',
      ether: '0.1 ETH',
      most: { each: '800 units', all: '2000 units', etherEach: '0.3 ETH', etherAll: '1 ETH' },
    },
    hosts: Object.fromEntries(
      Object.entries(containers).map(([name, { port }]) => [
        name,
        { address: '127.0.0.1', ssh: { port } },
      ]),
    ),
  }
}

async function builtPackage(): Promise<string> {
  const [name, ...others] = (await readdir(built)).filter((each) =>
    /^uraiden-agent_.*_amd64\.deb$/.test(each),
  )
  if (name === undefined || others.length > 0) throw new Error(`not one package in ${built}`)
  return join(built, name)
}

/** The package as another version of itself; `spoil` changes a file of it. */
export async function repackage(
  folder: string,
  version: string,
  spoil: { readonly launcher?: string } = {},
): Promise<void> {
  const tree = await mkdtemp(join(tmpdir(), 'uraiden-package-'))
  try {
    await run('dpkg-deb', ['--raw-extract', await builtPackage(), tree])
    const control = join(tree, 'DEBIAN/control')
    const text = await readFile(control, 'utf8')
    await writeFile(control, text.replace(/^Version: .*$/m, `Version: ${version}`))
    if (spoil.launcher !== undefined) {
      await writeFile(join(tree, 'usr/bin/uraiden-agent'), spoil.launcher)
    }
    const file = join(folder, 'packages', `uraiden-agent_${version}_amd64.deb`)
    await run('dpkg-deb', ['-Znone', '--root-owner-group', '--build', tree, file])
  } finally {
    await rm(tree, { recursive: true })
  }
}
