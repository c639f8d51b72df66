// A seller and a buyer of ten lines each, in empty folders where somebody has installed the packages by their names.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import { freePort } from '../lab/processes/free-port.ts'
import { temporaryFolder } from './folder.ts'
import { startRegistry } from './package-registry.ts'
import { root, tarballs } from './packages.ts'
import { startSystem } from './system.ts'
import { packagePrograms } from './tools.ts'

const run = promisify(execFile)

export const seller = `
import { createServer } from 'node:http'
import { receiverApi, startReceiver } from '@uraiden/receiver'
import { httpPaywall } from '@uraiden/receiver/http'
const { RPC: rpcUrl, CONTRACT: contract, PORT: port } = process.env
const receiver = await startReceiver({ key: { file: 'key' }, rpcUrl, contract, state: 'state', confirmations: 1 })
const paid = httpPaywall(receiver, { price: '0.005 TKN' }, (_, response) => response.end('{"celsius":21.5}'))
const api = await receiverApi(receiver)
const server = createServer((request, response) => api(request, response, () => paid(request, response)))
server.listen(Number(port), '127.0.0.1', () => console.log('sells'))
`

export const buyer = `
import { createAgent } from '@uraiden/agent'
const { RPC: rpcUrl, CONTRACT: contract, URL: url } = process.env
const budget = { request: '0.01 TKN', day: '1 TKN' }
const agent = await createAgent({ key: { file: 'key' }, rpcUrl, contract, chainId: 31337, store: 'state', budget })
const answer = await agent.get(url)
console.log(answer.text(), String(answer.payment.cost))
await agent.stop()
`

/** What the buyer prints. */
const bought = '{"celsius":21.5} 5000000000000000\n'

export type Manager = 'npm' | 'pnpm' | 'bun' | 'deno'

/** Nothing of ours has to be built after an install; pnpm wants to be told so. */
const adding: { readonly [Name in Manager]: readonly string[] } = {
  npm: ['npm', 'install', '--no-audit', '--no-fund', '--prefer-offline'],
  pnpm: [packagePrograms.pnpm, 'add', '--allow-build=!classic-level', '--allow-build=!secp256k1'],
  bun: [packagePrograms.bun, 'add'],
  deno: [packagePrograms.deno, 'add', '--npm'],
}

export interface Market {
  /** Folders. */
  readonly seller: string
  readonly buyer: string
  readonly environment: NodeJS.ProcessEnv
}

/** A chain, and both sides with their packages, keys and programs. */
export async function givenMarket(t: ExecutionContext, manager: Manager): Promise<Market> {
  const npmrc = await startRegistry(t, tarballs)
  const { chain, contract, token, receiverAccount, senderAccount } = await startSystem(t)
  const transfer = token.getFunction('transfer(address,uint256)')
  await (await transfer(senderAccount.address, 10n ** 18n)).wait()
  const folder = await temporaryFolder(t)
  const side = async (name: string, files: { readonly [file: string]: string }) => {
    const own = join(folder, name)
    await mkdir(own)
    const all = {
      'package.json': '{ "private": true, "type": "module" }',
      '.npmrc': npmrc,
      ...files,
    }
    for (const [file, text] of Object.entries(all)) {
      await writeFile(join(own, file), text, { mode: 0o600 })
    }
    return own
  }
  const sides = {
    seller: await side('seller', { key: receiverAccount.privateKey, 'program.js': seller }),
    buyer: await side('buyer', { key: senderAccount.privateKey, 'program.js': buyer }),
  }
  await add(manager, '@uraiden/receiver', sides.seller)
  await add(manager, '@uraiden/agent', sides.buyer)
  return { ...sides, environment: { ...process.env, RPC: chain.rpcUrl, CONTRACT: contract } }
}

/** npm has its cache where it always has it; the caches of the others stay in ours. */
async function add(manager: Manager, name: string, cwd: string): Promise<void> {
  const [command = '', ...args] = adding[manager]
  const home = manager === 'npm' ? {} : { HOME: join(root, '.cache/package-managers') }
  await run(command, [...args, name], { cwd, env: { ...process.env, ...home } })
}

export const onBun = [packagePrograms.bun]
export const onDeno = [packagePrograms.deno, 'run', '--allow-all']

/** Starts the program of each side; the seller is stopped at the end. */
export async function sellAndBuy(
  t: ExecutionContext,
  market: Market,
  runtime: readonly string[],
): Promise<void> {
  const [command = '', ...args] = runtime
  const port = await freePort()
  const env = { ...market.environment, PORT: `${port}`, URL: `http://127.0.0.1:${port}/reading` }
  const selling = spawn(command, [...args, 'program.js'], {
    cwd: market.seller,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(selling, 'exit')
  const errors = text(selling.stderr)
  try {
    await Promise.race([
      once(createInterface(selling.stdout), 'line'),
      ended.then(async ([code]) => {
        throw new Error(`the seller ended with ${code}: ${await errors}`)
      }),
    ])
    const { stdout } = await run(command, [...args, 'program.js'], { cwd: market.buyer, env })
    t.is(stdout, bought)
  } finally {
    selling.kill()
    await ended
  }
}

export interface Size {
  readonly names: readonly string[]
  readonly megabytes: number
}

/** Of what an install has put on the disk, wherever in node_modules its manager keeps the packages. */
export async function sizeOf(folder: string): Promise<Size> {
  const modules = join(folder, 'node_modules')
  const { stdout } = await run('du', ['-sk', modules])
  // Without following links: pnpm and Deno link each package to those that it needs.
  const found = await run('find', [modules, '-name', 'package.json', '-printf', '%P\\n'])
  const names = found.stdout.split('\n').flatMap((file) => {
    const match = /(?:^|node_modules\/)((?:@[^/]+\/)?[^/@.][^/]*)\/package\.json$/.exec(file)
    return match?.[1] ?? []
  })
  return { names, megabytes: Number.parseInt(stdout, 10) / 1024 }
}
