// What runs on every change: the packages from their tarballs, by each package manager and on each runtime once.
// `npm run packages` has made them; packages.test.ts has the rest.
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { nodeOf } from '../support/node-versions.ts'
import {
  buyer,
  givenMarket,
  type Manager,
  type Market,
  onBun,
  onDeno,
  type Size,
  sellAndBuy,
  seller,
  sizeOf,
} from '../support/package-market.ts'
import { tarballs, whole } from '../support/packages.ts'
import { needing, packagePrograms, tools } from '../support/tools.ts'

const run = promisify(execFile)

test('a program that sells has ten lines, and so has one that buys', (t) => {
  for (const program of [seller, buyer]) t.true(program.trim().split('\n').length <= 10)
})

/** Also that a buyer is small, and installs no server. */
async function sellsAndBuys(
  t: ExecutionContext,
  manager: Manager,
  ...runtimes: readonly (readonly string[])[]
): Promise<Market> {
  const market = await givenMarket(t, manager)
  const buyer = await sizeOf(market.buyer)
  t.log(...told('buyer', buyer), ...told('seller', await sizeOf(market.seller)))
  t.true(buyer.names.length <= 60)
  t.true(buyer.megabytes <= 35)
  t.deepEqual(
    buyer.names.filter((name) => /^(fastify|mqtt|ethers|prom-client|express)$/.test(name)),
    [],
  )
  for (const runtime of runtimes) await sellAndBuy(t, market, runtime)
  return market
}

const told = (who: string, { names, megabytes }: Size) => [
  `${who}: ${names.length} packages, ${megabytes.toFixed(1)} MB`,
]

test.serial(
  'installed by npm, they sell and buy on Node 20 and 24, and load by require',
  async (t) => {
    const [node20, node24] = [await nodeOf('20.20.2'), await nodeOf('24.21.0')]
    const { buyer, seller } = await sellsAndBuys(t, 'npm', [node20], [node24])
    for (const [cwd, name] of [
      [buyer, '@uraiden/agent'],
      [seller, '@uraiden/receiver'],
    ] as const) {
      const code = ['--input-type=commonjs', '-e', `require('${name}')`]
      await t.notThrowsAsync(run(node20, code, { cwd }), name)
    }
  },
)

needing(test.serial, tools.pnpm)('installed by pnpm, they sell and buy', async (t) => {
  await sellsAndBuys(t, 'pnpm', [process.execPath])
})
needing(test.serial, tools.bun)('installed by Bun, they sell and buy on it', async (t) => {
  await sellsAndBuys(t, 'bun', onBun)
})
needing(test.serial, tools.deno)('installed by Deno, they sell and buy on it', async (t) => {
  await sellsAndBuys(t, 'deno', onDeno)
})

/** Node 20.19 and later take a module by `require` (docs/guides/npm.md). The tool knows that rule of before only. */
const withoutRequire = ['--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm']

needing(
  test.serial,
  tools.attw,
  tools.publint,
)('attw and publint find nothing, and npm would publish them', async (t) => {
  const files = (await readdir(tarballs)).filter((file) => file.endsWith('.tgz'))
  t.is(files.length, whole.length)
  for (const file of files) {
    const tarball = join(tarballs, file)
    await t.notThrowsAsync(run(packagePrograms.attw, [tarball, ...withoutRequire]), file)
    await t.notThrowsAsync(run(packagePrograms.publint, [tarball, '--strict']), file)
    const publish = ['publish', tarball, '--dry-run', '--provenance=false', '--access=public']
    await t.notThrowsAsync(run('npm', publish), file)
  }
})
