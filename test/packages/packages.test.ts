// The rest of what change.test.ts begins: every Node that is promised, every name that the packages have.
// `npm run packages` has made them.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { nodeOf } from '../support/node-versions.ts'
import { givenMarket, type Manager, onBun, onDeno, sellAndBuy } from '../support/package-market.ts'
import { installed, whole } from '../support/packages.ts'
import { needing, tools } from '../support/tools.ts'

const run = promisify(execFile)

/** The first says `require` of such a package is an error. */
const nodes = ['20.11.0', '20.20.2', '22.23.2', '24.21.0', '26.12.1'] as const
const withoutRequire: ReadonlySet<string> = new Set(['20.11.0'])

const everyEntry: readonly string[] = [
  '@uraiden/protocol',
  '@uraiden/protocol/bound',
  '@uraiden/protocol/contracts',
  '@uraiden/agent',
  '@uraiden/browser',
  '@uraiden/receiver',
  '@uraiden/receiver/http',
  '@uraiden/receiver/fastify',
  'uraiden-pi',
  'uraiden-pi/agent',
  'uraiden-pi/receiver',
  'uraiden-pi/protocol',
]

const everyNode = (manager: Manager) => async (t: ExecutionContext) => {
  const market = await givenMarket(t, manager)
  for (const version of nodes) await sellAndBuy(t, market, [await nodeOf(version)])
}

test.serial('installed by npm, they sell and buy on every Node', everyNode('npm'))
needing(test.serial, tools.pnpm)(
  'installed by pnpm, they sell and buy on every Node',
  everyNode('pnpm'),
)

needing(
  test.serial,
  tools.bun,
  tools.deno,
)('what npm has installed sells and buys on Bun and on Deno', async (t) => {
  const market = await givenMarket(t, 'npm')
  for (const runtime of [onBun, onDeno]) await sellAndBuy(t, market, runtime)
})

test.serial('each name of the whole loads by import and by require', async (t) => {
  const folder = await installed(t, whole)
  for (const version of nodes) {
    const node = await nodeOf(version)
    const imports = everyEntry.map((name) => `await import('${name}')`).join(';')
    await run(node, ['--input-type=module', '-e', imports], { cwd: folder })
    if (withoutRequire.has(version)) continue
    const requires = everyEntry.map((name) => `require('${name}')`).join(';')
    await t.notThrowsAsync(run(node, ['--input-type=commonjs', '-e', requires], { cwd: folder }))
  }
  const { stdout } = await run(join(folder, 'node_modules/.bin/uraiden-agent'), ['--version'])
  t.regex(stdout, /^\d+\.\d+\.\d+\n$/)
})
