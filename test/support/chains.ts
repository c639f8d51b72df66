// The chains that a whole-system suite runs on: the embedded one, and geth where there is one.
import { execFileSync } from 'node:child_process'
import type { TestFn } from 'ava'
import { startEmbeddedChain } from '../lab/chains/embedded-chain.ts'
import type { TestChain } from '../lab/chains/test-chain.ts'
import { findGeth } from '../lab/geth/binary.ts'
import { type GethChain, type GethChainOptions, startGethChain } from '../lab/geth/chain.ts'
import { needing, tools } from './tools.ts'

export interface LongChain extends TestChain {
  /** Adds very many blocks without transactions, in seconds. */
  readonly addBlocks: (blocks: number) => Promise<void>
}

export interface ChainKind {
  /** For test titles, with geth's version. */
  readonly name: string
  readonly start: () => Promise<LongChain>
}

export type StartGeth = (options?: Omit<GethChainOptions, 'geth'>) => Promise<GethChain>

const embedded: ChainKind = {
  name: 'embedded chain',
  start: async () => {
    const chain = await startEmbeddedChain()
    return { ...chain, addBlocks: chain.mine }
  },
}

/** Calls `suite` once for each chain; without a geth see `withGeth`. */
export function onEachChain(test: TestFn, suite: (kind: ChainKind) => void): void {
  suite(embedded)
  withGeth(test, (name, start) =>
    suite({
      name,
      start: async () => {
        const chain = await start()
        return { ...chain, addBlocks: chain.importBlocks }
      },
    }),
  )
}

/** Calls `suite` when there is a geth; otherwise it is said that it did not run. */
export function withGeth(test: TestFn, suite: (name: string, start: StartGeth) => void): void {
  const geth = findGeth()
  if (geth !== undefined) {
    suite(`geth ${versionOf(geth)}`, (options) => startGethChain({ ...options, geth }))
    return
  }
  needing(test, tools.geth)('all tests on geth', (t) => t.fail())
}

function versionOf(geth: string): string {
  const said = execFileSync(geth, ['version'], { encoding: 'utf8' })
  return /^Version: (\S+)/m.exec(said)?.[1] ?? 'of unknown version'
}
