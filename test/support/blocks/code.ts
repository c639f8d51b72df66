// Blocks of TypeScript and JavaScript: type-checked against our sources, all of them in one go.
import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Block } from './find.ts'

/** What the text around an example speaks of, from what we export or from the reader's own program. */
const surroundings = `import type * as agentLibrary from '../../agent/index.ts'
import type * as protocolLibrary from '../../protocol/index.ts'
import type * as receiverLibrary from '../../receiver/index.ts'
import type * as expressLibrary from '../../receiver/http/express.ts'
import type * as nodeLibrary from '../../receiver/http/node.ts'

declare global {
  type AgentHooks = agentLibrary.AgentHooks
  const agent: agentLibrary.Agent
  const key: Uint8Array
  const rpcUrl: string
  const chainId: bigint
  const store: string
  const budget: agentLibrary.Budget
  const contract: protocolLibrary.Address
  const livingRoom: protocolLibrary.Address
  const price: bigint
  const app: any
  const cors: any
  const handler: any
  const paid: any
  const readSensor: () => unknown
  const sunShines: () => boolean
  const message: any
  const openValve: any
  const mqtt: any
  const account: any
  const client: any
  const x402ResourceServer: any
  const receiver: receiverLibrary.Receiver
  const createServer: typeof import('node:http').createServer
  const parseUint192: typeof protocolLibrary.parseUint192
  const fastifyApi: typeof receiverLibrary.fastifyApi
  const fastifyPaywall: typeof receiverLibrary.fastifyPaywall
  const expressPaywall: typeof expressLibrary.expressPaywall
  const httpPaywall: typeof nodeLibrary.httpPaywall
  const receiverApi: typeof receiverLibrary.receiverApi
  const crossOriginHeaders: typeof receiverLibrary.crossOriginHeaders
}
`

/** Of packages that are not installed beside ours. */
const stock = `declare module '@x402/fetch'
declare module '@x402/evm/exact/client'
`

/** Where a page means something else by a name. */
const ownSurroundings: { readonly [page: string]: string } = {
  'docs/reference/browser.md': "declare const receiver: import('../../protocol/index.ts').Address;",
}

const settings = {
  extends: '../../tsconfig.json',
  compilerOptions: {
    lib: ['es2023', 'dom', 'dom.iterable'],
    // Handlers in an example get their types from where a reader puts them.
    noImplicitAny: false,
    noUncheckedIndexedAccess: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    paths: {
      'uraiden-pi': ['../../index.ts'],
      'uraiden-pi/x402': ['../../x402.ts'],
      'uraiden-pi/receiver/*': ['../../receiver/http/*.ts'],
      'uraiden-pi/*': ['../../*/index.ts'],
    },
  },
  include: ['*.ts'],
  exclude: [],
}

/** What the compiler says of the blocks, with their places. Files are made in the checkout, beside what they import. */
export async function typeErrors(
  root: string,
  blocks: readonly Block[],
): Promise<readonly string[]> {
  const folder = join(root, '.cache', `docs-blocks-${process.pid}`)
  await mkdir(folder, { recursive: true })
  try {
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings))
    await writeFile(join(folder, 'surroundings.ts'), surroundings)
    await writeFile(join(folder, 'stock.d.ts'), stock)
    for (const [index, { page, text }] of blocks.entries()) {
      const own = ownSurroundings[page] ?? ''
      await writeFile(join(folder, `block-${index}.ts`), `export {}; ${own} ${whole(text)}`)
    }
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const said = await promisify(execFile)(process.execPath, [compiler, '-p', folder]).then(
      () => '',
      ({ stdout }: { readonly stdout: string }) => stdout,
    )
    return said
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/^.*block-(\d+)\.ts/, (_, index) => blocks[index]?.place ?? ''))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Where a page is the reader's own checkout, imports start there; what the reader adds is an ellipsis. */
const whole = (text: string) => text.replaceAll("from './", "from '../../").replaceAll('…', '')
